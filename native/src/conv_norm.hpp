#pragma once

#include <ATen/ATen.h>

#include <array>
#include <string>

#include "batch_norm.hpp"
#include "group.hpp"
#include "parameters.hpp"

namespace lrcn {

/// The statistics that BatchNorm normalizes by.
struct NormMode {
  bool batch_statistics;  // the batch's, which update the running ones; else the running ones
  Group* group;           // the ranks to synchronize the statistics over, or null
};

/// Zero padding of a convolution.
enum class Padding {
  kSymmetric,  // PyTorch's: kernel / 2 on each side
  kSame,       // TensorFlow's: the least for ceil(side / stride) outputs; an odd one is at the right and the bottom
};

/// Common to all convolutions of a network.
struct ConvNormStyle {
  Padding padding;
  double momentum, epsilon;  // BatchNorm's
};

struct ConvShape {
  int64_t inputs, outputs, kernel, stride = 1;
  bool depthwise = false;  // one filter per channel
};

/// A convolution, its batch normalization, a shortcut and an activation.
class ConvNorm {
 public:
  /// convolution, norm: their names in the parameters.
  ConvNorm(Parameters& parameters, const std::string& convolution, const std::string& norm, const ConvShape& shape,
           const ConvNormStyle& style);

  /// x: [n, inputs, h, w]. A shortcut, if given, is added before the activation.
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

  /// The weights with the normalization folded in, in oneDNN's layout; valid until one of the tensors is written to.
  struct Folded {
    std::array<int64_t, 5> versions{};
    at::ScalarType type{};
    at::Tensor weight, bias;
  };
  mutable Folded folded_;
};

}  // namespace lrcn
