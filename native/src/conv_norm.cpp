#include "conv_norm.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "precision.hpp"
#include "sync_batch_norm.hpp"

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

/// The type that a convolution of x computes in.
at::ScalarType convolution_type(const at::Tensor& x, const at::Tensor& weight) {
  const bool autocast = weight.scalar_type() == at::kFloat && at::autocast::is_autocast_enabled(x.device().type());
  return autocast ? at::autocast::get_autocast_dtype(x.device().type()) : weight.scalar_type();
}

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
  if (const auto type = convolution_type(x, weight_); frozen && x.is_cpu() && onednn::computes(type)) {
    x = x.to(type);
    fold(x, padding);
    // oneDNN could do the activation too, but its ReLU makes a 0 of NaN, and a model that has diverged must show it.
    return activate_(onednn::convolution(x, folded_.weight, folded_.bias, padding, {shape_.stride, shape_.stride},
                                         groups_, shortcut.defined() ? shortcut.to(type) : shortcut),
                     activation);
  }
  folded_ = {};
  x = at::conv2d(x, weight_, {}, shape_.stride, padding, /*dilation=*/1, groups_);
  if (mode.batch_statistics) at::Tensor(num_batches_tracked_).add_(1);
  const NormOptions options{style_.momentum, style_.epsilon, mode.batch_statistics, activation};
  if (!mode.batch_statistics || mode.group == nullptr) return batch_norm(x, norm_, shortcut, options);
  return sync_batch_norm(x, norm_, shortcut, options, *mode.group);
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
