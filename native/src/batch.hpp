#pragma once

#include <ATen/ATen.h>

namespace lrcn {

/// A batch on the host, its ranges checked.
struct Batch {
  at::Tensor pixels;        // uint8 [images, height, width, 3], or undefined if features are given
  at::Tensor crops;         // int32 [images, 3], {top, left, flipped} of each image's crop; undefined for whole images
  int64_t crop_side = 0;    // of the crops, in pixels
  at::Tensor features;      // float32 [images, feature size], or undefined
  at::Tensor image_of_row;  // int32 [rows]
  at::Tensor inputs;        // int32 [rows, inputs_length]
  at::Tensor targets;       // int32 [rows, targets_length]; -1 is not counted; may be undefined
  at::Tensor row_weights;   // float32 [rows], factors of each row's losses; undefined for 1
  bool with_image_step = false;
};

}  // namespace lrcn
