#include "trainer.hpp"

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <cmath>

#include "image.hpp"
#include "precision.hpp"

namespace lrcn {
namespace {

using FusedAdam = void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                           at::TensorList, double, double, double, double, double, bool, bool,
                           const std::optional<at::Tensor>&, const std::optional<at::Tensor>&);

/// The CNN without its last layer, which no pretrained weights hold.
bool is_encoder(const std::string& name) { return name.starts_with("resnet.") && !name.starts_with("resnet.fc."); }

}  // namespace

Trainer::Trainer(Captioner& captioner, const Parameters& parameters, at::Device device, bool autocast)
    : captioner_(captioner), parameters_(parameters), device_(device), autocast_(autocast) {}

std::map<std::string, at::Tensor>& Trainer::moments() {
  if (has_moments()) return moments_;
  std::map<std::string, at::Tensor> moments;
  Group encoder, decoder;
  for (auto* group : {&encoder, &decoder}) group->step = at::zeros({}, at::TensorOptions(at::kFloat).device(device_));
  for (const auto& [name, parameter] : parameters_.parameters()) {
    auto& group = is_encoder(name) ? encoder : decoder;
    group.parameters.push_back(parameter);
    group.first.push_back(at::zeros_like(parameter.detach()));
    group.second.push_back(at::zeros_like(parameter.detach()));
    moments.emplace("adam.exp_avg." + name, group.first.back());
    moments.emplace("adam.exp_avg_sq." + name, group.second.back());
  }
  moments.emplace("adam.step.encoder", encoder.step);
  moments.emplace("adam.step.decoder", decoder.step);
  encoder_ = std::move(encoder);
  decoder_ = std::move(decoder);
  moments_ = std::move(moments);
  return moments_;
}

at::Tensor Trainer::pool(const at::Tensor& pixels, const ResNet::Learning& learning, const CancelPoint& cancel) const {
  return captioner_.encoder().pool(normalise(pixels, device_, parameters_.dtype()), learning, cancel);
}

at::Tensor Trainer::features(const Batch& batch, const ResNet::Learning& learning, const CancelPoint& cancel) const {
  at::Tensor pooled;
  if (batch.features.defined()) {
    pooled = batch.features.to(device_, parameters_.dtype());
  } else {
    const auto pixels = batch.pixels.to(device_);
    pooled = pool(batch.crops.defined() ? cut_squares(pixels, batch.crops, batch.crop_side) : pixels, learning, cancel);
  }
  cancel.check();
  return captioner_.encoder().project(pooled).index_select(0, batch.image_of_row.to(device_));
}

Trainer::Losses Trainer::losses(const at::Tensor& outputs, const at::Tensor& all_targets,
                                at::Reduction::Reduction reduction, double output_dropout, double label_smoothing) {
  const auto flat = all_targets.flatten();
  const auto counted = flat.ge(0).nonzero().squeeze(1);
  const auto out = outputs.flatten(0, 1);
  // Only words that count reach the vocabulary, the widest layer, and some without a target, so that there are few
  // sizes: libraries make and keep code for each.
  constexpr int64_t kWords = 64, kNoTarget = -100;
  const int64_t count = counted.numel();
  const int64_t more = count == out.size(0) ? 0 : (kWords - count % kWords) % kWords;
  const auto chosen = at::constant_pad_nd(counted, {0, more}).to(device_);
  const auto targets = at::constant_pad_nd(flat.index_select(0, counted).to(at::kLong), {0, more}, kNoTarget).to(device_);
  const auto rows = count == out.size(0) ? out : out.index_select(0, chosen);
  auto logits = captioner_.logits(captioner_.drop(rows, output_dropout));
  if (autocast_) logits = logits.to(at::kFloat);
  const auto loss = at::cross_entropy_loss(logits, targets, /*weight=*/{}, reduction, kNoTarget, label_smoothing);
  return {reduction == at::Reduction::None ? loss.narrow(0, 0, count) : loss, counted};
}

Trainer::BatchLoss Trainer::backward(const Batch& batch, const lrcn_train_options& options,
                                    const CancelPoint& cancel) {
  at::Tensor mean;
  int64_t counted = 0;
  {
    const Autocast autocast(device_.type(), autocast_);
    const auto image_features = features(batch, {options.encoder_from, options.batch_statistics != 0}, cancel);
    auto inputs = batch.inputs.to(device_);
    if (options.scheduled_sampling > 0) {
      inputs = captioner_.sample_inputs(image_features.detach(), inputs, options.scheduled_sampling);
      // Autocast keeps its casts of weights until its scope ends. The sampling's have no gradient in an older libtorch,
      // and the graded pass must not take them.
      at::autocast::clear_cache();
    }
    cancel.check();
    const auto outputs = captioner_.outputs(image_features, inputs, batch.with_image_step,
                                            {options.word_dropout, options.layer_dropout});
    const auto reduction = batch.row_weights.defined() ? at::Reduction::None : at::Reduction::Mean;
    const auto words = losses(outputs, batch.targets, reduction, options.output_dropout, options.label_smoothing);
    counted = words.counted.numel();
    mean = words.value;
    if (batch.row_weights.defined()) {
      const auto weights = batch.row_weights.unsqueeze(1).expand_as(batch.targets).flatten();
      mean = mean.mul(weights.index_select(0, words.counted).to(device_)).mean();
    }
  }
  cancel.check();
  const auto total = options.counted_words == 0 ? counted : options.counted_words;
  const double share = static_cast<double>(counted) / static_cast<double>(total);
  (share == 1 ? mean : mean * share).backward();
  cancel.check();
  return {mean.detach(), counted};
}

std::vector<double> Trainer::read(at::TensorList scalars) {
  ++reads_;
  const auto values = at::stack(scalars).to(at::kCPU, at::kDouble);
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

std::vector<at::Tensor> Trainer::gradients() const {
  std::vector<at::Tensor> gradients;
  for (const auto& named : parameters_.parameters()) {
    if (named.tensor.grad().defined()) gradients.push_back(named.tensor.grad());
  }
  return gradients;
}

void Trainer::step(Group& group, const lrcn_train_options& options, double learning_rate, double weight_decay) {
  std::vector<at::Tensor> parameters, gradients, first, second;
  for (size_t index = 0; index < group.parameters.size(); ++index) {
    const auto& gradient = group.parameters[index].grad();
    if (!gradient.defined()) continue;
    parameters.push_back(group.parameters[index]);
    gradients.push_back(gradient);
    first.push_back(group.first[index]);
    second.push_back(group.second[index]);
  }
  if (parameters.empty()) return;
  group.step.add_(1);
  const std::vector<at::Tensor> steps(parameters.size(), group.step);
  const auto update = options.optimizer == LRCN_ADAMW ? FusedAdam{&at::_fused_adamw_} : FusedAdam{&at::_fused_adam_};
  update(parameters, gradients, first, second, /*max_exp_avg_sqs=*/{}, steps, learning_rate, options.beta1,
         options.beta2, weight_decay, options.epsilon, /*amsgrad=*/false, /*maximize=*/false,
         /*grad_scale=*/std::nullopt, /*found_inf=*/std::nullopt);
}

void Trainer::drop_gradients() {
  for (const auto& named : parameters_.parameters()) at::Tensor(named.tensor).mutable_grad().reset();
  adding_up_ = false;
}

StepResult Trainer::train(const Batch& batch, const lrcn_train_options& options, const CancelPoint& cancel) {
  if (!adding_up_) drop_gradients();
  try {
    moments();
    const auto [loss, counted] = backward(batch, options, cancel);
    adding_up_ = options.update == 0;
    if (adding_up_) return {read({loss})[0], counted, /*gradient_norm=*/0};
    const at::NoGradGuard no_grad;
    const auto learnt = gradients();
    const auto norm = at::stack(at::_foreach_norm(learnt)).norm();
    const auto numbers = read({loss.to(norm.scalar_type()), norm});
    const StepResult result{numbers[0], counted, numbers[1]};
    // A step along such a gradient would leave no number in the parameters; the caller is told, and decides.
    if (!std::isfinite(result.gradient_norm)) return result;
    const double scale = options.max_gradient_norm / (result.gradient_norm + 1e-6);  // as clip_grad_norm_ does
    if (options.max_gradient_norm > 0 && scale < 1) at::_foreach_mul_(learnt, scale);
    step(encoder_, options, options.encoder_learning_rate, options.encoder_weight_decay);
    step(decoder_, options, options.decoder_learning_rate, options.decoder_weight_decay);
    return result;
  } catch (...) {
    drop_gradients();
    throw;
  }
}

StepResult Trainer::evaluate(const Batch& batch, const CancelPoint& cancel) {
  const at::NoGradGuard no_grad;
  const Autocast autocast(device_.type(), autocast_);
  const auto outputs = captioner_.outputs(features(batch, {}, cancel), batch.inputs.to(device_), batch.with_image_step);
  const auto words = losses(outputs, batch.targets, at::Reduction::Mean);
  return {read({words.value})[0], words.counted.numel(), 0};
}

at::Tensor Trainer::score(const Batch& batch, const CancelPoint& cancel) {
  constexpr int64_t kRowsAtOnce = 64;  // the logits of all words of many rows would fill the memory
  const at::NoGradGuard no_grad;
  const Autocast autocast(device_.type(), autocast_);
  const auto outputs = captioner_.outputs(features(batch, {}, cancel), batch.inputs.to(device_), batch.with_image_step);
  const auto sums = at::zeros({batch.targets.size(0)}, at::kDouble);
  for (int64_t first = 0; first < sums.size(0); first += kRowsAtOnce) {
    cancel.check();
    const int64_t rows = std::min(kRowsAtOnce, sums.size(0) - first);
    const auto words = losses(outputs.narrow(0, first, rows), batch.targets.narrow(0, first, rows), at::Reduction::None);
    const auto row_of_word = at::floor_divide(words.counted, batch.targets.size(1)) + first;
    sums.index_add_(0, row_of_word, words.value.to(at::kCPU, at::kDouble), /*alpha=*/-1);
  }
  return sums;
}

at::Tensor Trainer::logits(const Batch& batch, const CancelPoint& cancel) {
  const at::NoGradGuard no_grad;
  const Autocast autocast(device_.type(), autocast_);
  return captioner_.logits(
      captioner_.outputs(features(batch, {}, cancel), batch.inputs.to(device_), batch.with_image_step));
}

}  // namespace lrcn
