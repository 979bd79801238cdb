#pragma once

#include <ATen/ATen.h>

namespace lrcn {

/// uint8 [n, height, width, 3] to normalised [n, 3, height, width], channels last in memory.
at::Tensor normalise(const at::Tensor& pixels, const at::Device& device, at::ScalarType dtype);

/// Squares out of uint8 [n, height, width, 3], as [n, side, side, 3]. crops: int32 [n, 3], {top, left, mirrored} of each.
at::Tensor cut_squares(const at::Tensor& pixels, const at::Tensor& crops, int64_t side);

/// uint8 [height, width, 3] to [crop, crop, 3]: torchvision's Resize(short_side) and CenterCrop(crop) on a PIL image.
at::Tensor resize_crop(const at::Tensor& pixels, int64_t short_side, int64_t crop);

}  // namespace lrcn
