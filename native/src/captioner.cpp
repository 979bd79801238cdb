#include "captioner.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>

#include <optional>

namespace lrcn {

namespace {

int64_t words_width(const lrcn_engine_options& options) {
  return options.language_layers > 0 ? options.hidden_size : options.embed_size;
}

int64_t feature_width(const lrcn_engine_options& options) {
  return options.inject == LRCN_EVERY ? options.embed_size : words_width(options);
}

std::optional<Lstm> language_stack(Parameters& parameters, const lrcn_engine_options& options) {
  if (options.language_layers == 0) return std::nullopt;
  return Lstm(parameters, "language_lstm", options.embed_size, options.hidden_size, options.language_layers);
}

}  // namespace

Captioner::Captioner(Parameters& parameters, const lrcn_engine_options& options, at::Generator generator)
    : options_(options),
      generator_(std::move(generator)),
      embedding_(parameters.normal("embed.weight", {options.vocabulary_size, options.embed_size}, 1)),
      encoder_(make_encoder(parameters, options, feature_width(options))),
      language_(language_stack(parameters, options)),
      fusion_(parameters, "lstm", words_width(options) + (options.inject == LRCN_EVERY ? feature_width(options) : 0),
              options.hidden_size, options.fusion_layers) {
  std::tie(output_weight_, output_bias_) = parameters.linear("linear", options.hidden_size, options.vocabulary_size);
  if (options.initialization == LRCN_ZERO_PADDING) {
    const at::NoGradGuard no_grad;
    embedding_[0].zero_();
  }
}

at::Tensor Captioner::logits(const at::Tensor& hidden) const {
  const bool product = !hidden.is_cpu() || hidden.scalar_type() != at::kFloat ||
                       output_weight_.scalar_type() != at::kFloat || at::autocast::is_autocast_enabled(at::kCPU);
  if (product) return at::linear(hidden, output_weight_, output_bias_);
  // The same as a convolution of single pixels, since oneDNN computes that: twice as fast as MKL's product where the
  // processor is not Intel's.
  const auto pixels = hidden.reshape({1, -1, 1, hidden.size(-1)}).permute({0, 3, 1, 2});
  const auto out = at::conv2d(pixels, output_weight_.unsqueeze(2).unsqueeze(3), output_bias_);
  auto shape = hidden.sizes().vec();
  shape.back() = output_weight_.size(0);
  return out.permute({0, 2, 3, 1}).reshape(shape);
}

at::Tensor Captioner::drop(const at::Tensor& x, double share) {
  if (share == 0) return x;
  const auto mask = at::empty_like(x, x.options().requires_grad(false)).bernoulli_(1 - share, generator_);
  return x * mask.div_(1 - share);
}

at::Tensor Captioner::outputs(const at::Tensor& features, const at::Tensor& inputs, bool with_image_step,
                              const Dropout& dropout, const at::Tensor& lengths) {
  if (lengths.defined() && Lstm::has_packed(embedding_)) {
    return packed_outputs(features, inputs, with_image_step, dropout, lengths);
  }
  const auto between = [&](const at::Tensor& x) { return drop(x, dropout.layers); };
  auto words = drop(embed(inputs), dropout.words);
  if (language_) {
    auto state = language_->zero_state(inputs.size(0));
    words = between((*language_)(words, state, between));
  }
  auto state = fusion_.zero_state(inputs.size(0));
  const auto feature = features.to(words.scalar_type()).unsqueeze(1);
  auto out = feature_every_step()
                 ? fusion_(at::cat({words, feature.expand({-1, words.size(1), -1})}, 2), state, between)
                 : fusion_(at::cat({feature, words}, 1), state, between);
  if (!feature_every_step() && !with_image_step) out = out.narrow(1, 1, out.size(1) - 1);
  return out;
}

at::Tensor Captioner::packed_outputs(const at::Tensor& features, const at::Tensor& inputs, bool with_image_step,
                                     const Dropout& dropout, const at::Tensor& lengths) {
  const auto between = [&](const at::Tensor& x) { return drop(x, dropout.layers); };
  const int64_t rows = inputs.size(0), steps = inputs.size(1) + (feature_every_step() ? 0 : 1);
  const PackedSteps packed(lengths, steps);
  at::Tensor x, feature;
  if (feature_every_step()) {
    x = drop(embed(inputs.flatten().index_select(0, packed.positions)), dropout.words);
    if (language_) x = between(language_->packed(x, {}, packed, between));
    feature = features.to(x.scalar_type()).index_select(0, packed.order);
  } else {
    // The image is a step of its own, the first.
    auto words = drop(embed(inputs), dropout.words);
    if (language_) {
      auto state = language_->zero_state(rows);
      words = between((*language_)(words, state, between));
    }
    x = at::cat({features.to(words.scalar_type()).unsqueeze(1), words}, 1).flatten(0, 1);
    x = x.index_select(0, packed.positions);
  }
  const auto out = fusion_.packed(x, feature, packed, between);
  const auto padded = at::zeros({rows * steps, out.size(1)}, out.options())
                          .index_copy(0, packed.positions, out)
                          .view({rows, steps, out.size(1)});
  return feature_every_step() || with_image_step ? padded : padded.narrow(1, 1, steps - 1);
}

at::Tensor Captioner::sample_inputs(const at::Tensor& features, const at::Tensor& inputs, double share) {
  const at::NoGradGuard no_grad;
  const auto rows = inputs.size(0);
  auto state = zero_state(rows);
  if (!feature_every_step()) step(features, at::Tensor(), state);
  auto mixed = inputs.clone();
  auto given = inputs.select(1, 0);
  for (int64_t position = 1; position < inputs.size(1); ++position) {
    const auto scores = logits(step(features, given, state)).to(at::kFloat);
    // Gumbel's trick: the largest of scores with such noise is a draw from their softmax, and no NaN stops it.
    const auto noise = at::empty_like(scores).exponential_(/*lambd=*/1, generator_).log_();
    const auto drawn = (scores - noise).argmax(1).to(inputs.scalar_type());
    const auto sampled = at::rand({rows}, generator_, scores.options()).lt(share);
    given = at::where(sampled, drawn, inputs.select(1, position));
    mixed.select(1, position).copy_(given);
  }
  return mixed;
}

Captioner::State Captioner::zero_state(int64_t rows) const {
  State state{std::nullopt, fusion_.zero_state(rows)};
  if (language_) state.language = language_->zero_state(rows);
  return state;
}

at::Tensor Captioner::step(const at::Tensor& features, const at::Tensor& words, State& state) const {
  auto x = features.unsqueeze(1);
  if (words.defined()) {
    auto embedded = embed(words).unsqueeze(1);
    if (language_) embedded = (*language_)(embedded, *state.language);
    x = feature_every_step() ? at::cat({embedded, x.to(embedded.scalar_type())}, 2) : embedded;
  }
  return fusion_(x, state.fusion).squeeze(1);
}

Captioner Captioner::decoding_in(at::ScalarType dtype) const {
  Captioner converted(*this);
  for (auto* tensor : {&converted.embedding_, &converted.output_weight_, &converted.output_bias_}) {
    *tensor = tensor->detach().to(dtype);
  }
  if (language_) converted.language_ = language_->to(dtype);
  converted.fusion_ = fusion_.to(dtype);
  return converted;
}

void Captioner::flatten_weights() {
  if (language_) language_->flatten_weights();
  fusion_.flatten_weights();
}

}  // namespace lrcn
