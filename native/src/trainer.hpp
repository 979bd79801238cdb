#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "batch.hpp"
#include "captioner.hpp"
#include "explanation.hpp"
#include "group.hpp"
#include "image.hpp"
#include "lrcn.h"
#include "parameters.hpp"
#include "staging.hpp"

namespace c10d {
class Reducer;
}  // namespace c10d

namespace lrcn {

struct StepResult {
  double loss;
  int64_t counted;
  double gradient_norm;
};

/// The loss of a batch, and the optimizer's step on it.
class Trainer {
 public:
  Trainer(Captioner& captioner, const Parameters& parameters, at::Device device, bool autocast);

  /// Accumulates the batch's gradients; if options.update is set, the optimizer steps.
  StepResult train(const Batch& batch, const lrcn_train_options& options);
  /// The same, but its numbers stay on the device until results() reads those of all such steps, oldest first.
  void queue(const Batch& batch, const lrcn_train_options& options);
  std::vector<StepResult> results();
  size_t queued() const { return queued_.size(); }
  /// Ends an unfinished step: drops its gradients, and what was queued of it.
  void drop_gradients();

  /// Distributes further steps over a group.
  void join(std::shared_ptr<Group> group);
  ~Trainer();

  StepResult evaluate(const Batch& batch);
  at::Tensor score(const Batch& batch);   // log-probabilities of the targets, double [rows]
  at::Tensor logits(const Batch& batch);  // [rows, targets_length, vocabulary]

  /// Heat maps of the tokens of a batch of one image and one row.
  Explanation explain(const Batch& batch);

  /// The encoder's features of pixels uint8 [n, height, width, 3].
  at::Tensor encode(const at::Tensor& pixels, const Encoder::Training& training) const;

  /// Adam's state by name; created on first use.
  std::map<std::string, at::Tensor>& moments();
  bool has_moments() const { return !moments_.empty(); }

 private:
  struct ParameterGroup {
    std::vector<at::Tensor> parameters, first, second;
    at::Tensor step;
  };

  /// A step's loss and gradient norm, with several ranks also its counted tokens: double [2] or [3], on the device.
  struct Queued {
    at::Tensor numbers;
    int64_t counted;

    StepResult result(const double* values) const;
  };

  Queued start(const Batch& batch, const lrcn_train_options& options);
  /// The device's part of a step: does not synchronize.
  at::Tensor step(const StagedBatch& batch, const lrcn_train_options& options);

  /// The projected features of each row [rows, width].
  at::Tensor features(const StagedBatch& batch, const Encoder::Training& training,
                      double dropout = 0) const;
  /// The LSTM's steps that matter in each row.
  at::Tensor steps(const StagedBatch& batch) const;
  /// The LSTM's outputs for a batch, without dropout.
  at::Tensor outputs(const StagedBatch& batch);
  /// The losses of the chosen targets, given the LSTM's outputs.
  at::Tensor losses(const at::Tensor& outputs, const at::Tensor& chosen, const at::Tensor& targets,
                    double output_dropout = 0, double label_smoothing = 0);
  /// Accumulates the batch's gradients and returns its mean loss.
  at::Tensor backward(const StagedBatch& batch, const lrcn_train_options& options);
  /// The same over all ranks: returns their mean loss and counted tokens.
  at::Tensor backward_together(const at::Tensor& mean, const at::Tensor& all_tokens, int64_t counted,
                               const lrcn_train_options& options);
  std::vector<at::Tensor> gradients() const;
  /// The reducer for the parameters that are trainable from a stage of the CNN on.
  c10d::Reducer& reducer(int32_t trainable_from);
  static void adam(ParameterGroup& group, int32_t optimizer, double learning_rate, double weight_decay,
                   const at::Tensor& skip);

  Captioner& captioner_;
  const Parameters& parameters_;
  at::Device device_;
  bool autocast_;
  ColorStatistics colors_;
  Stager stager_;
  std::shared_ptr<Group> group_;
  std::shared_ptr<c10d::Reducer> reducer_;
  int32_t reduced_from_ = -1;
  std::vector<Queued> queued_;
  size_t queued_before_ = 0;  // those of finished steps
  std::map<std::string, at::Tensor> moments_;
  ParameterGroup encoder_, decoder_;
  bool accumulating_ = false;
};

}  // namespace lrcn
