#pragma once

#include <ATen/ATen.h>

#include "encoder.hpp"

namespace lrcn {

/// An encoder's normalization as tensors, [3, 1, 1] each.
struct ColorStatistics {
  ColorStatistics(const Normalization& normalization, const at::Device& device, at::ScalarType dtype);
  at::Tensor mean, deviation;
};

/// uint8 [n, height, width, 3] to normalized [n, 3, height, width], channels last in memory, where the statistics are.
at::Tensor normalize(const at::Tensor& pixels, const ColorStatistics& statistics);

/// Squares out of uint8 [n, height, width, 3], as [n, side, side, 3]. crops: int32 [n, 3], {top, left, mirrored} of each.
at::Tensor cut_squares(const at::Tensor& pixels, const at::Tensor& crops, int64_t side);

/// uint8 [height, width, 3] to [crop, crop, 3]: torchvision's Resize(short_side), or with stretch
/// Resize((short_side, short_side)), and CenterCrop(crop) on a PIL image.
at::Tensor resize_crop(const at::Tensor& pixels, int64_t short_side, bool stretch, int64_t crop);

}  // namespace lrcn
