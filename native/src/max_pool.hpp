#pragma once

#include <ATen/ATen.h>

namespace lrcn {

/// max_pool2d of windows 3 x 3 with stride 2 and padding 1, as ResNet has it: [n, channels, h, w].
///
/// On the CPU autograd would keep until the end of the step what was pooled, the largest there is, and 8 bytes for where each
/// maximum stood; 4 bytes for each maximum are enough.
at::Tensor max_pool(const at::Tensor& x);

}  // namespace lrcn
