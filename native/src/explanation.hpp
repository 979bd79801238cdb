#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "batch.hpp"
#include "captioner.hpp"

namespace lrcn {

/// What of an image spoke for the words of a caption.
struct Explanation {
  at::Tensor probabilities;  // [n], of the targets; 0 where none counts
  at::Tensor heat;           // [n, rows, columns] of the CNN's last convolution
};

/// The natural logarithms of the probabilities of the targets of a batch of one image and one row, [] each, undefined
/// where none counts.
/// grid: what the CNN's last convolution gives, [1, channels, rows, columns]. inputs: the batch's, on the device.
std::vector<at::Tensor> target_scores(Captioner& captioner, const at::Tensor& grid, const at::Tensor& inputs,
                                      const Batch& batch);

/// Grad-CAM (Selvaraju et al. 2017): the channels of the grid that gave the scores, each times the mean of the score's
/// gradient there, summed and cut at 0. The grid is a leaf with requires_grad.
Explanation explain(const at::Tensor& grid, const std::vector<at::Tensor>& scores);

}  // namespace lrcn
