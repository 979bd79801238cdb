#include "trainer.hpp"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <algorithm>
#include <cmath>

#include "precision.hpp"

namespace lrcn {
namespace {

// Adam's, as PyTorch's defaults.
constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
constexpr size_t kMostQueued = 4096;

/// Clips the L2 norm of gradients, as clip_grad_norm_ does.
void clip(const std::vector<at::Tensor>& gradients, const at::Tensor& norm, double most) {
  const auto scale = most / (norm + 1e-6);
  // On the CPU reading the number is free, and a pass over all gradients is not.
  if (norm.is_cpu() && !(scale.item<double>() < 1)) return;
  at::_foreach_mul_(gradients, scale.clamp_max(1));
}

/// Padding has no loss and is not counted.
at::Tensor mean_of_counted(const at::Tensor& losses, const at::Tensor& targets) {
  return losses.sum() / targets.ne(kNoTarget).sum();
}

/// Reads numbers from the device, all at once; synchronizes.
std::vector<double> read(at::TensorList numbers) {
  const auto values = at::stack(numbers).to(at::kCPU, at::kDouble);
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

}  // namespace

Trainer::Trainer(Captioner& captioner, const Parameters& parameters, at::Device device, bool autocast)
    : captioner_(captioner),
      parameters_(parameters),
      device_(device),
      autocast_(autocast),
      colors_(captioner.encoder().normalization(), device, parameters.dtype()),
      stager_(device) {}

Trainer::~Trainer() = default;

void Trainer::join(std::shared_ptr<Group> group) {
  require(queued_.empty() && !accumulating_, "a step is in progress");
  group->use(device_);
  reducer_.reset();
  reduced_from_ = -1;
  group_ = std::move(group);
}

c10d::Reducer& Trainer::reducer(int32_t trainable_from) {
  if (reducer_ && reduced_from_ == trainable_from) return *reducer_;
  reducer_.reset();  // before another reducer hooks into the same parameters
  std::vector<at::Tensor> learning;
  std::unordered_map<size_t, std::string> names;
  for (const auto& [name, parameter, stage] : parameters_.parameters()) {
    if (stage < trainable_from) continue;
    names.emplace(learning.size(), name);
    learning.push_back(parameter);
  }
  const std::vector<bool> sparse(learning.size(), false);
  // As PyTorch's DistributedDataParallel: small buckets first, and in the order in which gradients come.
  auto buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(
      learning, {c10d::kDefaultFirstBucketBytes, c10d::kDefaultBucketBytesCap}, sparse));
  std::ranges::reverse(buckets);
  reducer_ = std::make_shared<c10d::Reducer>(
      std::move(learning), std::move(buckets), group_->gradients(), sparse, c10d::kDefaultBucketBytesCap,
      /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/true, std::move(names),
      c10d::kDefaultFirstBucketBytes, /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
      std::vector<int64_t>{});
  reduced_from_ = trainable_from;
  return *reducer_;
}

std::map<std::string, at::Tensor>& Trainer::moments() {
  if (has_moments()) return moments_;
  std::map<std::string, at::Tensor> moments;
  ParameterGroup encoder, decoder;
  for (auto* group : {&encoder, &decoder}) group->step = at::zeros({}, at::TensorOptions(at::kFloat).device(device_));
  for (const auto& [name, parameter, stage] : parameters_.parameters()) {
    auto& group = stage == Parameters::kNoStage ? decoder : encoder;
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

at::Tensor Trainer::encode(const at::Tensor& pixels, const Encoder::Training& training) const {
  return captioner_.encoder().features(normalize(pixels, colors_), training);
}

at::Tensor Trainer::features(const StagedBatch& batch, const Encoder::Training& training,
                             double dropout) const {
  at::Tensor pooled;
  if (batch.features.defined()) {
    pooled = batch.features.to(parameters_.dtype());
  } else {
    const auto& pixels = batch.pixels;
    pooled =
        encode(batch.crops.defined() ? cut_squares(pixels, batch.crops, batch.crop_side) : pixels, training);
  }
  const auto& encoder = captioner_.encoder();
  if (dropout == 0) return encoder.project(pooled).index_select(0, batch.image_of_row);
  // Each caption of an image drops other elements.
  return encoder.project(captioner_.drop(pooled.index_select(0, batch.image_of_row), dropout));
}

at::Tensor Trainer::steps(const StagedBatch& batch) const {
  // The image's step has no target unless the batch says so.
  const bool first = !captioner_.feature_every_step() && !batch.with_image_step;
  return batch.lengths.defined() && first ? batch.lengths + 1 : batch.lengths;
}

at::Tensor Trainer::outputs(const StagedBatch& batch) {
  return captioner_.outputs(features(batch, {}), batch.inputs, batch.with_image_step, {}, steps(batch));
}

at::Tensor Trainer::losses(const at::Tensor& outputs, const at::Tensor& chosen, const at::Tensor& targets,
                           double output_dropout, double label_smoothing) {
  const auto out = outputs.flatten(0, 1);
  auto logits = captioner_.logits(captioner_.drop(chosen.defined() ? out.index_select(0, chosen) : out, output_dropout));
  if (autocast_) logits = logits.to(at::kFloat);
  return cross_entropy(logits, targets, label_smoothing);
}

at::Tensor Trainer::backward(const StagedBatch& batch, const lrcn_train_options& options) {
  const int64_t total = options.counted_tokens == 0 ? batch.counted : options.counted_tokens;
  const auto scalar = at::TensorOptions(at::kDouble).device(device_);
  at::Tensor all_tokens;
  if (group_) group_->reduce(all_tokens = at::full({}, static_cast<double>(total), scalar));
  at::Tensor mean;
  {
    const Autocast autocast(device_.type(), autocast_);
    const Encoder::Training training{options.trainable_from, options.batch_norm != LRCN_FROZEN,
                                     options.batch_norm == LRCN_SYNCHRONIZED ? group_.get() : nullptr};
    const auto image_features = features(batch, training, options.feature_dropout);
    auto inputs = batch.inputs;
    if (options.scheduled_sampling > 0) {
      inputs = captioner_.sample_inputs(image_features.detach(), inputs, options.scheduled_sampling);
      // Autocast caches its casts of weights until its scope ends. Those of the sampling have no gradient in an older
      // libtorch, and the graded pass must not use them.
      at::autocast::clear_cache();
    }
    const auto outputs = captioner_.outputs(image_features, inputs, batch.with_image_step,
                                            {options.embedding_dropout, options.lstm_dropout}, steps(batch));
    auto each = losses(outputs, batch.chosen, batch.targets, options.output_dropout, options.label_smoothing);
    if (batch.weights.defined()) each = each.mul(batch.weights);
    mean = mean_of_counted(each, batch.targets);
  }
  if (group_) return backward_together(mean, all_tokens, batch.counted, options);
  const double fraction = static_cast<double>(batch.counted) / static_cast<double>(total);
  (fraction == 1 ? mean : mean * fraction).backward();
  return mean.detach();
}

at::Tensor Trainer::backward_together(const at::Tensor& mean, const at::Tensor& all_tokens, int64_t counted,
                                      const lrcn_train_options& options) {
  // Gradients are averaged over ranks only with the last part.
  if (options.update != 0) {
    auto& average = reducer(options.trainable_from);
    average.prepare_for_forward();
    if (average.should_rebuild_buckets()) average.rebuild_buckets();
    average.prepare_for_backward({});
  }
  // The reducer divides gradients by the number of ranks; losses are divided by the tokens of all ranks.
  const auto own_tokens = static_cast<double>(counted);
  const auto fraction = (own_tokens * group_->size() / all_tokens).to(mean.scalar_type());
  group_->together([&] { (mean * fraction).backward(); });
  const auto sums = at::stack({mean.detach().to(at::kDouble) * own_tokens, at::full_like(all_tokens, own_tokens)});
  group_->reduce(sums);
  return at::stack({sums[0] / sums[1], sums[1]});
}

std::vector<at::Tensor> Trainer::gradients() const {
  std::vector<at::Tensor> gradients;
  for (const auto& named : parameters_.parameters()) {
    if (named.tensor.grad().defined()) gradients.push_back(named.tensor.grad());
  }
  return gradients;
}

void Trainer::adam(ParameterGroup& group, int32_t optimizer, double learning_rate, double weight_decay,
                   const at::Tensor& skip) {
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
  group.step.add_(1 - skip);
  const std::vector<at::Tensor> steps(parameters.size(), group.step);
  const auto update = [&](auto fused) {
    fused(parameters, gradients, first, second, /*max_exp_avg_sqs=*/at::TensorList{}, steps, learning_rate, kBeta1,
          kBeta2, weight_decay, kEpsilon, /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/std::nullopt,
          /*found_inf=*/skip);
  };
  if (optimizer == LRCN_ADAMW) {
    update([](auto&&... arguments) { at::_fused_adamw_(arguments...); });
  } else {
    update([](auto&&... arguments) { at::_fused_adam_(arguments...); });
  }
  // The fused kernels do not count as writes, from which the encoder knows that its folded weights are out of date.
  for (const auto& parameter : parameters) torch::autograd::impl::bump_version(parameter);
}

void Trainer::drop_gradients() {
  for (const auto& named : parameters_.parameters()) at::Tensor(named.tensor).mutable_grad().reset();
  if (accumulating_) queued_.resize(queued_before_);
  accumulating_ = false;
}

at::Tensor Trainer::step(const StagedBatch& batch, const lrcn_train_options& options) {
  const auto losses = backward(batch, options);
  const auto numbers = [&](const at::Tensor& norm) {
    if (!group_) return at::stack({losses.to(norm.scalar_type()), norm});
    return at::stack({losses[0], norm.to(losses.scalar_type()), losses[1]});
  };
  if (options.update == 0) return numbers(at::zeros({}, losses.options()));
  const at::NoGradGuard no_grad;
  const auto trained = gradients();
  const auto norm = at::stack(at::_foreach_norm(trained)).norm();
  if (options.max_gradient_norm > 0) clip(trained, norm, options.max_gradient_norm);
  // A gradient that is not finite would turn the parameters into NaN.
  const auto skip = norm.isfinite().logical_not().to(at::kFloat);
  adam(encoder_, options.optimizer, options.encoder_learning_rate, options.encoder_weight_decay, skip);
  adam(decoder_, options.optimizer, options.decoder_learning_rate, options.decoder_weight_decay, skip);
  return numbers(norm);
}

StepResult Trainer::Queued::result(const double* values) const {
  return {values[0], numbers.numel() > 2 ? static_cast<int64_t>(values[2]) : counted, values[1]};
}

Trainer::Queued Trainer::start(const Batch& batch, const lrcn_train_options& options) {
  if (!accumulating_) {
    drop_gradients();
    queued_before_ = queued_.size();
  }
  try {
    moments();
    const auto staged = stager_.stage(batch);
    const auto numbers = step(staged, options);
    accumulating_ = options.update == 0;
    return {numbers, staged.counted};
  } catch (...) {
    drop_gradients();
    throw;
  }
}

StepResult Trainer::train(const Batch& batch, const lrcn_train_options& options) {
  require(queued_.empty(), "the results of former steps have not been read");
  const auto started = start(batch, options);
  return started.result(read({started.numbers}).data());
}

void Trainer::queue(const Batch& batch, const lrcn_train_options& options) {
  require(queued_.size() < kMostQueued, "the results of too many steps have not been read");
  queued_.push_back(start(batch, options));
}

std::vector<StepResult> Trainer::results() {
  if (queued_.empty()) return {};
  std::vector<at::Tensor> numbers;
  for (const auto& queued : queued_) numbers.push_back(queued.numbers);
  const auto values = read(numbers);
  std::vector<StepResult> results;
  for (const auto& queued : queued_) {
    results.push_back(queued.result(values.data() + results.size() * static_cast<size_t>(queued.numbers.numel())));
  }
  queued_.clear();
  return results;
}

StepResult Trainer::evaluate(const Batch& batch) {
  const at::NoGradGuard no_grad;
  const Autocast autocast(device_.type(), autocast_);
  const auto staged = stager_.stage(batch);
  const auto loss = mean_of_counted(losses(outputs(staged), staged.chosen, staged.targets), staged.targets);
  return {read({loss})[0], staged.counted, 0};
}

at::Tensor Trainer::score(const Batch& batch) {
  constexpr int64_t kRowsAtOnce = 64;  // the logits of many rows would fill the memory
  const at::NoGradGuard no_grad;
  const Autocast autocast(device_.type(), autocast_);
  const auto out = outputs(stager_.stage(batch));
  const auto sums = at::zeros({batch.targets.size(0)}, at::kDouble);
  for (int64_t first = 0; first < sums.size(0); first += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, sums.size(0) - first);
    const auto part = select_counted(batch.targets.narrow(0, first, rows), Stager::kMultiple);
    const auto chosen = part.chosen.defined() ? part.chosen.to(device_) : at::Tensor();
    const auto loss = losses(out.narrow(0, first, rows), chosen, part.targets.to(device_));
    const auto row_of_token = at::floor_divide(part.counted, batch.targets.size(1)) + first;
    const auto counted = loss.narrow(0, 0, part.counted.numel()).to(at::kCPU, at::kDouble);
    sums.index_add_(0, row_of_token, counted, /*alpha=*/-1);
  }
  return sums;
}

Explanation Trainer::explain(const Batch& batch) {
  at::Tensor grid;
  std::vector<at::Tensor> scores;
  {
    const Autocast autocast(device_.type(), autocast_);
    const auto staged = stager_.stage(batch);
    {
      const at::NoGradGuard no_grad;
      grid = captioner_.encoder().feature_map(normalize(staged.pixels, colors_), {});
    }
    grid.requires_grad_();
    scores = target_scores(captioner_, grid, staged.inputs, batch);
  }
  return lrcn::explain(grid, scores);
}

at::Tensor Trainer::logits(const Batch& batch) {
  const at::NoGradGuard no_grad;
  const Autocast autocast(device_.type(), autocast_);
  return captioner_.logits(outputs(stager_.stage(batch)));
}

}  // namespace lrcn
