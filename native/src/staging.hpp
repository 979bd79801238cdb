#pragma once

#include <ATen/ATen.h>
#include <c10/core/Stream.h>

#include <optional>
#include <vector>

#include "batch.hpp"
#include "cross_entropy.hpp"

namespace lrcn {

/// The words of some targets that count, and what each is to be. All int64.
struct ChosenWords {
  at::Tensor counted;  // which of the flattened targets count, on the host
  at::Tensor chosen;   // the same and some more that only fill up; undefined where all count
  at::Tensor targets;  // what each of the chosen is to be, or kNoTarget
};

/// Picks the targets that count: only these reach the vocabulary, the widest layer. Some without a target fill up to a
/// multiple of `multiple`, so that there are few sizes: libraries make and keep code for each.
ChosenWords choose_words(const at::Tensor& targets, int64_t multiple);

/// A batch where it is computed with.
struct StagedBatch {
  at::Tensor pixels, crops, features, image_of_row, inputs;  // as in Batch
  at::Tensor chosen, targets;                                // as in ChosenWords
  at::Tensor word_weights;  // float32, of each of the chosen words' losses; undefined for 1
  int64_t counted = 0;
  int64_t crop_side = 0;
  bool with_image_step = false;

  /// Its tensors that are there.
  std::vector<at::Tensor*> tensors();
};

/// Brings batches to a device. To a GPU they go through pinned memory and on a stream of their own, beside what is
/// being computed; the caller's memory is free again when stage() returns.
class Stager {
 public:
  explicit Stager(at::Device device);

  StagedBatch stage(const Batch& batch, int64_t word_multiple = kWordMultiple) const;

  static constexpr int64_t kWordMultiple = 64;

 private:
  at::Device device_;
  std::optional<c10::Stream> copies_;  // of a GPU
};

}  // namespace lrcn
