/*
 * Tests lrcn.h from C11: every function with valid and with invalid arguments. Exits with 0 if all assertions hold;
 * aborts at the first one that does not.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <assert.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lrcn_test.h"

enum { IMAGES = 2, SIDE = 32, ROWS = 3, LENGTH = 4, WORDS = ROWS * LENGTH, VOCABULARY = 11, K = 5 };
enum { ENCODER_WIDTH = 4, FEATURE_SIZE = 32 * ENCODER_WIDTH };

static char message[256];
static uint8_t pixels[IMAGES * SIDE * SIDE * 3];
static const int32_t image_of_row[ROWS] = {0, 0, 1};
static const int32_t inputs[WORDS] = {2, 4, 5, 6, 2, 7, 8, 0, 2, 9, 10, 4};
static const int32_t targets[WORDS] = {4, 5, 6, 3, 7, 8, 3, -1, 9, 10, 4, 3};

#define TEXT message, (int32_t)sizeof message

/* Whether the engines are on a GPU: LRCN_TEST_DEVICE=cuda. Its sums come in any order. */
static int on_gpu(void) {
  const char *device = getenv("LRCN_TEST_DEVICE");
  return device != NULL && strcmp(device, "cuda") == 0;
}

/* Whether two results of the same computation agree. */
static int same(const double *one, const double *other, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (on_gpu() ? fabs(one[i] - other[i]) > 1e-4 * (1 + fabs(one[i])) : one[i] != other[i]) return 0;
  }
  return 1;
}

static lrcn_engine_options engine_options(int32_t inject) {
  lrcn_engine_options options = {0};
  options.device = on_gpu() ? LRCN_CUDA : LRCN_CPU;
  options.precision = LRCN_FP32_STRICT;
  options.size = (int32_t)sizeof options;
  options.threads = 1;
  options.vocabulary_size = VOCABULARY;
  options.embed_size = 6;
  options.hidden_size = 8;
  options.fusion_layers = 1;
  options.inject = inject;
  options.encoder = LRCN_RESNET_BOTTLENECK;
  options.encoder_width = ENCODER_WIDTH;
  for (int i = 0; i < 4; ++i) options.encoder_blocks[i] = 1;
  options.seed = 7;
  return options;
}

static lrcn_batch_shape batch_shape(void) {
  const lrcn_batch_shape shape = {(int32_t)sizeof shape, IMAGES, SIDE, SIDE, ROWS, LENGTH, LENGTH, 0};
  return shape;
}

static lrcn_train_options train_options(void) {
  lrcn_train_options options = {0};
  options.size = (int32_t)sizeof options;
  options.optimizer = LRCN_ADAM;
  options.batch_norm = LRCN_BATCH;
  options.update = 1;
  options.encoder_learning_rate = 1e-2;
  options.decoder_learning_rate = 1e-2;
  options.max_gradient_norm = 5;
  return options;
}

static lrcn_engine *open_engine(const lrcn_engine_options *options) {
  int32_t status = -1;
  lrcn_engine *engine = lrcn_engine_create(options, &status, TEXT);
  if (engine == NULL) fprintf(stderr, "%s\n", message);
  assert(status == LRCN_OK && engine != NULL);
  return engine;
}

static int32_t train(lrcn_engine *engine, const lrcn_batch_shape *shape, const lrcn_train_options *options,
                     const int32_t *given_targets, int64_t targets_length, double *result) {
  return lrcn_train_step(engine, shape, pixels, (int64_t)sizeof pixels, NULL, 0, image_of_row, ROWS, inputs, WORDS,
                         given_targets, targets_length, NULL, 0, NULL, 0, options, result, 3, TEXT);
}

static int32_t train_on_features(lrcn_engine *engine, const lrcn_batch_shape *shape, const float *features,
                                 int64_t features_length, const lrcn_train_options *options, double *result) {
  return lrcn_train_step(engine, shape, NULL, 0, features, features_length, image_of_row, ROWS, inputs, WORDS, targets,
                         WORDS, NULL, 0, NULL, 0, options, result, 3, TEXT);
}

static int32_t evaluate(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *given_pixels,
                        int64_t pixels_length, const float *features, int64_t features_length, double *result) {
  return lrcn_evaluate_step(engine, shape, given_pixels, pixels_length, features, features_length, image_of_row, ROWS,
                            inputs, WORDS, targets, WORDS, result, 2, TEXT);
}

/* Whether the list of tensors contains a text. */
static int lists(lrcn_engine *engine, const char *wanted) {
  int64_t length = -1;
  assert(lrcn_tensors(engine, NULL, 0, &length, TEXT) == LRCN_OK && length > 0);
  char *text = calloc((size_t)length + 1, 1);
  assert(text != NULL && lrcn_tensors(engine, text, length, &length, TEXT) == LRCN_OK);
  const int found = strstr(text, wanted) != NULL;
  free(text);
  return found;
}

/* Asserts the status and that the message is one line with these words. */
static void refused(int32_t status, int32_t expected, const char *words) {
  if (status != expected || strstr(message, words) == NULL) {
    fprintf(stderr, "status %d, expected %d; message '%s' should contain '%s'\n", status, expected, message, words);
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
  options.initialization = 3;
  assert(lrcn_engine_create(&options, &status, TEXT) == NULL);
  refused(status, LRCN_INVALID_ARGUMENT, "initialization is 3");
  options = engine_options(LRCN_EVERY);
  options.fusion_layers = 0;
  assert(lrcn_engine_create(&options, &status, NULL, 0) == NULL && status == LRCN_INVALID_ARGUMENT);
  assert(lrcn_engine_create(&options, NULL, message, 10) == NULL && strlen(message) == 9);
  lrcn_engine_destroy(NULL);
  lrcn_decoding_destroy(NULL);
  assert(lrcn_live_handles() == 0);
}

static void test_training(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  const lrcn_batch_shape shape = batch_shape();
  const lrcn_train_options step = train_options();
  lrcn_engine *engine = open_engine(&options);
  assert(lrcn_live_handles() == 1);

  double result[3] = {-1, -1, -1};
  assert(train(engine, &shape, &step, targets, WORDS, result) == LRCN_OK);
  assert(isfinite(result[0]) && result[1] == WORDS - 1 && result[2] > 0);
  const double first = result[0];
  for (int i = 0; i < 30; ++i) assert(train(engine, &shape, &step, targets, WORDS, result) == LRCN_OK);
  assert(result[0] < first / 2);

  double evaluated[2] = {0, 0};
  assert(evaluate(engine, &shape, pixels, (int64_t)sizeof pixels, NULL, 0, evaluated) == LRCN_OK);
  assert(isfinite(evaluated[0]) && evaluated[1] == WORDS - 1);
  double logits[WORDS * VOCABULARY];
  assert(lrcn_logits(engine, &shape, pixels, (int64_t)sizeof pixels, NULL, 0, image_of_row, ROWS, inputs, WORDS, logits,
                     WORDS * VOCABULARY, TEXT) == LRCN_OK);

  double untouched[3] = {-1, -1, -1};
  refused(train(NULL, &shape, &step, targets, WORDS, untouched), LRCN_INVALID_ARGUMENT, "engine is NULL");
  refused(train(engine, NULL, &step, targets, WORDS, untouched), LRCN_INVALID_ARGUMENT, "shape is NULL");
  refused(train(engine, &shape, NULL, targets, WORDS, untouched), LRCN_INVALID_ARGUMENT, "options is NULL");
  refused(train(engine, &shape, &step, NULL, 0, untouched), LRCN_INVALID_ARGUMENT, "targets is NULL");
  refused(train(engine, &shape, &step, targets, 3, untouched), LRCN_INVALID_ARGUMENT, "targets has 3 elements");
  int32_t wrong[WORDS];
  memcpy(wrong, targets, sizeof wrong);
  wrong[1] = VOCABULARY;
  refused(train(engine, &shape, &step, wrong, WORDS, untouched), LRCN_INVALID_ARGUMENT, "targets is 11");
  for (int i = 0; i < WORDS; ++i) wrong[i] = -1;
  refused(train(engine, &shape, &step, wrong, WORDS, untouched), LRCN_INVALID_ARGUMENT, "counts no token");
  lrcn_batch_shape other = shape;
  other.size = 0;
  refused(train(engine, &other, &step, targets, WORDS, untouched), LRCN_INVALID_ARGUMENT, "another ABI");
  other = shape;
  other.height = INT32_MAX;
  refused(train(engine, &other, &step, targets, WORDS, untouched), LRCN_INVALID_ARGUMENT, "height");
  other = shape;
  other.images = 1;
  refused(train(engine, &other, &step, targets, WORDS, untouched), LRCN_INVALID_ARGUMENT, "pixels has");
  other = shape;
  other.targets_length = LENGTH + 1;
  refused(train(engine, &other, &step, targets, WORDS, untouched), LRCN_INVALID_ARGUMENT, "targets_length");
  other = shape;
  other.crop = 1;
  refused(train(engine, &other, &step, targets, WORDS, untouched), LRCN_INVALID_ARGUMENT, "crop of the shape");
  refused(evaluate(engine, &other, pixels, (int64_t)sizeof pixels, NULL, 0, untouched), LRCN_INVALID_ARGUMENT,
          "crop of the shape");
  for (int i = 0; i < 3; ++i) assert(untouched[i] == -1);

  int64_t memory[3] = {-1, -1, -1};
  assert(lrcn_memory(engine, memory, 3, TEXT) == LRCN_OK && memory[0] >= 0);
  refused(lrcn_memory(engine, memory, 2, TEXT), LRCN_INVALID_ARGUMENT, "bytes has 2 elements");
  int32_t threads = -1;
  assert(lrcn_threads(engine, &threads, TEXT) == LRCN_OK && threads == options.threads);
  refused(lrcn_threads(engine, NULL, TEXT), LRCN_INVALID_ARGUMENT, "threads is NULL");
  refused(lrcn_threads(NULL, &threads, TEXT), LRCN_INVALID_ARGUMENT, "engine is NULL");
  assert(train(engine, &shape, &step, targets, WORDS, result) == LRCN_OK);
  lrcn_engine_destroy(engine);
  assert(lrcn_live_handles() == 0);
}

static void test_queued_steps(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  const lrcn_batch_shape shape = batch_shape();
  const lrcn_train_options step = train_options();
  lrcn_engine *one = open_engine(&options), *other = open_engine(&options);
  enum { STEPS = 3 };
  double expected[3 * STEPS], results[3 * STEPS] = {-1};
  int64_t steps = -1;
  for (int i = 0; i < STEPS; ++i) {
    assert(train(one, &shape, &step, targets, WORDS, expected + 3 * i) == LRCN_OK);
    assert(lrcn_train_step(other, &shape, pixels, (int64_t)sizeof pixels, NULL, 0, image_of_row, ROWS, inputs, WORDS,
                           targets, WORDS, NULL, 0, NULL, 0, &step, NULL, 0, TEXT) == LRCN_OK);
  }
  refused(train(other, &shape, &step, targets, WORDS, results), LRCN_INVALID_ARGUMENT, "former steps");
  refused(lrcn_step_results(NULL, results, 3 * STEPS, &steps, TEXT), LRCN_INVALID_ARGUMENT, "engine is NULL");
  refused(lrcn_step_results(other, NULL, 0, &steps, TEXT), LRCN_INVALID_ARGUMENT, "results is NULL");
  refused(lrcn_step_results(other, results, 3 * STEPS, NULL, TEXT), LRCN_INVALID_ARGUMENT, "steps is NULL");
  refused(lrcn_step_results(other, results, 3 * STEPS - 1, &steps, TEXT), LRCN_INVALID_ARGUMENT, "results holds 8");
  assert(results[0] == -1 && steps == -1);
  assert(lrcn_step_results(other, results, 3 * STEPS, &steps, TEXT) == LRCN_OK && steps == STEPS);
  assert(same(results, expected, 3 * STEPS));
  assert(lrcn_step_results(other, results, 3 * STEPS, &steps, TEXT) == LRCN_OK && steps == 0);
  lrcn_engine_destroy(one);
  lrcn_engine_destroy(other);
}

static void test_train_options(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  const lrcn_batch_shape shape = batch_shape();
  lrcn_engine *engine = open_engine(&options);
  double untouched[3] = {-1, -1, -1};
  lrcn_train_options step;
#define REFUSED(field, value)                                                                            \
  step = train_options();                                                                                \
  step.field = value;                                                                                    \
  refused(train(engine, &shape, &step, targets, WORDS, untouched), LRCN_INVALID_ARGUMENT, #field " is ")
  REFUSED(optimizer, 2);
  REFUSED(trainable_from, -1);
  REFUSED(trainable_from, 6);
  REFUSED(batch_norm, 3);
  REFUSED(update, -1);
  REFUSED(feature_dropout, 1);
  REFUSED(feature_dropout, NAN);
  REFUSED(embedding_dropout, 1);
  REFUSED(embedding_dropout, -0.1);
  REFUSED(lstm_dropout, 1);
  REFUSED(lstm_dropout, NAN);
  REFUSED(output_dropout, 1);
  REFUSED(output_dropout, INFINITY);
  REFUSED(label_smoothing, 1);
  REFUSED(label_smoothing, -0.1);
  REFUSED(scheduled_sampling, 1.01);
  REFUSED(scheduled_sampling, -0.1);
  REFUSED(encoder_learning_rate, -1);
  REFUSED(decoder_learning_rate, NAN);
  REFUSED(encoder_weight_decay, -1);
  REFUSED(decoder_weight_decay, INFINITY);
  REFUSED(max_gradient_norm, NAN);
  REFUSED(counted_tokens, -1);
  REFUSED(counted_tokens, WORDS - 2); /* this batch alone has one more */
#undef REFUSED
  step = train_options();
  step.size -= 8;
  refused(train(engine, &shape, &step, targets, WORDS, untouched), LRCN_INVALID_ARGUMENT, "another ABI");
  for (int i = 0; i < 3; ++i) assert(untouched[i] == -1);
  assert(!lists(engine, "adam.") && !lists(engine, "grad."));

  double result[3] = {-1, -1, -1};
  step = train_options();
  step.feature_dropout = step.embedding_dropout = step.lstm_dropout = step.output_dropout = 0.5;
  step.label_smoothing = 0.1;
  step.scheduled_sampling = 1;
  assert(train(engine, &shape, &step, targets, WORDS, result) == LRCN_OK && isfinite(result[0]) && result[2] > 0);

  lrcn_batch_shape single = shape;
  single.images = 1;
  const int32_t first[ROWS] = {0, 0, 0};
  step = train_options();
  refused(lrcn_train_step(engine, &single, pixels, SIDE * SIDE * 3, NULL, 0, first, ROWS, inputs, WORDS, targets, WORDS,
                          NULL, 0, NULL, 0, &step, result, 3, TEXT),
          LRCN_INVALID_ARGUMENT, "single image");
  step.batch_norm = LRCN_FROZEN;
  assert(lrcn_train_step(engine, &single, pixels, SIDE * SIDE * 3, NULL, 0, first, ROWS, inputs, WORDS, targets, WORDS,
                         NULL, 0, NULL, 0, &step, result, 3, TEXT) == LRCN_OK);
  lrcn_engine_destroy(engine);
}

static int32_t train_cropped(lrcn_engine *engine, int32_t crop, const int32_t *crops, int64_t crops_length,
                             double *result) {
  lrcn_batch_shape shape = batch_shape();
  shape.crop = crop;
  const lrcn_train_options step = train_options();
  return lrcn_train_step(engine, &shape, pixels, (int64_t)sizeof pixels, NULL, 0, image_of_row, ROWS, inputs, WORDS,
                         targets, WORDS, crops, crops_length, NULL, 0, &step, result, 3, TEXT);
}

static void test_crops(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  lrcn_engine *engine = open_engine(&options);
  double result[3] = {-1, -1, -1};
  int32_t crops[3 * IMAGES] = {0, 8, 0, 8, 0, 1};
  enum { CROP = SIDE - 8, LAST = 8 };
  refused(train_cropped(engine, 0, crops, 3 * IMAGES, result), LRCN_INVALID_ARGUMENT, "crop of the shape is 0");
  refused(train_cropped(engine, SIDE + 1, crops, 3 * IMAGES, result), LRCN_INVALID_ARGUMENT, "crop of the shape");
  refused(train_cropped(engine, CROP, crops, 3, result), LRCN_INVALID_ARGUMENT, "crops has 3 elements");
  refused(train_cropped(engine, CROP, NULL, 3 * IMAGES, result), LRCN_INVALID_ARGUMENT, "crops is NULL");
  static const char *const names[3] = {"top", "left", "flipped"};
  for (int i = 0; i < 3 * IMAGES; ++i) {
    const int32_t kept = crops[i], most = i % 3 == 2 ? 1 : LAST;
    const int32_t wrong[2] = {-1, most + 1};
    for (int j = 0; j < 2; ++j) {
      crops[i] = wrong[j];
      refused(train_cropped(engine, CROP, crops, 3 * IMAGES, result), LRCN_INVALID_ARGUMENT, names[i % 3]);
    }
    crops[i] = kept;
  }
  for (int i = 0; i < 3; ++i) assert(result[i] == -1);

  lrcn_batch_shape of_features = batch_shape();
  of_features.height = of_features.width = 0;
  of_features.crop = CROP;
  static const float features[IMAGES * FEATURE_SIZE];
  lrcn_train_options frozen = train_options();
  frozen.trainable_from = 5;
  refused(lrcn_train_step(engine, &of_features, NULL, 0, features, IMAGES * FEATURE_SIZE, image_of_row, ROWS, inputs,
                          WORDS, targets, WORDS, crops, 3 * IMAGES, NULL, 0, &frozen, result, 3, TEXT),
          LRCN_INVALID_ARGUMENT, "crops are given without pixels");
  assert(train_cropped(engine, CROP, crops, 3 * IMAGES, result) == LRCN_OK && isfinite(result[0]) && result[2] > 0);
  lrcn_engine_destroy(engine);
}

static int32_t train_weighted(lrcn_engine *engine, const float *weights, int64_t length, double *result) {
  const lrcn_batch_shape shape = batch_shape();
  lrcn_train_options step = train_options();
  step.update = 0;
  return lrcn_train_step(engine, &shape, pixels, (int64_t)sizeof pixels, NULL, 0, image_of_row, ROWS, inputs, WORDS,
                         targets, WORDS, NULL, 0, weights, length, &step, result, 3, TEXT);
}

static int32_t score(lrcn_engine *engine, const lrcn_batch_shape *shape, const int32_t *given_targets,
                     double *log_probabilities, int64_t length) {
  return lrcn_score(engine, shape, pixels, (int64_t)sizeof pixels, NULL, 0, image_of_row, ROWS, inputs, WORDS,
                    given_targets, WORDS, log_probabilities, length, TEXT);
}

static void test_row_weights_and_scores(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  lrcn_engine *engine = open_engine(&options);
  double result[3] = {-1, -1, -1};
  const float weights[ROWS] = {1, -2, 0};
  const float wrong[ROWS] = {1, NAN, 0};
  refused(train_weighted(engine, weights, 2, result), LRCN_INVALID_ARGUMENT, "row_weights has 2 elements");
  refused(train_weighted(engine, NULL, 3, result), LRCN_INVALID_ARGUMENT, "row_weights is NULL");
  refused(train_weighted(engine, wrong, ROWS, result), LRCN_INVALID_ARGUMENT, "row_weights is not finite");
  assert(result[0] == -1);
  const float none[ROWS] = {0};
  assert(train_weighted(engine, none, ROWS, result) == LRCN_OK && result[0] == 0);
  assert(train_weighted(engine, weights, ROWS, result) == LRCN_OK && result[0] != 0);

  lrcn_batch_shape shape = batch_shape();
  double sums[ROWS] = {1, 1, 1};
  refused(score(engine, &shape, targets, sums, 2), LRCN_INVALID_ARGUMENT, "log_probabilities has 2 elements");
  refused(score(engine, &shape, targets, NULL, ROWS), LRCN_INVALID_ARGUMENT, "log_probabilities is NULL");
  refused(score(NULL, &shape, targets, sums, ROWS), LRCN_INVALID_ARGUMENT, "engine is NULL");
  refused(score(engine, NULL, targets, sums, ROWS), LRCN_INVALID_ARGUMENT, "shape is NULL");
  refused(score(engine, &shape, NULL, sums, ROWS), LRCN_INVALID_ARGUMENT, "targets is NULL");
  shape.crop = 1;
  refused(score(engine, &shape, targets, sums, ROWS), LRCN_INVALID_ARGUMENT, "crop of the shape");
  for (int row = 0; row < ROWS; ++row) assert(sums[row] == 1);
  shape.crop = 0;
  int32_t one_row[WORDS];
  memcpy(one_row, targets, sizeof one_row);
  for (int i = LENGTH; i < WORDS; ++i) one_row[i] = -1;
  assert(score(engine, &shape, one_row, sums, ROWS) == LRCN_OK && sums[0] < 0 && sums[1] == 0 && sums[2] == 0);
  lrcn_engine_destroy(engine);
}

static void read_weights(lrcn_engine *engine, const char *name, float *weights) {
  assert(lrcn_tensor_read(engine, name, (uint8_t *)weights, VOCABULARY * 4, TEXT) == LRCN_OK);
}

enum { EXPLAINED_HEIGHT = 33, PLACES = 2 };

static int32_t explain(lrcn_engine *engine, const lrcn_batch_shape *shape, const int32_t *given_targets,
                       int64_t targets_length, double *probabilities, double *heat, int64_t heat_length) {
  return lrcn_explain(engine, shape, pixels, EXPLAINED_HEIGHT * SIDE * 3, inputs, LENGTH, given_targets, targets_length,
                      probabilities, targets_length, heat, heat_length, TEXT);
}

static void test_explanations(int32_t inject) {
  const lrcn_engine_options options = engine_options(inject);
  lrcn_engine *engine = open_engine(&options);
  lrcn_batch_shape shape = batch_shape();
  shape.images = shape.rows = 1;
  shape.height = EXPLAINED_HEIGHT;
  const int32_t some[LENGTH + 1] = {4, -1, 6, 3, 3};
  double probabilities[LENGTH + 1] = {-1, -1, -1, -1, -1}, heat[(LENGTH + 1) * PLACES];
  for (int i = 0; i < (LENGTH + 1) * PLACES; ++i) heat[i] = -1;
  const int64_t places = LENGTH * PLACES;
  refused(explain(NULL, &shape, some, LENGTH, probabilities, heat, places), LRCN_INVALID_ARGUMENT, "engine is NULL");
  refused(explain(engine, NULL, some, LENGTH, probabilities, heat, places), LRCN_INVALID_ARGUMENT, "shape is NULL");
  refused(explain(engine, &shape, NULL, LENGTH, probabilities, heat, places), LRCN_INVALID_ARGUMENT, "targets is NULL");
  refused(explain(engine, &shape, some, LENGTH - 1, probabilities, heat, places), LRCN_INVALID_ARGUMENT, "targets has 3");
  refused(explain(engine, &shape, some, LENGTH, NULL, heat, places), LRCN_INVALID_ARGUMENT, "probabilities is NULL");
  refused(explain(engine, &shape, some, LENGTH, probabilities, NULL, places), LRCN_INVALID_ARGUMENT, "heat is NULL");
  refused(explain(engine, &shape, some, LENGTH, probabilities, heat, LENGTH), LRCN_INVALID_ARGUMENT,
          "heat has 4 elements, not 8");
  refused(lrcn_explain(engine, &shape, NULL, 0, inputs, LENGTH, some, LENGTH, probabilities, LENGTH, heat, places, TEXT),
          LRCN_INVALID_ARGUMENT, "pixels is NULL");
  refused(lrcn_explain(engine, &shape, pixels, 5, inputs, LENGTH, some, LENGTH, probabilities, LENGTH, heat, places, TEXT),
          LRCN_INVALID_ARGUMENT, "pixels has 5 elements");
  const int32_t none[LENGTH] = {-1, -1, -1, -1}, beyond[LENGTH] = {4, VOCABULARY, 6, 3};
  refused(explain(engine, &shape, none, LENGTH, probabilities, heat, places), LRCN_INVALID_ARGUMENT, "counts no token");
  refused(explain(engine, &shape, beyond, LENGTH, probabilities, heat, places), LRCN_INVALID_ARGUMENT, "targets is 11");
  lrcn_batch_shape wrong = shape;
  wrong.images = 2;
  refused(explain(engine, &wrong, some, LENGTH, probabilities, heat, places), LRCN_INVALID_ARGUMENT, "images is 2");
  wrong = shape;
  wrong.rows = 2;
  refused(explain(engine, &wrong, some, LENGTH, probabilities, heat, places), LRCN_INVALID_ARGUMENT, "rows is 2");
  wrong = shape;
  wrong.crop = 1;
  refused(explain(engine, &wrong, some, LENGTH, probabilities, heat, places), LRCN_INVALID_ARGUMENT, "crop of the shape");
  for (int i = 0; i <= LENGTH; ++i) assert(probabilities[i] == -1);
  for (int i = 0; i < (LENGTH + 1) * PLACES; ++i) assert(heat[i] == -1);

  const lrcn_batch_shape learnt = batch_shape();
  lrcn_train_options part = train_options();
  part.update = 0;
  double result[3];
  float before[VOCABULARY], after[VOCABULARY];
  assert(train(engine, &learnt, &part, targets, WORDS, result) == LRCN_OK);
  read_weights(engine, "grad.linear.bias", before);
  assert(explain(engine, &shape, some, LENGTH, probabilities, heat, places) == LRCN_OK);
  read_weights(engine, "grad.linear.bias", after);
  assert(memcmp(before, after, sizeof before) == 0);
  assert(lrcn_drop_gradients(engine, TEXT) == LRCN_OK);

  if (inject == LRCN_FIRST) shape.targets_length = LENGTH + 1;
  const int32_t words = shape.targets_length;
  assert(explain(engine, &shape, some, words, probabilities, heat, words * PLACES) == LRCN_OK);
  double warmest = 0;
  for (int word = 0; word < words; ++word) {
    const int counts = some[word] >= 0;
    assert(counts ? probabilities[word] > 0 && probabilities[word] < 1 : probabilities[word] == 0);
    for (int place = 0; place < PLACES; ++place) {
      const double here = heat[word * PLACES + place];
      assert(counts ? here >= 0 && isfinite(here) : here == 0);
      warmest = fmax(warmest, here);
    }
  }
  assert(warmest > 0 && !lists(engine, "\"gradient\""));
  lrcn_engine_destroy(engine);
}

static void test_image_step(void) {
  const lrcn_engine_options options = engine_options(LRCN_FIRST);
  lrcn_batch_shape shape = batch_shape();
  shape.targets_length = LENGTH + 1;
  const int32_t all_targets[ROWS * (LENGTH + 1)] = {2, 4, 5, 6, 3, 2, 7, 8, 3, -1, 2, 9, 10, 4, 3};
  lrcn_engine *engine = open_engine(&options);
  double result[3] = {-1, -1, -1};
  lrcn_train_options step = train_options();
  step.scheduled_sampling = 0.5;
  refused(train(engine, &shape, &step, all_targets, ROWS * (LENGTH + 1), result), LRCN_INVALID_ARGUMENT,
          "scheduled_sampling");
  step.scheduled_sampling = 0;
  assert(train(engine, &shape, &step, all_targets, ROWS * (LENGTH + 1), result) == LRCN_OK);
  assert(result[1] == ROWS * (LENGTH + 1) - 1);
  lrcn_engine_destroy(engine);
}

static void test_features(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  lrcn_engine *engine = open_engine(&options);
  const lrcn_batch_shape with_pixels = batch_shape();
  lrcn_batch_shape shape = with_pixels;
  shape.height = shape.width = 0;
  float features[IMAGES * FEATURE_SIZE];
  const int64_t length = IMAGES * FEATURE_SIZE;
  assert(lrcn_encode(engine, IMAGES, SIDE, SIDE, pixels, (int64_t)sizeof pixels, features, length, TEXT) == LRCN_OK);

  double of_pixels[2] = {0, 0}, of_features[2] = {0, 0};
  assert(evaluate(engine, &with_pixels, pixels, (int64_t)sizeof pixels, NULL, 0, of_pixels) == LRCN_OK);
  assert(evaluate(engine, &shape, NULL, 0, features, length, of_features) == LRCN_OK);
  assert(fabs(of_pixels[0] - of_features[0]) < 1e-5 && of_pixels[1] == of_features[1]);
  double logits[WORDS * VOCABULARY];
  assert(lrcn_logits(engine, &shape, NULL, 0, features, length, image_of_row, ROWS, inputs, WORDS, logits,
                     WORDS * VOCABULARY, TEXT) == LRCN_OK);
  refused(lrcn_logits(engine, &shape, NULL, 0, NULL, 0, image_of_row, ROWS, inputs, WORDS, logits, WORDS * VOCABULARY,
                      TEXT),
          LRCN_INVALID_ARGUMENT, "neither pixels nor features");

  double result[3] = {-1, -1, -1};
  lrcn_train_options step = train_options();
  for (step.trainable_from = 0; step.trainable_from < 5; ++step.trainable_from) {
    refused(train_on_features(engine, &shape, features, length, &step, result), LRCN_INVALID_ARGUMENT, "trainable_from");
  }
  refused(train_on_features(engine, &shape, NULL, 0, &step, result), LRCN_INVALID_ARGUMENT, "neither pixels nor");
  refused(train_on_features(engine, &shape, features, length - 1, &step, result), LRCN_INVALID_ARGUMENT,
          "features has 255 elements, not 256");
  refused(train_on_features(engine, &shape, NULL, length, &step, result), LRCN_INVALID_ARGUMENT, "features is NULL");
  refused(train_on_features(engine, &with_pixels, features, length, &step, result), LRCN_INVALID_ARGUMENT,
          "height is 32");
  refused(evaluate(engine, &shape, pixels, (int64_t)sizeof pixels, features, length, result), LRCN_INVALID_ARGUMENT,
          "both pixels and features");
  refused(evaluate(engine, &shape, NULL, 0, NULL, 0, result), LRCN_INVALID_ARGUMENT, "neither pixels nor features");
  for (int i = 0; i < 3; ++i) assert(result[i] == -1);
  assert(train_on_features(engine, &shape, features, length, &step, result) == LRCN_OK);
  assert(result[1] == WORDS - 1 && result[2] > 0);
  assert(lists(engine, "grad.linear.weight") && !lists(engine, "grad.resnet.conv1"));
  lrcn_engine_destroy(engine);
}

static void test_accumulation(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  const lrcn_batch_shape shape = batch_shape();
  lrcn_engine *engine = open_engine(&options);
  float before[VOCABULARY], once[VOCABULARY], twice[VOCABULARY], after[VOCABULARY];
  double result[3] = {-1, -1, -1};
  read_weights(engine, "linear.bias", before);

  lrcn_train_options part = train_options();
  part.batch_norm = LRCN_FROZEN;
  part.counted_tokens = 2 * (WORDS - 1);
  part.update = 0;
  assert(train(engine, &shape, &part, targets, WORDS, result) == LRCN_OK);
  assert(isfinite(result[0]) && result[1] == WORDS - 1 && result[2] == 0);
  read_weights(engine, "grad.linear.bias", once);
  read_weights(engine, "linear.bias", after);
  assert(memcmp(before, after, sizeof before) == 0);
  assert(train(engine, &shape, &part, targets, WORDS, result) == LRCN_OK);
  read_weights(engine, "grad.linear.bias", twice);
  for (int i = 0; i < VOCABULARY; ++i) assert(fabsf(twice[i] - 2 * once[i]) < 1e-6f);

  assert(lrcn_drop_gradients(engine, TEXT) == LRCN_OK && !lists(engine, "grad."));
  refused(lrcn_drop_gradients(NULL, TEXT), LRCN_INVALID_ARGUMENT, "engine is NULL");
  assert(train(engine, &shape, &part, targets, WORDS, result) == LRCN_OK);
  read_weights(engine, "grad.linear.bias", after);
  for (int i = 0; i < VOCABULARY; ++i) assert(fabsf(after[i] - once[i]) < 1e-6f);

  /* A refused call keeps accumulated gradients. */
  refused(train(engine, &shape, &part, targets, 3, result), LRCN_INVALID_ARGUMENT, "targets has 3");
  part.update = 1;
  part.max_gradient_norm = 0;
  assert(train(engine, &shape, &part, targets, WORDS, result) == LRCN_OK && result[2] > 0);
  read_weights(engine, "grad.linear.bias", after);
  for (int i = 0; i < VOCABULARY; ++i) assert(fabsf(after[i] - twice[i]) < 1e-6f);
  read_weights(engine, "linear.bias", after);
  assert(memcmp(before, after, sizeof before) != 0);

  /* The step has consumed them. */
  part.counted_tokens = 0;
  part.decoder_learning_rate = part.encoder_learning_rate = 0;
  double first_norm = 0;
  for (int i = 0; i < 2; ++i) {
    assert(train(engine, &shape, &part, targets, WORDS, result) == LRCN_OK);
    if (i == 0) first_norm = result[2];
  }
  assert(fabs(result[2] - first_norm) < 1e-6);
  lrcn_engine_destroy(engine);
}

static int32_t decode(lrcn_decoding *decoding, int32_t rows, const int32_t *parents, const int32_t *words,
                      int64_t words_length, int32_t k, int32_t *next_tokens, float *log_probabilities) {
  return lrcn_decode_step(decoding, rows, parents, rows, words, words_length, k, next_tokens, rows * K,
                          log_probabilities, rows * K, TEXT);
}

static void test_decoding(int32_t inject) {
  const lrcn_engine_options options = engine_options(inject);
  lrcn_engine *engine = open_engine(&options);
  int32_t size = 0;
  assert(lrcn_feature_size(engine, &size, TEXT) == LRCN_OK && size == FEATURE_SIZE);
  float features[IMAGES * FEATURE_SIZE];
  const int64_t length = IMAGES * FEATURE_SIZE, bytes = (int64_t)sizeof pixels;
  assert(lrcn_encode(engine, IMAGES, SIDE, SIDE, pixels, bytes, features, length, TEXT) == LRCN_OK);
  refused(lrcn_encode(engine, IMAGES, SIDE, SIDE, pixels, 5, features, length, TEXT), LRCN_INVALID_ARGUMENT,
          "pixels has 5");
  refused(lrcn_encode(engine, IMAGES, SIDE, SIDE, pixels, bytes, features, 3, TEXT), LRCN_INVALID_ARGUMENT,
          "features has 3");

  int32_t status = -1;
  assert(lrcn_decoding_create(engine, IMAGES, features, 1, &status, TEXT) == NULL);
  refused(status, LRCN_INVALID_ARGUMENT, "features has 1");
  lrcn_decoding *decoding = lrcn_decoding_create(engine, IMAGES, features, length, &status, TEXT);
  assert(decoding != NULL && status == LRCN_OK && lrcn_live_handles() == 2);
  lrcn_engine_destroy(engine); /* the decoding keeps the model alive */

  const int32_t images[IMAGES] = {0, 1};
  const int32_t start[IMAGES] = {2, 2};
  int32_t words[ROWS * K];
  float best[ROWS * K];
  if (inject == LRCN_FIRST) {
    refused(decode(decoding, IMAGES, images, start, IMAGES, K, words, best), LRCN_INVALID_ARGUMENT, "image's own step");
    assert(decode(decoding, IMAGES, images, NULL, 0, K, words, best) == LRCN_OK);
  }
  assert(decode(decoding, IMAGES, images, start, IMAGES, K, words, best) == LRCN_OK);
  for (int i = 0; i < IMAGES * K; ++i) {
    assert(words[i] >= 0 && words[i] < VOCABULARY && best[i] <= 0);
    assert(i % K == 0 || best[i] <= best[i - 1]);
  }
  const int32_t parents[ROWS] = {1, 1, 0};
  const int32_t given[ROWS] = {4, 5, 6};
  assert(decode(decoding, ROWS, parents, given, ROWS, K, words, best) == LRCN_OK);
  refused(decode(decoding, ROWS, given, given, ROWS, K, words, best), LRCN_INVALID_ARGUMENT, "parents is 4");
  refused(decode(decoding, ROWS, parents, NULL, 0, K, words, best), LRCN_INVALID_ARGUMENT, "tokens is NULL");
  refused(decode(decoding, ROWS, parents, given, ROWS, VOCABULARY + 1, words, best), LRCN_INVALID_ARGUMENT, "k is 12");
  refused(decode(NULL, ROWS, parents, given, ROWS, K, words, best), LRCN_INVALID_ARGUMENT, "decoding is NULL");
  lrcn_decoding_destroy(decoding);
  assert(lrcn_live_handles() == 0);
}

static void test_resize(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  lrcn_engine *engine = open_engine(&options);
  uint8_t cropped[16 * 16 * 3];
  memset(pixels, 200, sizeof pixels);
  assert(lrcn_resize_crop(engine, SIDE, 2 * SIDE, pixels, SIDE * 2 * SIDE * 3, 20, 0, 16, cropped,
                          sizeof cropped, TEXT) == LRCN_OK);
  for (size_t i = 0; i < sizeof cropped; ++i) assert(cropped[i] == 200);
  refused(lrcn_resize_crop(engine, SIDE, SIDE, pixels, SIDE * SIDE * 3, 15, 0, 16, cropped, sizeof cropped, TEXT),
          LRCN_INVALID_ARGUMENT, "crop is 16");
  refused(lrcn_resize_crop(engine, 1, 100, pixels, 300, 20, 0, 16, cropped, sizeof cropped, TEXT),
          LRCN_INVALID_ARGUMENT, "64 times");
  refused(lrcn_resize_crop(engine, SIDE, SIDE, pixels, SIDE * SIDE * 3, 20, 2, 16, cropped, sizeof cropped, TEXT),
          LRCN_INVALID_ARGUMENT, "stretch is 2");
  lrcn_engine_destroy(engine);
}

static void test_tensors(void) {
  const lrcn_engine_options options = engine_options(LRCN_EVERY);
  lrcn_engine *engine = open_engine(&options);
  assert(lists(engine, "{\"name\":\"linear.bias\",\"kind\":\"parameter\",\"dtype\":\"F32\",\"shape\":[11]}"));
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

/* A free port. */
static int32_t free_port(void) {
  struct sockaddr_in address = {0};
  socklen_t length = sizeof address;
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert(bind(descriptor, (const struct sockaddr *)&address, sizeof address) == 0);
  assert(getsockname(descriptor, (struct sockaddr *)&address, &length) == 0);
  close(descriptor);
  return ntohs(address.sin_port);
}

static lrcn_group_options group_options(int32_t rank, int32_t world_size, int32_t port) {
  lrcn_group_options options = {0};
  options.size = (int32_t)sizeof options;
  options.rank = rank;
  options.world_size = world_size;
  options.port = port;
  options.timeout = 60;
  strcpy(options.address, "127.0.0.1");
  strcpy(options.prefix, "test");
  return options;
}

static void group_refused(const lrcn_group_options *options, const char *words) {
  int32_t status = LRCN_OK;
  message[0] = '\0';
  assert(lrcn_group_create(options, &status, TEXT) == NULL);
  refused(status, LRCN_INVALID_ARGUMENT, words);
}

static void test_group_misuse(void) {
  double number = 1;
  int64_t length = 0;
  uint8_t byte = 1;
  group_refused(NULL, "options is NULL");
  lrcn_group_options options = group_options(0, 1, 1);
  options.size = 4;
  group_refused(&options, "size 4");
  const struct {
    int32_t rank, world_size, port, hosted, timeout;
    const char *words;
  } wrong[] = {
      {2, 2, 29500, 0, 60, "rank is 2"},          {-1, 2, 29500, 0, 60, "rank is -1"},
      {0, 0, 29500, 0, 60, "world_size is 0"},    {0, 1, 0, 0, 60, "port is 0"},
      {0, 1, 65536, 0, 60, "port is 65536"},      {0, 1, 29500, 2, 60, "hosted is 2"},
      {0, 1, 29500, 0, 0, "timeout is 0"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    options = group_options(wrong[i].rank, wrong[i].world_size, wrong[i].port);
    options.hosted = wrong[i].hosted;
    options.timeout = wrong[i].timeout;
    group_refused(&options, wrong[i].words);
  }
  options = group_options(0, 1, 29500);
  options.prefix[0] = '\0';
  group_refused(&options, "is empty");
  memset(options.address, 'a', sizeof options.address);
  group_refused(&options, "does not end with NUL");
  refused(lrcn_group_all_reduce(NULL, &number, 1, TEXT), LRCN_INVALID_ARGUMENT, "group is NULL");
  refused(lrcn_group_all_gather(NULL, &byte, 1, &length, 1, TEXT), LRCN_INVALID_ARGUMENT, "group is NULL");
  refused(lrcn_group_broadcast(NULL, &byte, 1, &length, TEXT), LRCN_INVALID_ARGUMENT, "group is NULL");
  refused(lrcn_group_gathered(NULL, &byte, 1, TEXT), LRCN_INVALID_ARGUMENT, "group is NULL");
  refused(lrcn_engine_join(NULL, NULL, TEXT), LRCN_INVALID_ARGUMENT, "group is NULL");
  lrcn_group_destroy(NULL);
}

enum { RANKS = 2 };

/* One rank of a group whose ranks are threads; it has its own message buffer. */
static void *run_rank(void *given) {
  const lrcn_group_options *options = given;
  char text[256];
  const int32_t capacity = (int32_t)sizeof text, rank = options->rank;
  int32_t status = LRCN_INTERNAL;
  lrcn_group *group = lrcn_group_create(options, &status, text, capacity);
  if (group == NULL) fprintf(stderr, "%s\n", text);
  assert(group != NULL && status == LRCN_OK);

  double numbers[2] = {1.5, rank};
  assert(lrcn_group_all_reduce(group, numbers, 2, text, capacity) == LRCN_OK);
  assert(numbers[0] == 3 && numbers[1] == 1);
  assert(lrcn_group_all_reduce(group, NULL, 2, text, capacity) == LRCN_INVALID_ARGUMENT);

  const uint8_t bytes[2] = {7, (uint8_t)rank};
  int64_t lengths[RANKS] = {-1, -1}, length = -1;
  uint8_t gathered[2] = {0};
  assert(lrcn_group_gathered(group, gathered, 1, text, capacity) == LRCN_INVALID_ARGUMENT);
  assert(lrcn_group_all_gather(group, bytes, 2, lengths, 1, text, capacity) == LRCN_INVALID_ARGUMENT);
  assert(lrcn_group_all_gather(group, NULL, 2, lengths, RANKS, text, capacity) == LRCN_INVALID_ARGUMENT);
  assert(lrcn_group_all_gather(group, rank == 0 ? NULL : bytes, rank, lengths, RANKS, text, capacity) == LRCN_OK);
  assert(lengths[0] == 0 && lengths[1] == 1);
  assert(lrcn_group_gathered(group, gathered, 2, text, capacity) == LRCN_INVALID_ARGUMENT);
  assert(lrcn_group_gathered(group, gathered, 1, text, capacity) == LRCN_OK && gathered[0] == 7);
  assert(lrcn_group_broadcast(group, bytes, 2, &length, text, capacity) == LRCN_OK && length == 2);
  assert(lrcn_group_gathered(group, gathered, 2, text, capacity) == LRCN_OK && gathered[1] == 0);

  const lrcn_engine_options model = engine_options(LRCN_EVERY);
  lrcn_engine *engine = lrcn_engine_create(&model, &status, text, capacity);
  assert(engine != NULL);
  assert(lrcn_engine_join(engine, NULL, text, capacity) == LRCN_INVALID_ARGUMENT);
  assert(lrcn_engine_join(engine, group, text, capacity) == LRCN_OK);
  /* The engine keeps the group alive. */
  lrcn_group_destroy(group);
  const lrcn_batch_shape shape = batch_shape();
  lrcn_train_options train = train_options();
  for (train.batch_norm = LRCN_FROZEN; train.batch_norm <= LRCN_SYNCHRONIZED; ++train.batch_norm) {
    double result[3] = {0};
    assert(lrcn_train_step(engine, &shape, pixels, sizeof pixels, NULL, 0, image_of_row, ROWS, inputs, WORDS, targets,
                           WORDS, NULL, 0, NULL, 0, &train, result, 3, text, capacity) == LRCN_OK);
    assert(result[0] > 0 && result[1] == 2 * (WORDS - 1) && isfinite(result[2]));
  }
  lrcn_engine_destroy(engine);
  return NULL;
}

static void test_group(void) {
  pthread_t threads[RANKS];
  lrcn_group_options options[RANKS];
  const int32_t port = free_port();
  for (int rank = 0; rank < RANKS; ++rank) {
    options[rank] = group_options(rank, RANKS, port);
    assert(pthread_create(&threads[rank], NULL, run_rank, &options[rank]) == 0);
  }
  for (int rank = 0; rank < RANKS; ++rank) assert(pthread_join(threads[rank], NULL) == 0);
}

/* One of two threads that use a group at once. */
static void *use_group(void *given) {
  lrcn_group *group = given;
  char text[256];
  const int32_t capacity = (int32_t)sizeof text;
  uint8_t bytes[64] = {1};
  for (int i = 0; i < 200; ++i) {
    int64_t length = -1;
    double number = i;
    assert(lrcn_group_all_gather(group, bytes, 64, &length, 1, text, capacity) == LRCN_OK && length == 64);
    assert(lrcn_group_broadcast(group, bytes, 64, &length, text, capacity) == LRCN_OK && length == 64);
    assert(lrcn_group_all_reduce(group, &number, 1, text, capacity) == LRCN_OK && number == i);
    /* The other thread may have taken them. */
    const int32_t status = lrcn_group_gathered(group, bytes, 64, text, capacity);
    assert(status == LRCN_OK || status == LRCN_INVALID_ARGUMENT);
  }
  return NULL;
}

static void test_group_of_threads(void) {
  pthread_t threads[2];
  const lrcn_group_options options = group_options(0, 1, free_port());
  int32_t status = -1;
  lrcn_group *group = lrcn_group_create(&options, &status, TEXT);
  assert(group != NULL && status == LRCN_OK);
  for (int i = 0; i < 2; ++i) assert(pthread_create(&threads[i], NULL, use_group, group) == 0);
  for (int i = 0; i < 2; ++i) assert(pthread_join(threads[i], NULL) == 0);
  lrcn_group_destroy(group);
}

int main(void) {
  for (size_t i = 0; i < sizeof pixels; ++i) pixels[i] = (uint8_t)(i * 37 % 251);
  test_library();
  test_creation();
  test_training();
  test_queued_steps();
  test_train_options();
  test_crops();
  test_row_weights_and_scores();
  test_explanations(LRCN_EVERY);
  test_explanations(LRCN_FIRST);
  test_image_step();
  test_features();
  test_accumulation();
  test_decoding(LRCN_EVERY);
  test_decoding(LRCN_FIRST);
  test_resize();
  test_tensors();
  test_group_misuse();
  if (!on_gpu()) { /* as one GPU has no two ranks */
    test_group();
    test_group_of_threads();
  }
  assert(lrcn_live_handles() == 0);
  puts("abi_test: ok");
  return 0;
}
