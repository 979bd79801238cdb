#include "conv_norm.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "precision.hpp"

namespace lrcn {
namespace {

/// oneDNN's convolutions fused with the operations that follow; in libtorch they are meant for its compiler.
namespace onednn {

using Scalars = c10::List<std::optional<at::Scalar>>;

constexpr const char* kConvolution = "mkldnn::_convolution_pointwise";

bool computes(at::ScalarType type) {
  static const bool found = c10::Dispatcher::singleton().findSchema({kConvolution, ""}).has_value();
  return found && (type == at::kFloat || (type == at::kBFloat16 && onednn_has_bfloat16()));
}

at::Tensor reorder_weight(const at::Tensor& weight, at::IntArrayRef padding, at::IntArrayRef stride, int64_t groups,
                          at::IntArrayRef input) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("mkldnn::_reorder_convolution_weight", "")
                             .typed<at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                                               int64_t, at::OptionalIntArrayRef)>();
  return op.call(weight, padding, stride, /*dilation=*/{1, 1}, groups, input);
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, at::IntArrayRef padding,
                       at::IntArrayRef stride, int64_t groups, const at::Tensor& shortcut) {
  static const auto alone =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow(kConvolution, "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                            at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view, Scalars,
                            std::optional<std::string_view>)>();
  static const auto added =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow(kConvolution, "binary")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view,
                            std::optional<at::Scalar>, std::optional<std::string_view>, Scalars,
                            std::optional<std::string_view>)>();
  constexpr at::IntArrayRef::value_type kDilation[] = {1, 1};
  if (!shortcut.defined()) {
    return alone.call(x, weight, bias, padding, stride, kDilation, groups, /*attr=*/"none", Scalars(), "");
  }
  return added.call(x, shortcut, weight, bias, padding, stride, kDilation, groups, "add", /*alpha=*/1,
                    /*unary_attr=*/std::nullopt, Scalars(), "");
}

}  // namespace onednn

/// The type that a convolution on the CPU computes in.
at::ScalarType convolution_type(const at::Tensor& weight) {
  const bool autocast = weight.scalar_type() == at::kFloat && at::autocast::is_autocast_enabled(at::kCPU);
  return autocast ? at::autocast::get_autocast_dtype(at::kCPU) : weight.scalar_type();
}

/// A depthwise convolution in bfloat16 with gradients by float32's kernels: oneDNN's for bfloat16 take four times as long
/// (AMX, efficientnet-lite2: 0.7 of a step's 1.3 s instead of 0.17).
struct Depthwise : torch::autograd::Function<Depthwise> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::vector<int64_t>& stride, const std::vector<int64_t>& padding) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    return at::conv2d(x, weight.to(x.scalar_type()), {}, stride, padding, kDilation, weight.size(0));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const auto [of_x, of_weight, _] = at::convolution_backward(
        gradients[0].to(weight.scalar_type()), x.to(weight.scalar_type()), weight, /*bias_sizes=*/std::nullopt,
        context->saved_data["stride"].toIntVector(), context->saved_data["padding"].toIntVector(), kDilation,
        /*transposed=*/false, /*output_padding=*/{0, 0}, weight.size(0),
        {context->needs_input_grad(0), context->needs_input_grad(1), false});
    return {of_x.defined() ? of_x.to(x.scalar_type()) : of_x, of_weight, at::Tensor(), at::Tensor()};
  }

 private:
  static constexpr std::array<int64_t, 2> kDilation{1, 1};
};

}  // namespace

ConvNorm::ConvNorm(Parameters& parameters, const std::string& convolution, const std::string& norm,
                   const ConvShape& shape, const ConvNormStyle& style)
    : shape_(shape), style_(style), groups_(shape.depthwise ? shape.inputs : 1) {
  // Kaiming's normal initialization with mode fan_out, as in torchvision's ResNets and TensorFlow's EfficientNets.
  const auto fan_out = static_cast<double>(shape.outputs / groups_ * shape.kernel * shape.kernel);
  weight_ = parameters.normal(convolution + ".weight",
                              {shape.outputs, shape.inputs / groups_, shape.kernel, shape.kernel},
                              std::sqrt(2 / fan_out));
  norm_.weight = parameters.constant(norm + ".weight", {shape.outputs}, 1);
  norm_.bias = parameters.constant(norm + ".bias", {shape.outputs}, 0);
  norm_.running_mean = parameters.buffer(norm + ".running_mean", at::zeros({shape.outputs}, parameters.dtype()));
  norm_.running_var = parameters.buffer(norm + ".running_var", at::ones({shape.outputs}, parameters.dtype()));
  num_batches_tracked_ = parameters.buffer(norm + ".num_batches_tracked", at::zeros({}, at::kLong));
}

at::Tensor ConvNorm::operator()(const at::Tensor& given, const NormMode& mode, Activation activation,
                                const at::Tensor& shortcut) const {
  auto x = given;
  const int64_t rows = zeros(x.size(2)), columns = zeros(x.size(3));
  std::array<int64_t, 2> padding{rows / 2, columns / 2};
  if (rows % 2 != 0 || columns % 2 != 0) {
    x = at::constant_pad_nd(x, {columns / 2, columns - columns / 2, rows / 2, rows - rows / 2});
    padding = {0, 0};
  }
  const bool frozen = !mode.batch_statistics && !at::GradMode::is_enabled();
  const auto type = convolution_type(weight_);
  if (frozen && x.is_cpu() && onednn::computes(type)) {
    x = x.to(type);
    fold(x, padding);
    // oneDNN could do the activation too, but its ReLU makes a 0 of NaN, and a model that has diverged must show it.
    return activate_(onednn::convolution(x, folded_.weight, folded_.bias, padding, {shape_.stride, shape_.stride},
                                         groups_, shortcut.defined() ? shortcut.to(type) : shortcut),
                     activation);
  }
  folded_ = {};
  const std::vector<int64_t> stride(2, shape_.stride), around(padding.begin(), padding.end());
  x = shape_.depthwise && x.is_cpu() && type == at::kBFloat16
          ? Depthwise::apply(x.to(type), weight_, stride, around)
          : at::conv2d(x, weight_, {}, stride, around, /*dilation=*/1, groups_);
  if (mode.batch_statistics) at::Tensor(num_batches_tracked_).add_(1);
  return batch_norm(x, norm_, shortcut,
                    {style_.momentum, style_.epsilon, mode.batch_statistics, activation,
                     mode.batch_statistics ? mode.group : nullptr});
}

/// The padding of both sides together.
int64_t ConvNorm::zeros(int64_t side) const {
  if (style_.padding == Padding::kSymmetric) return shape_.kernel / 2 * 2;
  const int64_t outputs = (side + shape_.stride - 1) / shape_.stride;
  return std::max<int64_t>((outputs - 1) * shape_.stride + shape_.kernel - side, 0);
}

void ConvNorm::fold(const at::Tensor& x, at::IntArrayRef padding) const {
  const auto type = x.scalar_type();
  std::array<int64_t, 5> versions;
  std::ranges::transform(std::array{weight_, norm_.weight, norm_.bias, norm_.running_mean, norm_.running_var},
                         versions.begin(), [](const at::Tensor& tensor) { return tensor._version(); });
  if (folded_.weight.defined() && folded_.type == type && folded_.versions == versions) return;
  const auto scale = norm_.weight.to(at::kDouble) * (norm_.running_var.to(at::kDouble) + style_.epsilon).rsqrt();
  const auto shift = norm_.bias.to(at::kDouble) - norm_.running_mean.to(at::kDouble) * scale;
  const auto weight = (weight_ * scale.to(weight_.scalar_type()).view({-1, 1, 1, 1})).to(type).contiguous();
  folded_ = {versions, type,
             onednn::reorder_weight(weight, padding, {shape_.stride, shape_.stride}, groups_, x.sizes()),
             shift.to(type)};
}

}  // namespace lrcn
