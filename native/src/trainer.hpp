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
  at::Tensor pixels;        // uint8 [images, height, width, 3], or undefined where features are given
  at::Tensor crops;         // int32 [images, 3], {top, left, mirrored} of what is seen of each image; undefined for all
  int64_t crop_side = 0;    // of what is seen, in pixels, where there are crops
  at::Tensor features;      // float32 [images, feature size], or undefined
  at::Tensor image_of_row;  // int32 [rows]
  at::Tensor inputs;        // int32 [rows, inputs_length]
  at::Tensor targets;       // int32 [rows, targets_length]; -1 is not counted
  at::Tensor row_weights;   // float32 [rows], of each row's losses; undefined for 1
  bool with_image_step = false;
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

  /// Adds the batch's gradients to those since the optimizer's last step; options.update says whether it steps now.
  StepResult train(const Batch& batch, const lrcn_train_options& options, const CancelPoint& cancel);
  void drop_gradients();

  StepResult evaluate(const Batch& batch, const CancelPoint& cancel);
  at::Tensor score(const Batch& batch, const CancelPoint& cancel);   // log-probabilities of the targets, double [rows]
  at::Tensor logits(const Batch& batch, const CancelPoint& cancel);  // [rows, targets_length, vocabulary]

  /// What the CNN's last layer reads, of pixels uint8 [n, height, width, 3].
  at::Tensor pool(const at::Tensor& pixels, const ResNet::Learning& learning, const CancelPoint& cancel) const;

  /// Adam's state by name; made when it is first needed.
  std::map<std::string, at::Tensor>& moments();
  bool has_moments() const { return !moments_.empty(); }

  /// How often numbers were brought from the device.
  int64_t reads() const { return reads_; }

 private:
  struct Group {
    std::vector<at::Tensor> parameters, first, second;
    at::Tensor step;
  };

  /// The last layer's features of each row [rows, width].
  at::Tensor features(const Batch& batch, const ResNet::Learning& learning, const CancelPoint& cancel) const;
  /// The losses of a batch's words for which the LSTM gave these outputs, or their mean.
  struct Losses {
    at::Tensor value;
    at::Tensor counted;  // int64, which of the flattened targets count
  };
  Losses losses(const at::Tensor& outputs, const at::Tensor& targets, at::Reduction::Reduction reduction,
                double output_dropout = 0, double label_smoothing = 0);
  /// Adds the batch's gradients to those that are there.
  struct BatchLoss {
    at::Tensor mean;
    int64_t counted;
  };
  BatchLoss backward(const Batch& batch, const lrcn_train_options& options, const CancelPoint& cancel);
  std::vector<at::Tensor> gradients() const;
  /// Brings numbers of the device here, all at once: the device must have done all its work for that.
  std::vector<double> read(at::TensorList scalars);
  void step(Group& group, const lrcn_train_options& options, double learning_rate, double weight_decay);

  Captioner& captioner_;
  const Parameters& parameters_;
  at::Device device_;
  bool autocast_;
  std::map<std::string, at::Tensor> moments_;
  Group encoder_, decoder_;
  bool adding_up_ = false;
  int64_t reads_ = 0;
};

}  // namespace lrcn
