#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "captioner.hpp"
#include "decoder.hpp"
#include "executor.hpp"
#include "lrcn.h"
#include "parameters.hpp"
#include "precision.hpp"
#include "trainer.hpp"

namespace lrcn {

/// The model with its trainer and its thread. Everything but run() must run on that thread.
class Engine {
 public:
  explicit Engine(const lrcn_engine_options& options);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  /// Runs the task on the engine's thread, with the model.
  template <class Task>
  void run(Task&& task) {
    executor_.run([&] { task(*model_); });
  }

  struct Model {
    explicit Model(const lrcn_engine_options& options);

    at::Tensor encode(const at::Tensor& pixels);  // float32 [n, feature size], on the CPU
    std::unique_ptr<Decoder> decode(const at::Tensor& features);
    std::string list_tensors();
    at::Tensor read(const std::string& name);  // on the CPU, contiguous
    void write(const std::string& name, const uint8_t* bytes, int64_t length);
    std::array<int64_t, 3> memory() const;

    at::Device device;
    TensorFloat32 float32;
    bool autocast;
    Parameters parameters;
    at::Generator training_generator;
    Captioner captioner;
    Trainer trainer;

   private:
    struct Entry {
      std::string name, kind;
      at::Tensor tensor;
    };
    std::vector<Entry> entries();
    at::Tensor find(const std::string& name);  // throws if there is none
  };

 private:
  std::unique_ptr<Model> model_;
  Executor executor_;
};

}  // namespace lrcn
