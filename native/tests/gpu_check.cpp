// Checks a device against the CPU, and measures it; gpu_check.sh runs this.
//
//   gpu_check numbers DEVICE SIDE IMAGES    three steps in each precision beside the CPU's, and the cosine of each gradient
//   gpu_check speed DEVICE PRECISION IMAGES STEPS
//   gpu_check memory DEVICE IMAGES STEPS    fails if memory grows by 1% after a tenth of the steps
//
// DEVICE is cuda or cpu. The model is ResNet-50 with one LSTM layer, the batch has five captions of 13 tokens an image.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lrcn.h"

namespace {

constexpr int32_t kVocabulary = 3000, kCaptions = 5, kLength = 13;

char message[1024];

void check(int32_t status, const char* what) {
  if (status == LRCN_OK) return;
  std::fprintf(stderr, "%s: %s\n", what, message);
  std::exit(1);
}

int32_t device_of(const char* name) { return std::strcmp(name, "cuda") == 0 ? LRCN_CUDA : LRCN_CPU; }

class Engine {
 public:
  Engine(int32_t device, int32_t precision) {
    lrcn_engine_options options{};
    options.size = sizeof options;
    options.device = device;
    options.precision = precision;
    options.vocabulary_size = kVocabulary;
    options.embed_size = options.hidden_size = 512;
    options.fusion_layers = 1;
    options.inject = LRCN_EVERY;
    options.encoder = LRCN_RESNET_BOTTLENECK;
    options.encoder_width = 64;
    for (int stage = 0; stage < 4; ++stage) options.encoder_blocks[stage] = std::array{3, 4, 6, 3}[stage];
    options.seed = 7;
    int32_t status = LRCN_INTERNAL;
    engine_ = lrcn_engine_create(&options, &status, message, sizeof message);
    check(status, "create");
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() { lrcn_engine_destroy(engine_); }

  /// Queues a step.
  void step(int32_t images, int32_t side, int32_t batch_norm = LRCN_BATCH) {
    const int32_t rows = images * kCaptions;
    const auto length = static_cast<size_t>(rows) * kLength;
    if (pixels_.size() != static_cast<size_t>(images) * side * side * 3) {
      uint32_t state = 1;
      const auto number = [&](uint32_t below) { return ((state = state * 1664525 + 1013904223) >> 8) % below; };
      pixels_.resize(static_cast<size_t>(images) * side * side * 3);
      // Images of different colors, with noise: BatchNorm would turn images that are alike into rounding errors.
      for (size_t i = 0; i < pixels_.size(); ++i) {
        const auto image = i / (static_cast<size_t>(side) * side * 3);
        pixels_[i] = static_cast<uint8_t>((image * 67 + i % 3 * 83 * (image + 1)) % 192 + number(64));
      }
      image_of_row_.clear();
      for (int32_t row = 0; row < rows; ++row) image_of_row_.push_back(row / kCaptions);
      inputs_.clear();
      for (size_t i = 0; i <= length; ++i) inputs_.push_back(static_cast<int32_t>(number(kVocabulary)));
      targets_.assign(inputs_.begin() + 1, inputs_.end());
      inputs_.pop_back();
    }
    const lrcn_batch_shape shape{sizeof shape, images, side, side, rows, kLength, kLength, 0};
    lrcn_train_options options{};
    options.size = sizeof options;
    options.optimizer = LRCN_ADAMW;
    options.batch_norm = batch_norm;
    options.update = 1;
    options.encoder_learning_rate = options.decoder_learning_rate = 1e-4;
    options.max_gradient_norm = 5;
    const auto size = [](const auto& values) { return static_cast<int64_t>(values.size()); };
    check(lrcn_train_step(engine_, &shape, pixels_.data(), size(pixels_), nullptr, 0, image_of_row_.data(),
                          size(image_of_row_), inputs_.data(), size(inputs_), targets_.data(), size(targets_), nullptr, 0,
                          nullptr, 0, &options, nullptr, 0, message, sizeof message),
          "train");
  }

  /// Loss, tokens and gradient norm of each queued step; waits for them.
  std::vector<double> results(size_t steps) {
    std::vector<double> values(3 * steps);
    int64_t count = 0;
    check(lrcn_step_results(engine_, values.data(), static_cast<int64_t>(values.size()), &count, message, sizeof message),
          "results");
    return values;
  }

  std::map<std::string, std::vector<float>> gradients() {
    int64_t length = 0;
    check(lrcn_tensors(engine_, nullptr, 0, &length, message, sizeof message), "tensors");
    std::string list(static_cast<size_t>(length), '\0');
    check(lrcn_tensors(engine_, list.data(), length, &length, message, sizeof message), "tensors");
    std::map<std::string, std::vector<float>> gradients;
    const std::string name_key = "\"name\":\"grad.", shape_key = "\"shape\":[";
    for (size_t at = list.find(name_key); at != std::string::npos; at = list.find(name_key, at + 1)) {
      const auto first = at + name_key.size() - std::strlen("grad.");
      const auto name = list.substr(first, list.find('"', first) - first);
      size_t elements = 1;
      for (const char* text = list.c_str() + list.find(shape_key, at) + shape_key.size(); *text != ']';) {
        char* end = nullptr;
        elements *= std::strtoul(text, &end, 10);
        text = *end == ',' ? end + 1 : end;
      }
      auto& values = gradients[name];
      values.resize(elements);
      check(lrcn_tensor_read(engine_, name.c_str(), reinterpret_cast<uint8_t*>(values.data()),
                             static_cast<int64_t>(elements * sizeof(float)), message, sizeof message),
            name.c_str());
    }
    return gradients;
  }

  int64_t bytes_held() {
    int64_t bytes[3];
    check(lrcn_memory(engine_, bytes, 3, message, sizeof message), "memory");
    return bytes[2];
  }

 private:
  lrcn_engine* engine_ = nullptr;
  std::vector<uint8_t> pixels_;
  std::vector<int32_t> image_of_row_, inputs_, targets_;
};

constexpr std::pair<const char*, int32_t> kPrecisions[] = {
    {"fp32-strict", LRCN_FP32_STRICT}, {"fp32", LRCN_FP32}, {"bf16", LRCN_BF16}};

int32_t precision_of(const char* name) {
  for (const auto& [known, value] : kPrecisions) {
    if (std::strcmp(known, name) == 0) return value;
  }
  std::fprintf(stderr, "no precision is named '%s'\n", name);
  std::exit(2);
}

double cosine(const std::vector<float>& one, const std::vector<float>& other) {
  double product = 0, of_one = 0, of_other = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    product += static_cast<double>(one[i]) * other[i];
    of_one += static_cast<double>(one[i]) * one[i];
    of_other += static_cast<double>(other[i]) * other[i];
  }
  return product / std::sqrt(of_one * of_other);
}

/// Three steps: their losses and norms, and the gradients of the first. Batch statistics of a few images in an untrained
/// network would amplify roundings beyond comparison.
struct Run {
  std::vector<double> results;
  std::map<std::string, std::vector<float>> gradients;

  Run(int32_t device, int32_t precision, int32_t images, int32_t side) {
    Engine engine(device, precision);
    for (int step = 0; step < 3; ++step) {
      engine.step(images, side, LRCN_FROZEN);
      const auto values = engine.results(1);
      results.insert(results.end(), values.begin(), values.end());
      if (step == 0) gradients = engine.gradients();
    }
  }
};

int compare(const char* device, int32_t side, int32_t images) {
  const Run cpu(LRCN_CPU, LRCN_FP32, images, side);
  // Of all gradients together, and of the decoder's, which no BatchNorm amplifies.
  const std::map<std::string, std::pair<double, double>> bounds{
      {"fp32-strict", {0.9999, 0.9999}}, {"fp32", {0.99, 0.999}}, {"bf16", {0.98, 0.98}}};
  std::map<std::string, std::string> rows;
  int failures = 0;
  std::printf("| | loss, norm of step 1 | step 2 | step 3 | cosine of all gradients |\n| --- | --- | --- | --- | ---: |\n");
  const auto print = [](const char* name, const Run& run, double all) {
    std::printf("| %s |", name);
    for (size_t step = 0; step < 3; ++step) std::printf(" %.5f, %.4f |", run.results[3 * step], run.results[3 * step + 2]);
    std::printf(" %.5f |\n", all);
  };
  print("cpu fp32", cpu, 1);
  for (const auto& [name, precision] : kPrecisions) {
    const Run run(device_of(device), precision, images, side);
    std::vector<float> ours, theirs;
    for (const auto& [tensor, values] : cpu.gradients) {
      const auto& other = run.gradients.at(tensor);
      const double agreement = cosine(values, other);
      char text[32];
      std::snprintf(text, sizeof text, " %.5f |", agreement);
      rows[tensor] += text;
      const bool decoder = tensor.find(".resnet.") == std::string::npos;
      if (decoder && !(agreement >= bounds.at(name).second)) {
        ++failures;
        std::printf("%s differs: %s has cosine %.5f\n", name, tensor.c_str(), agreement);
      }
      ours.insert(ours.end(), values.begin(), values.end());
      theirs.insert(theirs.end(), other.begin(), other.end());
    }
    const double all = cosine(ours, theirs);
    print((std::string(device) + " " + name).c_str(), run, all);
    if (!(all >= bounds.at(name).first) || !(std::fabs(run.results[0] / cpu.results[0] - 1) < 0.02)) {
      ++failures;
      std::printf("%s differs\n", name);
    }
  }
  std::printf("\n| cosine of a gradient with the CPU's |");
  for (const auto& [name, _] : kPrecisions) std::printf(" %s |", name);
  std::printf("\n| --- | ---: | ---: | ---: |\n");
  for (const auto& [tensor, row] : rows) std::printf("| %s |%s\n", tensor.c_str(), row.c_str());
  return failures == 0 ? 0 : 1;
}

/// Seconds of steps whose results are read ten at a time.
double run_steps(Engine& engine, int32_t images, int32_t side, int steps) {
  const auto start = std::chrono::steady_clock::now();
  for (int done = 0; done < steps;) {
    const int some = std::min(10, steps - done);
    for (int i = 0; i < some; ++i) engine.step(images, side);
    engine.results(static_cast<size_t>(some));
    done += some;
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int measure_speed(const char* device, const char* precision, int32_t images, int steps) {
  Engine engine(device_of(device), precision_of(precision));
  run_steps(engine, images, 224, std::min(steps, 5));
  const double seconds = run_steps(engine, images, 224, steps);
  std::printf("%.3f\n", steps / seconds);
  return 0;
}

int check_memory(const char* device, int32_t images, int steps) {
  Engine engine(device_of(device), LRCN_BF16);
  run_steps(engine, images, 224, std::max(steps / 10, 2));
  const auto before = engine.bytes_held();
  run_steps(engine, images, 224, steps);
  const auto after = engine.bytes_held();
  std::printf("%.1f MiB after %d steps, %.1f MiB after %d more\n", static_cast<double>(before) / (1 << 20),
              std::max(steps / 10, 2), static_cast<double>(after) / (1 << 20), steps);
  return static_cast<double>(after) > 1.01 * static_cast<double>(before) ? 1 : 0;
}

}  // namespace

int main(int count, char** words) {
  const std::string mode = count > 1 ? words[1] : "";
  if (mode == "numbers" && count == 5) return compare(words[2], std::atoi(words[3]), std::atoi(words[4]));
  if (mode == "speed" && count == 6) return measure_speed(words[2], words[3], std::atoi(words[4]), std::atoi(words[5]));
  if (mode == "memory" && count == 5) return check_memory(words[2], std::atoi(words[3]), std::atoi(words[4]));
  std::fprintf(stderr, "usage: gpu_check numbers|speed|memory ...\n");
  return 2;
}
