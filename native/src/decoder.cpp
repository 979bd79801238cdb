#include "decoder.hpp"

namespace lrcn {

Decoder::Decoder(Captioner captioner, at::Tensor features)
    : captioner_(std::move(captioner)),
      features_(std::move(features)),
      state_(captioner_.zero_state(features_.size(0))) {}

Decoder::Step Decoder::step(const at::Tensor& parents, const at::Tensor& tokens, int64_t k) const {
  const auto follow = [&](const Lstm::State& state) {
    return Lstm::State{state.first.index_select(1, parents), state.second.index_select(1, parents)};
  };
  auto features = features_.index_select(0, parents);
  Captioner::State state{std::nullopt, follow(state_.fusion)};
  if (state_.language) state.language = follow(*state_.language);
  const auto logits = captioner_.logits(captioner_.step(features, tokens, state));
  const auto precise = logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
  auto [best, best_tokens] = at::log_softmax(precise, 1).topk(k, 1);
  return {best_tokens, best, std::move(features), std::move(state)};
}

void Decoder::advance(Step step) {
  features_ = std::move(step.features);
  state_ = std::move(step.state);
  begun_ = true;
}

}  // namespace lrcn
