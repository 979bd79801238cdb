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

/// A GPU is given a training step's thousands of kernels one by one; recorded once as a graph, they are one launch. A
/// graph holds for one shape of batch and one set of options, and computes on tensors that are always the same ones.
///
/// Recording needs libtorch 2.13 or newer. Where it cannot be done, and for shapes beyond the first few, steps run
/// unrecorded, with the same numbers.
class StepGraphs {
 public:
  /// The gradients that a step leaves, one for each parameter, undefined where a parameter does not learn.
  struct Gradients {
    std::function<std::vector<at::Tensor>()> get;
    std::function<void(const std::vector<at::Tensor>&)> set;
  };
  /// From a batch and learning rates, float32 [2], on the device, to numbers on it, without waiting for any.
  using Step = std::function<at::Tensor(const StagedBatch&, const at::Tensor& learning_rates)>;

  StepGraphs(at::Device device, Gradients gradients);
  ~StepGraphs();
  StepGraphs(const StepGraphs&) = delete;
  StepGraphs& operator=(const StepGraphs&) = delete;

  static bool available();

  /// Runs a step of which all that is not in the tensors is in `settings`.
  at::Tensor run(const std::string& settings, StagedBatch batch, const at::Tensor& learning_rates, const Step& step);

 private:
  struct Recording;
  void record(Recording& recording, const StagedBatch& batch, const at::Tensor& learning_rates, const Step& step);

  at::Device device_;
  Gradients gradients_;
  std::map<std::string, std::unique_ptr<Recording>> recordings_;  // by settings and shapes
  size_t recorded_ = 0;
  c10::MempoolId_t pool_{0, 0};  // one memory for all recordings: they never run at once
};

}  // namespace lrcn
