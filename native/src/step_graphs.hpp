#pragma once

#include <ATen/ATen.h>
#include <c10/core/Allocator.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "staging.hpp"

namespace lrcn {

/// Captures training steps as CUDA graphs: one launch instead of thousands. A graph holds for one shape of batch and
/// one set of options, and computes on fixed tensors.
///
/// Capturing needs libtorch 2.13 or newer. If it is not possible, and for shapes beyond the first few, steps run
/// without graphs, with the same numbers.
class StepGraphs {
 public:
  /// The gradients after a step, one for each parameter, undefined if the parameter is frozen.
  struct Gradients {
    std::function<std::vector<at::Tensor>()> get;
    std::function<void(const std::vector<at::Tensor>&)> set;
  };
  /// Maps a batch and learning rates, float32 [2], to numbers, all on the device and without synchronizing.
  using Step = std::function<at::Tensor(const StagedBatch&, const at::Tensor& learning_rates)>;

  StepGraphs(at::Device device, Gradients gradients);
  ~StepGraphs();
  StepGraphs(const StepGraphs&) = delete;
  StepGraphs& operator=(const StepGraphs&) = delete;

  static bool available();

  /// Runs a step; `settings` identifies everything that is not in the tensors.
  at::Tensor run(const std::string& settings, StagedBatch batch, const at::Tensor& learning_rates, const Step& step);

 private:
  struct Recording;
  void record(Recording& recording, const StagedBatch& batch, const at::Tensor& learning_rates, const Step& step);

  at::Device device_;
  Gradients gradients_;
  std::map<std::string, std::unique_ptr<Recording>> recordings_;  // by settings and shapes
  size_t recorded_ = 0;
  c10::MempoolId_t pool_{0, 0};  // shared by all recordings: they never run at once
};

}  // namespace lrcn
