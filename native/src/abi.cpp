// The exports of lrcn.h and lrcn_test.h: each checks its arguments, runs on the engine's thread, and copies the result out.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "arguments.hpp"
#include "engine.hpp"
#include "guard.hpp"
#include "image.hpp"
#include "lrcn.h"
#include "lrcn_test.h"
#include "precision.hpp"

static_assert(TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 11 && TORCH_VERSION_MINOR <= 13,
              "lrcn needs libtorch 2.11 to 2.13");

#ifndef LRCN_COMMIT
#define LRCN_COMMIT "unknown"
#endif

using namespace lrcn;

namespace {

std::atomic<int64_t> live_handles = 0;

/// Counts a handle during its lifetime.
struct LiveHandle {
  LiveHandle() { ++live_handles; }
  LiveHandle(const LiveHandle&) = delete;
  LiveHandle& operator=(const LiveHandle&) = delete;
  ~LiveHandle() { --live_handles; }
};

}  // namespace

struct lrcn_engine {
  explicit lrcn_engine(const lrcn_engine_options& options) : engine(std::make_shared<Engine>(options)) {}
  std::shared_ptr<Engine> engine;
  LiveHandle live;
};

struct lrcn_group {
  explicit lrcn_group(const lrcn_group_options& options) : group(std::make_shared<Group>(options)) {}
  std::shared_ptr<Group> group;
  std::mutex mutex;  // collectives run one after the other
  at::Tensor gathered;
  LiveHandle live;
};

struct lrcn_decoding {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<Decoder> decoder;
  LiveHandle live;
};

namespace {

/// The caller's share: a handle that is destroyed meanwhile does not end the call.
std::shared_ptr<Engine> engine_of(lrcn_engine* engine) {
  require(engine != nullptr, "engine is NULL");
  return engine->engine;
}

lrcn_group& group_of(lrcn_group* group) {
  require(group != nullptr, "group is NULL");
  return *group;
}

std::string version_text(uint64_t abi_version) {
  return std::to_string(abi_version >> 56 & 0xFF) + "." + std::to_string(abi_version >> 48 & 0xFF) + "." +
         std::to_string(abi_version >> 40 & 0xFF);
}

void fill_step(double* result, const StepResult& step) {
  result[0] = step.loss;
  result[1] = static_cast<double>(step.counted);
  result[2] = step.gradient_norm;
}

void require_loaded_libtorch() {
  const std::string loaded = version_text(aoti_torch_abi_version()), compiled = version_text(TORCH_ABI_VERSION);
  if (loaded != compiled) {
    throw Error(LRCN_INTERNAL, "the library was built for libtorch " + compiled + " and found " + loaded);
  }
}

}  // namespace

extern "C" {

uint32_t lrcn_abi_version(void) { return LRCN_ABI_VERSION; }

int32_t lrcn_build_info(char* text, int32_t capacity, int32_t* length, char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require(length != nullptr, "length is NULL");
    const auto& hooks = at::detail::getCUDAHooks();
    const bool cuda = hooks.hasCUDA();
    const int devices = cuda ? hooks.deviceCount() : 0;
    const auto boolean = [](bool value) { return value ? "true" : "false"; };
    const std::string json = "{\"abi\":" + std::to_string(LRCN_ABI_VERSION) + ",\"torch\":\"" +
                             version_text(TORCH_ABI_VERSION) + "\",\"torchLoaded\":\"" +
                             version_text(aoti_torch_abi_version()) + "\",\"cuda\":" + boolean(cuda) +
                             ",\"cudaDevices\":" +
                             std::to_string(devices) + ",\"cudaBf16\":" +
                             boolean(devices > 0 && hooks.supportsBFloat16ConvolutionWithCuDNNv8()) + ",\"bf16\":" +
                             boolean(__builtin_cpu_supports("avx512bf16") != 0) + ",\"compiler\":\"" __VERSION__
                             "\",\"commit\":\"" LRCN_COMMIT "\"}";
    int64_t needed = 0;
    fill_text(text, capacity, &needed, json);
    *length = static_cast<int32_t>(needed);
  });
}

int64_t lrcn_live_handles(void) { return live_handles.load(); }

lrcn_engine* lrcn_engine_create(const lrcn_engine_options* options, int32_t* status, char* message,
                                int32_t message_capacity) {
  std::unique_ptr<lrcn_engine> engine;
  const int32_t code = guard(message, message_capacity, [&] {
    check(options);
    require_loaded_libtorch();
    engine = std::make_unique<lrcn_engine>(*options);
  });
  if (status != nullptr) *status = code;
  return engine.release();
}

void lrcn_engine_destroy(lrcn_engine* engine) {
  guard(nullptr, 0, [&] { const std::unique_ptr<lrcn_engine> owned(engine); });
}

int32_t lrcn_memory(lrcn_engine* engine, int64_t* bytes, int32_t length, char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require_buffer("bytes", bytes, length, 3);
    engine_of(engine)->run([&](auto& model) {
      const auto memory = model.memory();
      std::copy(memory.begin(), memory.end(), bytes);
    });
  });
}

int32_t lrcn_threads(lrcn_engine* engine, int32_t* threads, char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require(threads != nullptr, "threads is NULL");
    engine_of(engine)->run([&](auto&) { *threads = at::get_num_threads(); });
  });
}

lrcn_group* lrcn_group_create(const lrcn_group_options* options, int32_t* status, char* message,
                              int32_t message_capacity) {
  std::unique_ptr<lrcn_group> group;
  const int32_t code = guard(message, message_capacity, [&] {
    check(options);
    require_loaded_libtorch();
    group = std::make_unique<lrcn_group>(*options);
  });
  if (status != nullptr) *status = code;
  return group.release();
}

void lrcn_group_destroy(lrcn_group* group) {
  guard(nullptr, 0, [&] { const std::unique_ptr<lrcn_group> owned(group); });
}

int32_t lrcn_group_all_reduce(lrcn_group* group, double* values, int64_t length, char* message,
                              int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    auto& handle = group_of(group);
    require_buffer("values", values, length, std::max<int64_t>(length, 1));
    const auto sums = borrow(values, {length}).clone();
    const std::lock_guard lock(handle.mutex);
    handle.group->all_reduce(sums);
    fill(values, sums);
  });
}

int32_t lrcn_group_all_gather(lrcn_group* group, const uint8_t* bytes, int64_t bytes_length, int64_t* lengths,
                              int32_t world_size, char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    auto& handle = group_of(group);
    const auto own = borrow_bytes(bytes, bytes_length);
    require_buffer("lengths", lengths, world_size, handle.group->size());
    const std::lock_guard lock(handle.mutex);
    const auto parts = handle.group->all_gather(own);
    handle.gathered = at::cat(parts);
    for (size_t rank = 0; rank < parts.size(); ++rank) lengths[rank] = parts[rank].numel();
  });
}

int32_t lrcn_group_broadcast(lrcn_group* group, const uint8_t* bytes, int64_t bytes_length, int64_t* length,
                             char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    auto& handle = group_of(group);
    const auto own = borrow_bytes(bytes, bytes_length);
    require(length != nullptr, "length is NULL");
    const std::lock_guard lock(handle.mutex);
    handle.gathered = handle.group->broadcast(own.clone());
    *length = handle.gathered.numel();
  });
}

int32_t lrcn_group_gathered(lrcn_group* group, uint8_t* bytes, int64_t bytes_length, char* message,
                            int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    auto& handle = group_of(group);
    const std::lock_guard lock(handle.mutex);
    auto& gathered = handle.gathered;
    require(gathered.defined(), "nothing has been gathered");
    if (gathered.numel() > 0 || bytes_length != 0) {
      require_buffer("bytes", bytes, bytes_length, gathered.numel());
      fill(bytes, gathered);
    }
    gathered.reset();
  });
}

int32_t lrcn_engine_join(lrcn_engine* engine, lrcn_group* group, char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    const auto ranks = group_of(group).group;
    engine_of(engine)->run([&](auto& model) { model.trainer.join(ranks); });
  });
}

int32_t lrcn_train_step(lrcn_engine* engine, const lrcn_batch_shape* shape, const uint8_t* pixels,
                        int64_t pixels_length, const float* features, int64_t features_length,
                        const int32_t* image_of_row, int64_t image_of_row_length, const int32_t* inputs,
                        int64_t inputs_length, const int32_t* targets, int64_t targets_length, const int32_t* crops,
                        int64_t crops_length, const float* row_weights, int64_t row_weights_length,
                        const lrcn_train_options* options, double* result, int32_t result_length, char* message,
                        int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require_struct("shape", shape);
    check(options);
    const bool queued = result == nullptr && result_length == 0;
    if (!queued) require_buffer("result", result, result_length, 3);
    engine_of(engine)->run([&](auto& model) {
      auto batch = borrow_batch(
          model.captioner,
          {shape, pixels, pixels_length, features, features_length, image_of_row, image_of_row_length, inputs,
           inputs_length},
          targets, targets_length);
      borrow_crops(batch, *shape, crops, crops_length);
      borrow_row_weights(batch, row_weights, row_weights_length);
      check(*options, model.captioner.encoder(), batch);
      if (queued) return model.trainer.queue(batch, *options);
      fill_step(result, model.trainer.train(batch, *options));
    });
  });
}

int32_t lrcn_step_results(lrcn_engine* engine, double* results, int64_t capacity, int64_t* steps, char* message,
                          int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require(results != nullptr, "results is NULL");
    require(steps != nullptr, "steps is NULL");
    engine_of(engine)->run([&](auto& model) {
      const auto queued = static_cast<int64_t>(model.trainer.queued());
      require(capacity >= 3 * queued, "results holds " + std::to_string(capacity) + " numbers, not " +
                                          std::to_string(3 * queued));
      for (const auto& step : model.trainer.results()) {
        fill_step(results, step);
        results += 3;
      }
      *steps = queued;
    });
  });
}

int32_t lrcn_drop_gradients(lrcn_engine* engine, char* message, int32_t message_capacity) {
  return guard(message, message_capacity,
               [&] { engine_of(engine)->run([](auto& model) { model.trainer.drop_gradients(); }); });
}

int32_t lrcn_evaluate_step(lrcn_engine* engine, const lrcn_batch_shape* shape, const uint8_t* pixels,
                           int64_t pixels_length, const float* features, int64_t features_length,
                           const int32_t* image_of_row, int64_t image_of_row_length, const int32_t* inputs,
                           int64_t inputs_length, const int32_t* targets, int64_t targets_length, double* result,
                           int32_t result_length, char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require_struct("shape", shape);
    require_no_crop(*shape);
    require_buffer("result", result, result_length, 2);
    engine_of(engine)->run([&](auto& model) {
      const auto batch = borrow_batch(
          model.captioner,
          {shape, pixels, pixels_length, features, features_length, image_of_row, image_of_row_length, inputs,
           inputs_length},
          targets, targets_length);
      const auto step = model.trainer.evaluate(batch);
      result[0] = step.loss;
      result[1] = static_cast<double>(step.counted);
    });
  });
}

int32_t lrcn_score(lrcn_engine* engine, const lrcn_batch_shape* shape, const uint8_t* pixels, int64_t pixels_length,
                   const float* features, int64_t features_length, const int32_t* image_of_row,
                   int64_t image_of_row_length, const int32_t* inputs, int64_t inputs_length, const int32_t* targets,
                   int64_t targets_length, double* log_probabilities, int64_t length, char* message,
                   int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require_struct("shape", shape);
    require_no_crop(*shape);
    require_buffer("log_probabilities", log_probabilities, length, shape->rows);
    engine_of(engine)->run([&](auto& model) {
      const auto batch = borrow_batch(
          model.captioner,
          {shape, pixels, pixels_length, features, features_length, image_of_row, image_of_row_length, inputs,
           inputs_length},
          targets, targets_length);
      fill(log_probabilities, model.trainer.score(batch));
    });
  });
}

int32_t lrcn_explain(lrcn_engine* engine, const lrcn_batch_shape* shape, const uint8_t* pixels, int64_t pixels_length,
                     const int32_t* inputs, int64_t inputs_length, const int32_t* targets, int64_t targets_length,
                     double* probabilities, int64_t probabilities_length, double* heat, int64_t heat_length,
                     char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require_struct("shape", shape);
    require_no_crop(*shape);
    require_range("images", shape->images, 1, 1);
    require_range("rows", shape->rows, 1, 1);
    require(pixels != nullptr, "pixels is NULL");
    engine_of(engine)->run([&](auto& model) {
      constexpr int32_t kImageOfRow[] = {0};
      const auto batch = borrow_batch(
          model.captioner, {shape, pixels, pixels_length, nullptr, 0, kImageOfRow, 1, inputs, inputs_length}, targets,
          targets_length);
      const auto places = [](int32_t side) { return (int64_t{side} + 31) / 32; };
      require_buffer("probabilities", probabilities, probabilities_length, shape->targets_length);
      require_buffer("heat", heat, heat_length,
                     shape->targets_length * places(shape->height) * places(shape->width));
      const auto explanation = model.trainer.explain(batch);
      fill_both(probabilities, explanation.probabilities, heat, explanation.heat);
    });
  });
}

int32_t lrcn_logits(lrcn_engine* engine, const lrcn_batch_shape* shape, const uint8_t* pixels, int64_t pixels_length,
                    const float* features, int64_t features_length, const int32_t* image_of_row,
                    int64_t image_of_row_length, const int32_t* inputs, int64_t inputs_length, double* logits,
                    int64_t logits_length, char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require_struct("shape", shape);
    require_no_crop(*shape);
    engine_of(engine)->run([&](auto& model) {
      const auto batch = borrow_batch(model.captioner, {shape, pixels, pixels_length, features, features_length,
                                                        image_of_row, image_of_row_length, inputs, inputs_length});
      require_buffer("logits", logits, logits_length,
                     int64_t{shape->rows} * shape->targets_length * model.captioner.vocabulary_size());
      fill(logits, model.trainer.logits(batch));
    });
  });
}

int32_t lrcn_feature_size(lrcn_engine* engine, int32_t* size, char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require(size != nullptr, "size is NULL");
    engine_of(engine)->run(
        [&](auto& model) { *size = static_cast<int32_t>(model.captioner.encoder().feature_size()); });
  });
}

int32_t lrcn_encode(lrcn_engine* engine, int32_t images, int32_t height, int32_t width, const uint8_t* pixels,
                    int64_t pixels_length, float* features, int64_t features_length, char* message,
                    int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    const auto borrowed = borrow_pixels(images, height, width, pixels, pixels_length);
    engine_of(engine)->run([&](auto& model) {
      require_buffer("features", features, features_length, images * model.captioner.encoder().feature_size());
      fill(features, model.encode(borrowed));
    });
  });
}

lrcn_decoding* lrcn_decoding_create(lrcn_engine* engine, int32_t images, const float* features,
                                    int64_t features_length, int32_t* status, char* message,
                                    int32_t message_capacity) {
  std::unique_ptr<lrcn_decoding> decoding;
  const int32_t code = guard(message, message_capacity, [&] {
    require_range("images", images, 1, kMaxCount);
    engine_of(engine)->run([&](auto& model) {
      const at::NoGradGuard no_grad;
      const int64_t size = model.captioner.encoder().feature_size();
      require_buffer("features", features, features_length, images * size);
      auto decoder = model.decode(borrow(features, {images, size}));
      decoding = std::make_unique<lrcn_decoding>();
      decoding->engine = engine->engine;
      decoding->decoder = std::move(decoder);
    });
  });
  if (status != nullptr) *status = code;
  return decoding.release();
}

void lrcn_decoding_destroy(lrcn_decoding* decoding) {
  guard(nullptr, 0, [&] {
    const std::unique_ptr<lrcn_decoding> owned(decoding);
    if (owned) owned->engine->run([&](auto&) { owned->decoder.reset(); });
  });
}

int32_t lrcn_decode_step(lrcn_decoding* decoding, int32_t rows, const int32_t* parents, int64_t parents_length,
                         const int32_t* tokens, int64_t tokens_length, int32_t k, int32_t* next_tokens,
                         int64_t next_tokens_length, float* log_probabilities, int64_t log_probabilities_length,
                         char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require(decoding != nullptr, "decoding is NULL");
    require_range("rows", rows, 1, kMaxCount);
    decoding->engine->run([&](auto& model) {
      const at::NoGradGuard no_grad;
      const Autocast autocast(model.device.type(), model.autocast);
      auto& decoder = *decoding->decoder;
      const int64_t vocabulary = model.captioner.vocabulary_size();
      require_range("k", k, 1, vocabulary);
      require_buffer("next_tokens", next_tokens, next_tokens_length, int64_t{rows} * k);
      require_buffer("log_probabilities", log_probabilities, log_probabilities_length, int64_t{rows} * k);
      std::vector<at::Tensor> given{borrow_indices("parents", parents, parents_length, {rows}, 0, decoder.rows() - 1)};
      if (decoder.expects_image()) {
        require(tokens == nullptr && tokens_length == 0, "tokens is given at the image's own step");
      } else {
        given.push_back(borrow_indices("tokens", tokens, tokens_length, {rows}, 0, vocabulary - 1));
      }
      const auto there = at::stack(given).to(model.device);
      auto step = decoder.step(there[0], given.size() > 1 ? there[1] : at::Tensor(), k);
      fill_both(next_tokens, step.tokens, log_probabilities, step.log_probabilities);
      decoder.advance(std::move(step));
    });
  });
}

int32_t lrcn_resize_crop(lrcn_engine* engine, int32_t height, int32_t width, const uint8_t* pixels,
                         int64_t pixels_length, int32_t short_side, int32_t stretch, int32_t crop, uint8_t* cropped,
                         int64_t cropped_length, char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    const auto image = borrow_pixels(1, height, width, pixels, pixels_length).squeeze(0);
    require_range("short_side", short_side, 1, kMaxSide);
    require_range("stretch", stretch, 0, 1);
    require_range("crop", crop, 1, short_side);
    require_buffer("cropped", cropped, cropped_length, int64_t{3} * crop * crop);
    engine_of(engine)->run([&](auto&) { fill(cropped, resize_crop(image, short_side, stretch != 0, crop)); });
  });
}

int32_t lrcn_tensors(lrcn_engine* engine, char* text, int64_t capacity, int64_t* length, char* message,
                     int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    engine_of(engine)->run([&](auto& model) { fill_text(text, capacity, length, model.list_tensors()); });
  });
}

int32_t lrcn_tensor_read(lrcn_engine* engine, const char* name, uint8_t* bytes, int64_t bytes_length, char* message,
                         int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require(name != nullptr, "name is NULL");
    engine_of(engine)->run([&](auto& model) {
      const auto tensor = model.read(name);
      require_buffer("bytes", bytes, bytes_length, static_cast<int64_t>(tensor.nbytes()));
      std::memcpy(bytes, tensor.const_data_ptr(), tensor.nbytes());
    });
  });
}

int32_t lrcn_tensor_write(lrcn_engine* engine, const char* name, const uint8_t* bytes, int64_t bytes_length,
                          char* message, int32_t message_capacity) {
  return guard(message, message_capacity, [&] {
    require(name != nullptr, "name is NULL");
    require(bytes != nullptr, "bytes is NULL");
    engine_of(engine)->run([&](auto& model) { model.write(name, bytes, bytes_length); });
  });
}

}  // extern "C"
