#pragma once

#include <ATen/ATen.h>

#include <array>
#include <string>

#include "batch_norm.hpp"
#include "group.hpp"
#include "parameters.hpp"

namespace lrcn {

/// By what statistics BatchNorm normalizes.
struct NormMode {
  bool batch_statistics;  // those of the batch, which update the running ones; else the running ones
  Group* group;           // the ranks whose batches count; null for this process's alone
};

/// Where a convolution with a stride begins, and with how many zeros around the image.
enum class Padding {
  kSymmetric,  // PyTorch's: kernel / 2 on each side
  kSame,       // TensorFlow's: as few as give ceil(side / stride) outputs, an odd one on the right and below
};

/// What is the same in all convolutions of a network.
struct ConvNormStyle {
  Padding padding;
  double momentum, epsilon;  // BatchNorm's
};

struct ConvShape {
  int64_t inputs, outputs, kernel, stride = 1;
  bool depthwise = false;  // a filter for each channel
};

/// A convolution, its batch normalization, a shortcut and an activation.
class ConvNorm {
 public:
  /// convolution and norm: the names of the two in the parameters.
  ConvNorm(Parameters& parameters, const std::string& convolution, const std::string& norm, const ConvShape& shape,
           const ConvNormStyle& style);

  /// x: [n, inputs, h, w]. The shortcut, unless undefined, is added before the activation.
  at::Tensor operator()(const at::Tensor& x, const NormMode& mode, Activation activation,
                        const at::Tensor& shortcut = {}) const;

 private:
  int64_t zeros(int64_t side) const;
  void fold(const at::Tensor& x, at::IntArrayRef padding) const;

  ConvShape shape_;
  ConvNormStyle style_;
  int64_t groups_;
  at::Tensor weight_;
  NormTensors norm_;
  at::Tensor num_batches_tracked_;

  /// The weights with the normalization in them, in oneDNN's order, as long as nothing has written to the tensors.
  struct Folded {
    std::array<int64_t, 5> versions{};
    at::ScalarType type{};
    at::Tensor weight, bias;
  };
  mutable Folded folded_;
};

}  // namespace lrcn
