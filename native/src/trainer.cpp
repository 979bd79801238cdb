#include "trainer.hpp"

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
  for (auto* group : {&encoder_, &decoder_}) group->step = at::zeros({}, at::TensorOptions(at::kFloat).device(device_));
  for (const auto& [name, parameter] : parameters_.parameters()) {
    auto& group = is_encoder(name) ? encoder_ : decoder_;
    group.parameters.push_back(parameter);
    group.first.push_back(at::zeros_like(parameter.detach()));
    group.second.push_back(at::zeros_like(parameter.detach()));
    moments_.emplace("adam.exp_avg." + name, group.first.back());
    moments_.emplace("adam.exp_avg_sq." + name, group.second.back());
  }
  moments_.emplace("adam.step.encoder", encoder_.step);
  moments_.emplace("adam.step.decoder", decoder_.step);
  return moments_;
}

at::Tensor Trainer::encode(const at::Tensor& pixels, bool train_encoder, const CancelPoint& cancel) const {
  const auto pooled = [&] {
    const at::AutoGradMode grad(at::GradMode::is_enabled() && train_encoder);
    const auto images = normalise(pixels, device_, parameters_.dtype());
    return captioner_.encoder().pool(images, train_encoder, cancel);
  }();
  return captioner_.encoder().project(pooled);
}

at::Tensor Trainer::hidden(const Batch& batch, bool training, bool train_encoder, const CancelPoint& cancel) {
  const auto features = encode(batch.pixels, train_encoder, cancel);
  cancel.check();
  return captioner_.outputs(features.index_select(0, batch.image_of_row.to(device_)), batch.inputs.to(device_),
                            batch.with_image_step, training);
}

std::pair<at::Tensor, int64_t> Trainer::loss(const Batch& batch, bool training, bool train_encoder,
                                             const CancelPoint& cancel) {
  const auto all_targets = batch.targets.flatten();
  const auto counted = all_targets.ge(0).nonzero().squeeze(1);
  const auto targets = all_targets.index_select(0, counted).to(at::kLong).to(device_);
  const auto out = hidden(batch, training, train_encoder, cancel).flatten(0, 1);
  // Only words that count reach the vocabulary, the widest layer.
  const auto rows = counted.numel() == out.size(0) ? out : out.index_select(0, counted.to(device_));
  auto logits = captioner_.logits(captioner_.dropout(rows, training));
  if (autocast_) logits = logits.to(at::kFloat);
  return {at::cross_entropy_loss(logits, targets), counted.numel()};
}

double Trainer::clip(double max_norm) {
  std::vector<at::Tensor> gradients;
  for (const auto& named : parameters_.parameters()) {
    if (named.tensor.grad().defined()) gradients.push_back(named.tensor.grad());
  }
  const double norm = at::stack(at::_foreach_norm(gradients)).norm().item<double>();
  const double scale = max_norm / (norm + 1e-6);  // as clip_grad_norm_ does
  if (max_norm > 0 && scale < 1) at::_foreach_mul_(gradients, scale);
  return norm;
}

void Trainer::step(Group& group, const lrcn_optimizer_options& options, double learning_rate) {
  group.step.add_(1);
  std::vector<at::Tensor> gradients;
  gradients.reserve(group.parameters.size());
  for (const auto& parameter : group.parameters) gradients.push_back(parameter.grad());
  const std::vector<at::Tensor> steps(group.parameters.size(), group.step);
  const auto update = options.optimizer == LRCN_ADAMW ? FusedAdam{&at::_fused_adamw_} : FusedAdam{&at::_fused_adam_};
  update(group.parameters, gradients, group.first, group.second, at::TensorList(), steps, learning_rate, options.beta1,
         options.beta2, options.weight_decay, options.epsilon, /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/std::nullopt, /*found_inf=*/std::nullopt);
}

StepResult Trainer::train(const Batch& batch, const lrcn_optimizer_options& options, const CancelPoint& cancel) {
  const bool train_encoder = options.train_encoder != 0;
  moments();
  for (const auto& named : parameters_.parameters()) at::Tensor(named.tensor).mutable_grad().reset();
  at::Tensor mean_loss;
  int64_t counted = 0;
  {
    const Autocast autocast(device_.type(), autocast_);
    std::tie(mean_loss, counted) = loss(batch, /*training=*/true, train_encoder, cancel);
  }
  cancel.check();
  mean_loss.backward();
  cancel.check();
  const at::NoGradGuard no_grad;
  const double gradient_norm = clip(options.max_gradient_norm);
  if (train_encoder) step(encoder_, options, options.encoder_learning_rate);
  step(decoder_, options, options.decoder_learning_rate);
  return {mean_loss.item<double>(), counted, gradient_norm};
}

StepResult Trainer::evaluate(const Batch& batch, const CancelPoint& cancel) {
  const at::NoGradGuard no_grad;
  const Autocast autocast(device_.type(), autocast_);
  const auto [mean_loss, counted] = loss(batch, /*training=*/false, /*train_encoder=*/false, cancel);
  return {mean_loss.item<double>(), counted, 0};
}

at::Tensor Trainer::logits(const Batch& batch, const CancelPoint& cancel) {
  const at::NoGradGuard no_grad;
  const Autocast autocast(device_.type(), autocast_);
  return captioner_.logits(hidden(batch, /*training=*/false, /*train_encoder=*/false, cancel));
}

}  // namespace lrcn
