/*
 * The contract of lrcn.h from C11: what every function does with good and with wrong arguments. Ends with 0 where all
 * holds; stops at the first line that does not.
 */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lrcn.h"

enum { IMAGES = 2, SIDE = 32, ROWS = 3, LENGTH = 4, VOCABULARY = 11, K = 5 };

static char message[256];
static uint8_t pixels[IMAGES * SIDE * SIDE * 3];
static const int32_t image_of_row[ROWS] = {0, 0, 1};
static const int32_t inputs[ROWS * LENGTH] = {2, 4, 5, 6, 2, 7, 8, 0, 2, 9, 10, 4};
static const int32_t targets[ROWS * LENGTH] = {4, 5, 6, 3, 7, 8, 3, -1, 9, 10, 4, 3};

#define TEXT message, (int32_t)sizeof message

static lrcn_engine_options engine_options(int32_t inject) {
  lrcn_engine_options options = {0};
  options.size = (int32_t)sizeof options;
  options.threads = 1;
  options.vocabulary_size = VOCABULARY;
  options.embed_size = 6;
  options.hidden_size = 8;
  options.fusion_layers = 1;
  options.inject = inject;
  options.encoder_width = 4;
  for (int i = 0; i < 4; ++i) options.encoder_blocks[i] = 1;
  options.seed = 7;
  return options;
}

static lrcn_batch_shape batch_shape(void) {
  const lrcn_batch_shape shape = {(int32_t)sizeof shape, IMAGES, SIDE, SIDE, ROWS, LENGTH, LENGTH, 0};
  return shape;
}

static lrcn_optimizer_options optimizer_options(void) {
  const lrcn_optimizer_options options = {(int32_t)sizeof options, LRCN_ADAM, 1, 0, 1e-2, 1e-2, 0.9, 0.999, 1e-8, 0, 5};
  return options;
}

static lrcn_engine *open_engine(const lrcn_engine_options *options) {
  int32_t status = -1;
  lrcn_engine *engine = lrcn_engine_create(options, &status, TEXT);
  if (engine == NULL) fprintf(stderr, "%s\n", message);
  assert(status == LRCN_OK && engine != NULL);
  return engine;
}

static int32_t train(lrcn_engine *engine, const lrcn_batch_shape *shape, const lrcn_optimizer_options *optimizer,
                     const int32_t *given_targets, int64_t targets_length, double *result) {
  return lrcn_train_step(engine, shape, pixels, (int64_t)sizeof pixels, image_of_row, ROWS, inputs, ROWS * LENGTH,
                         given_targets, targets_length, optimizer, result, 3, TEXT);
}

/* Asserts the code and that one line says why. */
static void refused(int32_t status, int32_t expected, const char *words) {
  if (status != expected || strstr(message, words) == NULL) {
    fprintf(stderr, "status %d, expected %d; message '%s' should hold '%s'\n", status, expected, message, words);
    abort();
  }
  assert(strchr(message, '\n') == NULL);
  message[0] = '\0';
}

static void test_library(void) {
  assert(lrcn_abi_version() == LRCN_ABI_VERSION);
  char text[512];
  int32_t length = -1;
  assert(lrcn_build_info(text, (int32_t)sizeof text, &length, TEXT) == LRCN_OK);
  assert(length > 0 && text[0] == '{' && text[length - 1] == '}');
  length = -1;
  refused(lrcn_build_info(text, 3, &length, TEXT), LRCN_INVALID_ARGUMENT, "text holds 3 bytes");
  assert(length == -1);
  refused(lrcn_build_info(text, 3, NULL, TEXT), LRCN_INVALID_ARGUMENT, "length is NULL");
}

static void test_creation(void) {
  int32_t status = -1;
  assert(lrcn_engine_create(NULL, &status, TEXT) == NULL);
  refused(status, LRCN_INVALID_ARGUMENT, "options is NULL");
  lrcn_engine_options options = engine_options(LRCN_EVERY);
  options.size -= 4;
  assert(lrcn_engine_create(&options, &status, TEXT) == NULL);
  refused(status, LRCN_INVALID_ARGUMENT, "another ABI");
  options = engine_options(LRCN_EVERY);
  options.dropout = 1;
  assert(lrcn_engine_create(&options, &status, TEXT) == NULL);
  refused(status, LRCN_INVALID_ARGUMENT, "dropout");
  options = engine_options(LRCN_EVERY);
  options.fusion_layers = 0;
  assert(lrcn_engine_create(&options, &status, NULL, 0) == NULL && status == LRCN_INVALID_ARGUMENT);
  assert(lrcn_engine_create(&options, NULL, message, 10) == NULL && strlen(message) == 9);
  lrcn_engine_destroy(NULL);
  lrcn_decoding_destroy(NULL);
  lrcn_cancel(NULL);
  assert(lrcn_live_handles() == 0);
}

static void test_training(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  const lrcn_batch_shape shape = batch_shape();
  const lrcn_optimizer_options optimizer = optimizer_options();
  lrcn_engine *engine = open_engine(&options);
  assert(lrcn_live_handles() == 1);

  double result[3] = {-1, -1, -1};
  assert(train(engine, &shape, &optimizer, targets, ROWS * LENGTH, result) == LRCN_OK);
  assert(isfinite(result[0]) && result[1] == ROWS * LENGTH - 1 && result[2] > 0);
  const double first = result[0];
  for (int step = 0; step < 30; ++step) assert(train(engine, &shape, &optimizer, targets, ROWS * LENGTH, result) == LRCN_OK);
  assert(result[0] < first / 2);

  double evaluated[2] = {0, 0};
  assert(lrcn_evaluate_step(engine, &shape, pixels, (int64_t)sizeof pixels, image_of_row, ROWS, inputs, ROWS * LENGTH,
                            targets, ROWS * LENGTH, evaluated, 2, TEXT) == LRCN_OK);
  assert(isfinite(evaluated[0]));
  double logits[ROWS * LENGTH * VOCABULARY];
  assert(lrcn_logits(engine, &shape, pixels, (int64_t)sizeof pixels, image_of_row, ROWS, inputs, ROWS * LENGTH, logits,
                     ROWS * LENGTH * VOCABULARY, TEXT) == LRCN_OK);

  double untouched[3] = {-1, -1, -1};
  refused(train(NULL, &shape, &optimizer, targets, ROWS * LENGTH, untouched), LRCN_INVALID_ARGUMENT, "engine is NULL");
  refused(train(engine, NULL, &optimizer, targets, ROWS * LENGTH, untouched), LRCN_INVALID_ARGUMENT, "shape is NULL");
  refused(train(engine, &shape, NULL, targets, ROWS * LENGTH, untouched), LRCN_INVALID_ARGUMENT, "optimizer is NULL");
  refused(train(engine, &shape, &optimizer, NULL, 0, untouched), LRCN_INVALID_ARGUMENT, "targets is NULL");
  refused(train(engine, &shape, &optimizer, targets, 3, untouched), LRCN_INVALID_ARGUMENT, "targets has 3 elements");
  int32_t wrong[ROWS * LENGTH];
  memcpy(wrong, targets, sizeof wrong);
  wrong[1] = VOCABULARY;
  refused(train(engine, &shape, &optimizer, wrong, ROWS * LENGTH, untouched), LRCN_INVALID_ARGUMENT, "targets is 11");
  for (int i = 0; i < ROWS * LENGTH; ++i) wrong[i] = -1;
  refused(train(engine, &shape, &optimizer, wrong, ROWS * LENGTH, untouched), LRCN_INVALID_ARGUMENT, "counts no word");
  lrcn_batch_shape other = shape;
  other.size = 0;
  refused(train(engine, &other, &optimizer, targets, ROWS * LENGTH, untouched), LRCN_INVALID_ARGUMENT, "another ABI");
  other = shape;
  other.height = INT32_MAX;
  refused(train(engine, &other, &optimizer, targets, ROWS * LENGTH, untouched), LRCN_INVALID_ARGUMENT, "height");
  other = shape;
  other.images = 1;
  refused(train(engine, &other, &optimizer, targets, ROWS * LENGTH, untouched), LRCN_INVALID_ARGUMENT, "pixels has");
  other = shape;
  other.targets_length = LENGTH + 1;
  refused(train(engine, &other, &optimizer, targets, ROWS * LENGTH, untouched), LRCN_INVALID_ARGUMENT, "targets_length");
  lrcn_optimizer_options bad = optimizer;
  bad.decoder_learning_rate = NAN;
  refused(train(engine, &shape, &bad, targets, ROWS * LENGTH, untouched), LRCN_INVALID_ARGUMENT, "learning_rate");
  for (int i = 0; i < 3; ++i) assert(untouched[i] == -1);

  int64_t memory[3] = {-1, -1, -1};
  assert(lrcn_memory(engine, memory, 3, TEXT) == LRCN_OK && memory[0] >= 0);
  refused(lrcn_memory(engine, memory, 2, TEXT), LRCN_INVALID_ARGUMENT, "bytes has 2 elements");
  lrcn_cancel(engine); /* nothing runs: no later call is concerned */
  assert(train(engine, &shape, &optimizer, targets, ROWS * LENGTH, result) == LRCN_OK);
  lrcn_engine_destroy(engine);
  assert(lrcn_live_handles() == 0);
}

static void test_decoding(int32_t inject) {
  const lrcn_engine_options options = engine_options(inject);
  lrcn_engine *engine = open_engine(&options);
  int32_t size = 0;
  assert(lrcn_feature_size(engine, &size, TEXT) == LRCN_OK && size == 6);
  float features[IMAGES * 6];
  assert(lrcn_encode(engine, IMAGES, SIDE, SIDE, pixels, (int64_t)sizeof pixels, features, IMAGES * 6, TEXT) == LRCN_OK);
  refused(lrcn_encode(engine, IMAGES, SIDE, SIDE, pixels, 5, features, IMAGES * 6, TEXT), LRCN_INVALID_ARGUMENT, "pixels has 5");
  refused(lrcn_encode(engine, IMAGES, SIDE, SIDE, pixels, (int64_t)sizeof pixels, features, 3, TEXT), LRCN_INVALID_ARGUMENT,
          "features has 3");

  int32_t status = -1;
  assert(lrcn_decoding_create(engine, IMAGES, features, 1, &status, TEXT) == NULL);
  refused(status, LRCN_INVALID_ARGUMENT, "features has 1");
  lrcn_decoding *decoding = lrcn_decoding_create(engine, IMAGES, features, IMAGES * 6, &status, TEXT);
  assert(decoding != NULL && status == LRCN_OK && lrcn_live_handles() == 2);
  lrcn_engine_destroy(engine); /* the decoding keeps the model alive */

  const int32_t images[IMAGES] = {0, 1};
  const int32_t start[IMAGES] = {2, 2};
  int32_t words[ROWS * K];
  float best[ROWS * K];
  if (inject == LRCN_FIRST) {
    refused(lrcn_decode_step(decoding, IMAGES, images, IMAGES, start, IMAGES, K, words, IMAGES * K, best, IMAGES * K, TEXT),
            LRCN_INVALID_ARGUMENT, "image's own step");
    assert(lrcn_decode_step(decoding, IMAGES, images, IMAGES, NULL, 0, K, words, IMAGES * K, best, IMAGES * K, TEXT) == LRCN_OK);
  }
  assert(lrcn_decode_step(decoding, IMAGES, images, IMAGES, start, IMAGES, K, words, IMAGES * K, best, IMAGES * K, TEXT) == LRCN_OK);
  for (int i = 0; i < IMAGES * K; ++i) {
    assert(words[i] >= 0 && words[i] < VOCABULARY && best[i] <= 0);
    assert(i % K == 0 || best[i] <= best[i - 1]);
  }
  const int32_t parents[ROWS] = {1, 1, 0};
  const int32_t given[ROWS] = {4, 5, 6};
  assert(lrcn_decode_step(decoding, ROWS, parents, ROWS, given, ROWS, K, words, ROWS * K, best, ROWS * K, TEXT) == LRCN_OK);
  refused(lrcn_decode_step(decoding, ROWS, given, ROWS, given, ROWS, K, words, ROWS * K, best, ROWS * K, TEXT),
          LRCN_INVALID_ARGUMENT, "parents is 4");
  refused(lrcn_decode_step(decoding, ROWS, parents, ROWS, NULL, 0, K, words, ROWS * K, best, ROWS * K, TEXT),
          LRCN_INVALID_ARGUMENT, "words is NULL");
  refused(lrcn_decode_step(decoding, ROWS, parents, ROWS, given, ROWS, VOCABULARY + 1, words, ROWS * K, best, ROWS * K, TEXT),
          LRCN_INVALID_ARGUMENT, "k is 12");
  refused(lrcn_decode_step(NULL, ROWS, parents, ROWS, given, ROWS, K, words, ROWS * K, best, ROWS * K, TEXT),
          LRCN_INVALID_ARGUMENT, "decoding is NULL");
  lrcn_decoding_destroy(decoding);
  assert(lrcn_live_handles() == 0);
}

static void test_resize(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  lrcn_engine *engine = open_engine(&options);
  uint8_t cropped[16 * 16 * 3];
  memset(pixels, 200, sizeof pixels);
  assert(lrcn_resize_crop(engine, SIDE, 2 * SIDE, pixels, SIDE * 2 * SIDE * 3, 20, 16, cropped, sizeof cropped, TEXT) == LRCN_OK);
  for (size_t i = 0; i < sizeof cropped; ++i) assert(cropped[i] == 200);
  refused(lrcn_resize_crop(engine, SIDE, SIDE, pixels, SIDE * SIDE * 3, 15, 16, cropped, sizeof cropped, TEXT),
          LRCN_INVALID_ARGUMENT, "crop is 16");
  refused(lrcn_resize_crop(engine, 1, 100, pixels, 300, 20, 16, cropped, sizeof cropped, TEXT), LRCN_INVALID_ARGUMENT, "64 times");
  lrcn_engine_destroy(engine);
}

static void test_tensors(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  lrcn_engine *engine = open_engine(&options);
  int64_t length = -1;
  assert(lrcn_tensors(engine, NULL, 0, &length, TEXT) == LRCN_OK && length > 0);
  char *text = calloc((size_t)length + 1, 1);
  assert(text != NULL && lrcn_tensors(engine, text, length, &length, TEXT) == LRCN_OK);
  assert(strstr(text, "{\"name\":\"linear.bias\",\"kind\":\"parameter\",\"dtype\":\"F32\",\"shape\":[11]}") != NULL);
  free(text);
  uint8_t bytes[VOCABULARY * 4];
  uint8_t back[VOCABULARY * 4];
  for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = (uint8_t)(i % 60);
  assert(lrcn_tensor_write(engine, "linear.bias", bytes, sizeof bytes, TEXT) == LRCN_OK);
  assert(lrcn_tensor_read(engine, "linear.bias", back, sizeof back, TEXT) == LRCN_OK);
  assert(memcmp(bytes, back, sizeof bytes) == 0);
  refused(lrcn_tensor_read(engine, "linear.bias", back, 4, TEXT), LRCN_INVALID_ARGUMENT, "bytes has 4");
  refused(lrcn_tensor_read(engine, "nothing", back, 4, TEXT), LRCN_INVALID_ARGUMENT, "'nothing'");
  refused(lrcn_tensor_read(engine, NULL, back, 4, TEXT), LRCN_INVALID_ARGUMENT, "name is NULL");
  refused(lrcn_tensor_write(engine, "linear.bias", bytes, 4, TEXT), LRCN_INVALID_ARGUMENT, "44 bytes");
  refused(lrcn_tensor_write(engine, "linear.bias", NULL, 44, TEXT), LRCN_INVALID_ARGUMENT, "bytes is NULL");
  refused(lrcn_tensor_write(engine, "grad.linear.bias", bytes, sizeof bytes, TEXT), LRCN_INVALID_ARGUMENT, "gradient");
  lrcn_engine_destroy(engine);
}

int main(void) {
  for (size_t i = 0; i < sizeof pixels; ++i) pixels[i] = (uint8_t)(i * 37 % 251);
  test_library();
  test_creation();
  test_training();
  test_decoding(LRCN_EVERY);
  test_decoding(LRCN_FIRST);
  test_resize();
  test_tensors();
  assert(lrcn_live_handles() == 0);
  puts("abi_test: ok");
  return 0;
}
