#pragma once

#include <ATen/ATen.h>

namespace lrcn {

/// max_pool2d with windows 3 x 3, stride 2 and padding 1, as in ResNet: [n, channels, h, w].
///
/// On the CPU autograd would keep the input, the largest activation, until the end of the step, and 8 bytes for the
/// position of each maximum; 4 bytes for each suffice.
at::Tensor max_pool(const at::Tensor& x);

}  // namespace lrcn
