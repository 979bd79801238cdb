#include "explanation.hpp"

#include <torch/csrc/autograd/autograd.h>

namespace lrcn {

std::vector<at::Tensor> target_scores(Captioner& captioner, const at::Tensor& grid, const at::Tensor& inputs,
                                      const Batch& batch) {
  const auto feature = captioner.encoder().project(Encoder::pool(grid));
  const auto outputs = captioner.outputs(feature, inputs, batch.with_image_step).squeeze(0);
  std::vector<at::Tensor> scores(static_cast<size_t>(outputs.size(0)));
  for (size_t step = 0; step < scores.size(); ++step) {
    const auto at = static_cast<int64_t>(step);
    const auto word = batch.targets.const_data_ptr<int32_t>()[step];
    if (word < 0) continue;
    // One row at a time, so that going back from a word does not go through the vocabulary for all others.
    const auto logits = captioner.logits(outputs.narrow(0, at, 1)).squeeze(0);
    const auto precise = logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
    scores[step] = at::log_softmax(precise, 0).select(0, word);
  }
  return scores;
}

Explanation explain(const at::Tensor& grid, const std::vector<at::Tensor>& scores) {
  const auto n = static_cast<int64_t>(scores.size());
  const auto activations = grid.detach().squeeze(0).to(at::kDouble);
  const auto on_host = at::TensorOptions(at::kDouble);
  Explanation explanation{at::zeros({n}, on_host), at::zeros({n, grid.size(2), grid.size(3)}, on_host)};
  for (int64_t step = 0; step < n; ++step) {
    const auto& score = scores[static_cast<size_t>(step)];
    if (!score.defined()) continue;
    // Unlike backward(), this adds nothing to the parameters' gradients.
    const auto gradient = torch::autograd::grad({score}, {grid}, /*grad_outputs=*/{}, /*retain_graph=*/true).front();
    const auto weights = gradient.squeeze(0).to(at::kDouble).mean({1, 2}, /*keepdim=*/true);
    explanation.probabilities[step].copy_(score.detach().to(at::kDouble).exp());
    explanation.heat[step].copy_((weights * activations).sum(0).relu());
  }
  return explanation;
}

}  // namespace lrcn
