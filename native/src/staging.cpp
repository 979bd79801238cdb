#include "staging.hpp"

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace lrcn {

CountedTargets select_counted(const at::Tensor& targets, int64_t multiple) {
  const auto flat = targets.flatten();
  const auto counted = flat.ge(0).nonzero().squeeze(1);
  if (counted.numel() == flat.numel()) return {counted, {}, flat.to(at::kLong)};
  const int64_t more = (multiple - counted.numel() % multiple) % multiple;
  return {counted, at::constant_pad_nd(counted, {0, more}),
          at::constant_pad_nd(flat.index_select(0, counted).to(at::kLong), {0, more}, kNoTarget)};
}

std::vector<at::Tensor*> StagedBatch::tensors() {
  std::vector<at::Tensor*> there;
  for (auto* tensor : {&pixels, &crops, &features, &image_of_row, &inputs, &chosen, &targets, &weights}) {
    if (tensor->defined()) there.push_back(tensor);
  }
  return there;
}

Stager::Stager(at::Device device) : device_(device) {
  if (device.is_cuda()) copies_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

StagedBatch Stager::stage(const Batch& batch) const {
  StagedBatch staged;
  staged.pixels = batch.pixels;
  staged.crops = batch.crops;
  staged.features = batch.features;
  staged.image_of_row = batch.image_of_row;
  staged.inputs = batch.inputs;
  staged.crop_side = batch.crop_side;
  staged.with_image_step = batch.with_image_step;
  if (batch.targets.defined()) {
    const auto counted = select_counted(batch.targets, kMultiple);
    staged.counted = counted.counted.numel();
    staged.chosen = counted.chosen;
    staged.targets = counted.targets;
    const auto numbers = at::arange(1, batch.targets.size(1) + 1, at::kLong);
    staged.lengths = at::where(batch.targets.ge(0), numbers, 1).amax(1);
    if (batch.row_weights.defined()) {
      const auto weights = batch.row_weights.unsqueeze(1).expand_as(batch.targets).flatten();
      const int64_t more = counted.targets.numel() - staged.counted;
      staged.weights = at::constant_pad_nd(weights.index_select(0, counted.counted), {0, more});
    }
  }
  if (device_.is_cpu()) return staged;
  if (!copies_) {
    for (auto* tensor : staged.tensors()) *tensor = tensor->to(device_);
    return staged;
  }

  const auto computing = c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
  const c10::StreamGuard guard(*copies_);
  for (auto* tensor : staged.tensors()) {
    *tensor = tensor->pin_memory().to(device_, /*non_blocking=*/true);
    // Its memory must not be reused for another batch while the computing stream still reads it.
    tensor->record_stream(computing);
  }
  c10::Event copied(device_.type());
  copied.record(*copies_);
  copied.block(computing);
  return staged;
}

}  // namespace lrcn
