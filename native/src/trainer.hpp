#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <map>
#include <string>
#include <vector>

#include "cancellation.hpp"
#include "captioner.hpp"
#include "lrcn.h"
#include "parameters.hpp"

namespace lrcn {

/// A batch on the host, its ranges checked.
struct Batch {
  at::Tensor pixels;        // uint8 [images, height, width, 3]
  at::Tensor image_of_row;  // int32 [rows]
  at::Tensor inputs;        // int32 [rows, inputs_length]
  at::Tensor targets;       // int32 [rows, targets_length]; -1 is not counted
  bool with_image_step;
};

struct StepResult {
  double loss;
  int64_t counted;
  double gradient_norm;
};

/// The loss of a batch, and the optimizer's step on it.
class Trainer {
 public:
  Trainer(Captioner& captioner, const Parameters& parameters, at::Device device, bool autocast);

  StepResult train(const Batch& batch, const lrcn_optimizer_options& options, const CancelPoint& cancel);
  StepResult evaluate(const Batch& batch, const CancelPoint& cancel);
  at::Tensor logits(const Batch& batch, const CancelPoint& cancel);  // [rows, targets_length, vocabulary]

  /// Features of images [n, 3, height, width] from a frozen or a training encoder.
  at::Tensor encode(const at::Tensor& pixels, bool train_encoder, const CancelPoint& cancel) const;

  /// Adam's state by name; made when it is first needed.
  std::map<std::string, at::Tensor>& moments();
  bool has_moments() const { return !moments_.empty(); }

 private:
  struct Group {
    std::vector<at::Tensor> parameters, first, second;
    at::Tensor step;
  };

  at::Tensor hidden(const Batch& batch, bool training, bool train_encoder, const CancelPoint& cancel);
  std::pair<at::Tensor, int64_t> loss(const Batch& batch, bool training, bool train_encoder,
                                      const CancelPoint& cancel);
  double clip(double max_norm);
  void step(Group& group, const lrcn_optimizer_options& options, double learning_rate);

  Captioner& captioner_;
  const Parameters& parameters_;
  at::Device device_;
  bool autocast_;
  std::map<std::string, at::Tensor> moments_;
  Group encoder_, decoder_;
};

}  // namespace lrcn
