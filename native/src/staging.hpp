#pragma once

#include <ATen/ATen.h>
#include <c10/core/Stream.h>

#include <optional>
#include <vector>

#include "batch.hpp"
#include "cross_entropy.hpp"

namespace lrcn {

/// The counted targets of a batch. All int64.
struct CountedTargets {
  at::Tensor counted;  // indices of the counted among the flattened targets, on the host
  at::Tensor chosen;   // the same with padding; undefined if all count
  at::Tensor targets;  // the target of each of `chosen`, or kNoTarget
};

/// Selects the counted targets, since only these need to reach the output layer, the widest one. Padded to a multiple
/// of `multiple`, so that there are few sizes: libraries compile and keep code for each.
CountedTargets select_counted(const at::Tensor& targets, int64_t multiple);

/// A batch on the computing device.
struct StagedBatch {
  at::Tensor pixels, crops, features, image_of_row, inputs;  // as in Batch
  at::Tensor chosen, targets;                                // as in CountedTargets
  at::Tensor weights;  // float32, factors of the losses of `chosen`; undefined for 1
  at::Tensor lengths;  // int64 [rows] on the host, the targets' positions up to the last that counts, at least 1
  int64_t counted = 0;
  int64_t crop_side = 0;
  bool with_image_step = false;

  /// Its defined tensors.
  std::vector<at::Tensor*> tensors();
};

/// Copies batches to a device. To a GPU they go through pinned memory on a stream of their own, in parallel to the
/// computation; the caller's memory is free again when stage() returns.
class Stager {
 public:
  explicit Stager(at::Device device);

  StagedBatch stage(const Batch& batch) const;

  static constexpr int64_t kMultiple = 64;

 private:
  at::Device device_;
  std::optional<c10::Stream> copies_;  // of a GPU
};

}  // namespace lrcn
