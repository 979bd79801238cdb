#include "lstm.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <cmath>
#include <iterator>
#include <optional>

#include "precision.hpp"

namespace lrcn {
namespace {

/// One LSTM layer over packed steps. It is faster than at::lstm: nothing is computed for padding, the feature's part of the
/// gates is computed once a row instead of once a step, and the gradients of the weights are one product each.
class PackedLayer : public torch::autograd::Function<PackedLayer> {
 public:
  /// x: [total, inputs], feature: [rows, size] or none, in the order of the packed rows.
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& feature, const at::Tensor& weight_ih,
                            const at::Tensor& weight_hh, const at::Tensor& bias_ih, const at::Tensor& bias_hh,
                            const PackedSteps& steps) {
    const int64_t hidden = weight_hh.size(1), inputs = x.size(1);
    // The gates i, f, g, o of each step: replaced by their activations as the steps are computed.
    auto gates = at::addmm(bias_ih + bias_hh, x, weight_ih.narrow(1, 0, inputs).t());
    const auto feature_gates =
        feature ? at::mm(*feature, weight_ih.narrow(1, inputs, feature->size(1)).t()) : at::Tensor();
    auto h = at::empty({x.size(0), hidden}, x.options()), c = at::empty_like(h), tanh_c = at::empty_like(h);
    int64_t first = 0, previous = 0;
    for (const int64_t rows : steps.rows) {
      auto gate = gates.narrow(0, first, rows);
      if (feature_gates.defined()) gate.add_(feature_gates.narrow(0, 0, rows));
      if (first > 0) gate.addmm_(h.narrow(0, previous, rows), weight_hh.t());
      const auto [i, f, g, o] = activate(gate);
      auto cell = c.narrow(0, first, rows), tanh_cell = tanh_c.narrow(0, first, rows), out = h.narrow(0, first, rows);
      at::mul_out(cell, i, g);
      if (first > 0) cell.addcmul_(f, c.narrow(0, previous, rows));
      at::tanh_out(tanh_cell, cell);
      at::mul_out(out, o, tanh_cell);
      previous = first;
      first += rows;
    }
    context->save_for_backward(
        {x, feature.value_or(at::Tensor()), weight_ih, weight_hh, gates, h, c, tanh_c, steps.predecessors});
    context->saved_data["rows"] = steps.rows;
    return h;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &feature = saved[1], &weight_ih = saved[2], &weight_hh = saved[3], &gates = saved[4],
               &h = saved[5], &c = saved[6], &tanh_c = saved[7], &predecessors = saved[8];
    const auto all_rows = context->saved_data["rows"].toIntVector();
    const int64_t inputs = x.size(1), total = x.size(0);
    auto grad_h = gradients[0].clone(at::MemoryFormat::Contiguous);
    auto grad_gates = at::empty_like(gates);
    at::Tensor grad_cell;  // what the step after passes back to its rows' cells
    int64_t first = total;
    for (auto rows_of = all_rows.rbegin(); rows_of != all_rows.rend(); ++rows_of) {
      const int64_t rows = *rows_of;
      first -= rows;
      const auto [i, f, g, o] = split(gates.narrow(0, first, rows));
      auto [grad_i, grad_f, grad_g, grad_o] = split(grad_gates.narrow(0, first, rows));
      const auto grad_out = grad_h.narrow(0, first, rows), tanh_cell = tanh_c.narrow(0, first, rows);
      at::sigmoid_backward_out(grad_o, grad_out * tanh_cell, o);
      auto cell = at::tanh_backward(grad_out * o, tanh_cell);
      if (grad_cell.defined()) cell.narrow(0, 0, grad_cell.size(0)).add_(grad_cell);
      at::sigmoid_backward_out(grad_i, cell * g, i);
      at::tanh_backward_out(grad_g, cell * i, g);
      if (first == 0) {
        grad_f.zero_();  // the first state is zero
        break;
      }
      const int64_t previous = first - *std::next(rows_of);
      at::sigmoid_backward_out(grad_f, cell * c.narrow(0, previous, rows), f);
      grad_cell = cell.mul_(f);
      grad_h.narrow(0, previous, rows).addmm_(grad_gates.narrow(0, first, rows), weight_hh);
    }

    const int64_t first_rows = all_rows.front();
    const auto grad_weight_hh =
        at::mm(grad_gates.narrow(0, first_rows, total - first_rows).t(), h.index_select(0, predecessors));
    auto grad_weight_ih = at::mm(grad_gates.t(), x);
    const auto grad_x = at::mm(grad_gates, weight_ih.narrow(1, 0, inputs));
    at::Tensor grad_feature;
    if (feature.defined()) {
      auto grad_rows = grad_gates.narrow(0, 0, first_rows).clone();
      int64_t step = first_rows;
      for (size_t at = 1; at < all_rows.size(); step += all_rows[at++]) {
        grad_rows.narrow(0, 0, all_rows[at]).add_(grad_gates.narrow(0, step, all_rows[at]));
      }
      grad_weight_ih = at::cat({grad_weight_ih, at::mm(grad_rows.t(), feature)}, 1);
      grad_feature = at::mm(grad_rows, weight_ih.narrow(1, inputs, feature.size(1)));
    }
    const auto grad_bias = grad_gates.sum(0);
    return {grad_x, grad_feature, grad_weight_ih, grad_weight_hh, grad_bias, grad_bias, at::Tensor()};
  }

 private:
  using Gates = std::array<at::Tensor, 4>;

  static Gates split(const at::Tensor& gates) {
    const auto parts = gates.chunk(4, 1);
    return {parts[0], parts[1], parts[2], parts[3]};
  }

  static Gates activate(at::Tensor& gates) {
    auto [i, f, g, o] = split(gates);
    return {i.sigmoid_(), f.sigmoid_(), g.tanh_(), o.sigmoid_()};
  }
};

/// Drops warnings in a scope: weights converted for cuDNN do not lie in one block, of which libtorch warns each time.
class Quiet {
  struct Handler : c10::WarningHandler {
    void process(const c10::Warning&) override {}
  };
  Handler handler_;
  c10::WarningUtils::WarningHandlerGuard guard_{&handler_};
};

}  // namespace

PackedSteps::PackedSteps(const at::Tensor& lengths, int64_t steps) {
  order = lengths.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
  const auto* length = lengths.const_data_ptr<int64_t>();
  const auto* row = order.const_data_ptr<int64_t>();
  std::vector<int64_t> flat, before;
  int64_t longer = lengths.size(0);
  for (int64_t step = 0; step < steps; ++step) {
    while (longer > 0 && length[row[longer - 1]] <= step) --longer;
    if (longer == 0) break;
    const auto previous = static_cast<int64_t>(flat.size()) - (rows.empty() ? 0 : rows.back());
    for (int64_t at = 0; at < longer; ++at) {
      flat.push_back(row[at] * steps + step);
      if (step > 0) before.push_back(previous + at);
    }
    rows.push_back(longer);
  }
  positions = at::tensor(flat, at::kLong);
  predecessors = at::tensor(before, at::kLong);
}

Lstm::Lstm(Parameters& parameters, const std::string& name, int64_t inputs, int64_t hidden, int64_t layers)
    : inputs_(inputs), hidden_(hidden), layers_(layers) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  for (int64_t layer = 0; layer < layers; ++layer) {
    const auto suffix = "_l" + std::to_string(layer);
    weights_.push_back(
        parameters.uniform(name + ".weight_ih" + suffix, {4 * hidden, layer == 0 ? inputs : hidden}, bound));
    weights_.push_back(parameters.uniform(name + ".weight_hh" + suffix, {4 * hidden, hidden}, bound));
    weights_.push_back(parameters.uniform(name + ".bias_ih" + suffix, {4 * hidden}, bound));
    weights_.push_back(parameters.uniform(name + ".bias_hh" + suffix, {4 * hidden}, bound));
  }
}

at::Tensor Lstm::operator()(at::Tensor x, State& state, const Between& between) const {
  // Autocast computes LSTMs on a GPU in float16, in which small gradients vanish, and on a CPU in bfloat16 without asking
  // whether oneDNN has it, and then fails. So weights and states are converted here.
  const auto type = x.device().type();
  const bool autocast = (x.is_cpu() || x.is_cuda()) && at::autocast::is_autocast_enabled(type);
  std::optional<c10::impl::ExcludeDispatchKeyGuard> no_autocast;
  if (autocast) no_autocast.emplace(at::autocast::get_autocast_dispatch_key_from_device_type(type));
  const bool converts = autocast && computes_bfloat16(x.device());
  std::vector<at::Tensor> hidden, cell;
  for (int64_t layer = 0; layer < layers_; ++layer) {
    if (layer > 0) x = between(std::move(x));
    auto weights = layer_weights(layer);
    const auto dtype = converts ? at::kBFloat16 : weights.front().scalar_type();
    for (auto& weight : weights) weight = weight.to(dtype);
    const at::Tensor given[] = {state.first.narrow(0, layer, 1).to(dtype), state.second.narrow(0, layer, 1).to(dtype)};
    const Quiet quiet;
    auto [out, h, c] = at::lstm(x.to(dtype), given, weights, /*has_biases=*/true, /*num_layers=*/1, /*dropout=*/0.0,
                                /*train=*/at::GradMode::is_enabled(), /*bidirectional=*/false, /*batch_first=*/true);
    x = out;
    hidden.push_back(h);
    cell.push_back(c);
  }
  state = State(at::cat(hidden), at::cat(cell));
  return x;
}

Lstm::State Lstm::zero_state(int64_t rows) const {
  const auto zeros = at::zeros({layers_, rows, hidden_}, weights_.front().options().requires_grad(false));
  return {zeros, zeros};
}

std::vector<at::Tensor> Lstm::layer_weights(int64_t layer) const {
  const auto first = weights_.begin() + layer * kTensorsPerLayer;
  return {first, first + kTensorsPerLayer};
}

void Lstm::flatten_weights() {
  if (!weights_.front().is_cuda() || !at::detail::getCUDAHooks().compiledWithCuDNN()) return;
  const at::NoGradGuard no_grad;
  constexpr int64_t kLstmMode = 2;
  for (int64_t layer = 0; layer < layers_; ++layer) {
    at::_cudnn_rnn_flatten_weight(layer_weights(layer), kTensorsPerLayer, layer == 0 ? inputs_ : hidden_, kLstmMode,
                                  hidden_, /*proj_size=*/0, /*num_layers=*/1, /*batch_first=*/true,
                                  /*bidirectional=*/false);
  }
}

Lstm Lstm::to(at::ScalarType dtype) const {
  Lstm converted(*this);
  for (auto& weight : converted.weights_) weight = weight.detach().to(dtype);
  return converted;
}

bool Lstm::computes_bfloat16(const at::Device& device) {
  return device.is_cuda() ? at::detail::getCUDAHooks().supportsBFloat16RNNWithCuDNN() : onednn_has_bfloat16();
}

bool Lstm::has_packed(const at::Tensor& x) {
  return x.is_cpu() && !(at::autocast::is_autocast_enabled(at::kCPU) && computes_bfloat16(at::kCPU));
}

at::Tensor Lstm::packed(at::Tensor x, const at::Tensor& feature, const PackedSteps& steps,
                        const Between& between) const {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  for (int64_t layer = 0; layer < layers_; ++layer) {
    if (layer > 0) x = between(std::move(x));
    const auto weights = layer_weights(layer);
    const auto added = layer == 0 && feature.defined() ? std::optional(feature) : std::nullopt;
    x = PackedLayer::apply(x.to(weights.front().scalar_type()), added, weights[0], weights[1], weights[2], weights[3],
                           steps);
  }
  return x;
}

}  // namespace lrcn
