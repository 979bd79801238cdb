#include "batch_norm.hpp"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "group.hpp"
#include "sync_batch_norm.hpp"

// The compiler builds each loop for several processors and the loader chooses one; ASan cannot start with that.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define LRCN_VECTORIZED [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define LRCN_VECTORIZED
#endif

namespace lrcn {
namespace {

/// The accumulator type of T; partial sums are combined in double.
template <class T>
using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;

// The loops see an image batch as rows (pixels) of channels.

template <class T>
LRCN_VECTORIZED void add_rows(const T* __restrict x, int64_t rows, int64_t channels, Sum<T>* __restrict sum) {
  for (int64_t row = 0; row < rows; ++row, x += channels) {
    for (int64_t c = 0; c < channels; ++c) sum[c] += static_cast<Sum<T>>(x[c]);
  }
}

template <class T>
LRCN_VECTORIZED void add_squares(const T* __restrict x, int64_t rows, int64_t channels, const Sum<T>* __restrict mean,
                                 Sum<T>* __restrict sum) {
  for (int64_t row = 0; row < rows; ++row, x += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      const Sum<T> difference = static_cast<Sum<T>>(x[c]) - mean[c];
      sum[c] += difference * difference;
    }
  }
}

/// Applies the activation; NaN stays NaN.
template <Activation kActivation, class Value>
inline Value activate(Value value) {
  if constexpr (kActivation != Activation::kNone) value = value < 0 ? 0 : value;
  if constexpr (kActivation == Activation::kRelu6) value = value > 6 ? 6 : value;
  return value;
}

/// Whether the activation passes a gradient on, by its input or its output.
template <Activation kActivation, class Value>
inline bool passes(Value value) {
  if constexpr (kActivation == Activation::kNone) return true;
  if constexpr (kActivation == Activation::kRelu) return value > 0;
  return value > 0 && value < 6;
}

/// y = x scale + shift, plus the shortcut.
template <bool kShortcut, Activation kActivation, class T>
LRCN_VECTORIZED void scale_rows(const T* __restrict x, const T* __restrict shortcut, int64_t rows, int64_t channels,
                                const Sum<T>* __restrict scale, const Sum<T>* __restrict shift, T* __restrict y) {
  for (int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      Sum<T> value = static_cast<Sum<T>>(x[c]) * scale[c] + shift[c];
      if constexpr (kShortcut) value += static_cast<Sum<T>>(shortcut[c]);
      y[c] = static_cast<T>(activate<kActivation>(value));
    }
    if constexpr (kShortcut) shortcut += channels;
  }
}

/// Whether the activation passed a value on: with a shortcut read from y, without one recomputed from x, which saves
/// reading y.
template <bool kShortcut, Activation kActivation, class T>
inline bool went_through(T x, const T* y, int64_t c, Sum<T> scale, Sum<T> shift) {
  if constexpr (kActivation == Activation::kNone) return true;
  if constexpr (kShortcut) return passes<kActivation>(static_cast<Sum<T>>(y[c]));
  return passes<kActivation>(static_cast<Sum<T>>(x) * scale + shift);
}

/// Sums of the gradient g at the activation's input, and of g (x - mean).
template <bool kShortcut, Activation kActivation, class T>
LRCN_VECTORIZED void add_gradients(const T* __restrict gradient, const T* __restrict x, const T* __restrict y,
                                   int64_t rows, int64_t channels, const Sum<T>* __restrict scale,
                                   const Sum<T>* __restrict shift, const Sum<T>* __restrict mean,
                                   Sum<T>* __restrict sum, Sum<T>* __restrict product) {
  for (int64_t row = 0; row < rows; ++row, gradient += channels, x += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      const Sum<T> incoming = static_cast<Sum<T>>(gradient[c]);
      const Sum<T> g = went_through<kShortcut, kActivation>(x[c], y, c, scale[c], shift[c]) ? incoming : 0;
      sum[c] += g;
      product[c] += g * (static_cast<Sum<T>>(x[c]) - mean[c]);
    }
    if constexpr (kShortcut) y += channels;
  }
}

/// The gradient of x, g scale + x slope + offset, and that of the shortcut, g.
template <bool kShortcut, Activation kActivation, class T>
LRCN_VECTORIZED void spread_gradients(const T* __restrict gradient, const T* __restrict x, const T* __restrict y,
                                      int64_t rows, int64_t channels, const Sum<T>* __restrict scale,
                                      const Sum<T>* __restrict shift, const Sum<T>* __restrict slope,
                                      const Sum<T>* __restrict offset, T* __restrict of_x, T* __restrict of_shortcut) {
  for (int64_t row = 0; row < rows; ++row, gradient += channels, x += channels, of_x += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      const Sum<T> incoming = static_cast<Sum<T>>(gradient[c]);
      const Sum<T> g = went_through<kShortcut, kActivation>(x[c], y, c, scale[c], shift[c]) ? incoming : 0;
      of_x[c] = static_cast<T>(g * scale[c] + static_cast<Sum<T>>(x[c]) * slope[c] + offset[c]);
      if constexpr (kShortcut) of_shortcut[c] = static_cast<T>(g);
    }
    if constexpr (kShortcut) {
      y += channels;
      of_shortcut += channels;
    }
  }
}

/// Rows that fit a core's cache while they are read twice.
template <class T>
int64_t block_rows(int64_t channels) {
  constexpr int64_t kBytes = 256 << 10;
  return std::max<int64_t>(1, kBytes / (channels * static_cast<int64_t>(sizeof(T))));
}

/// Calls task(thread, begin, end) for parts of the rows.
template <class Task>
void in_parallel(int64_t rows, int64_t channels, const Task& task) {
  constexpr int64_t kElements = 32768;  // below this, one thread is faster
  at::parallel_for(0, rows, std::max<int64_t>(1, kElements / channels),
                   [&](int64_t begin, int64_t end) { task(static_cast<size_t>(at::get_thread_num()), begin, end); });
}

/// Two numbers for each channel and thread.
struct Partial {
  int64_t rows = 0;
  std::vector<double> first, second;
};

std::vector<Partial> partials(int64_t channels) {
  const auto size = static_cast<size_t>(channels);
  return std::vector<Partial>(static_cast<size_t>(at::get_num_threads()),
                              {0, std::vector<double>(size), std::vector<double>(size)});
}

/// Merges means and sums of squared differences of more rows (Chan et al. 1979).
template <class Mean, class Squares>
void merge(Partial& all, int64_t rows, const Mean* mean, const Squares* squares) {
  const double total = static_cast<double>(all.rows + rows);
  const double fraction = static_cast<double>(rows) / total, weight = fraction * static_cast<double>(all.rows);
  for (size_t c = 0; c < all.first.size(); ++c) {
    const double difference = mean[c] - all.first[c];
    all.first[c] += difference * fraction;
    all.second[c] += squares[c] + difference * difference * weight;
  }
  all.rows += rows;
}

template <class Value>
void add(Partial& all, const std::vector<Value>& first, const std::vector<Value>& second) {
  for (size_t c = 0; c < first.size(); ++c) {
    all.first[c] += first[c];
    all.second[c] += second[c];
  }
}

/// Each channel's mean and sum of squared differences from it.
template <class T>
Partial statistics(const T* x, int64_t rows, int64_t channels) {
  auto parts = partials(channels);
  in_parallel(rows, channels, [&](size_t thread, int64_t begin, int64_t end) {
    std::vector<Sum<T>> mean(static_cast<size_t>(channels)), squares(mean.size());
    for (int64_t row = begin; row < end; row += block_rows<T>(channels)) {
      const int64_t count = std::min(block_rows<T>(channels), end - row);
      std::ranges::fill(mean, 0);
      std::ranges::fill(squares, 0);
      add_rows(x + row * channels, count, channels, mean.data());
      for (auto& value : mean) value /= static_cast<Sum<T>>(count);
      add_squares(x + row * channels, count, channels, mean.data(), squares.data());
      merge(parts[thread], count, mean.data(), squares.data());
    }
  });
  Partial all = std::move(parts.front());
  for (size_t part = 1; part < parts.size(); ++part) {
    if (parts[part].rows > 0) merge(all, parts[part].rows, parts[part].first.data(), parts[part].second.data());
  }
  return all;
}

/// The statistics of all ranks' rows.
Partial gather(const Partial& own, Group& group) {
  std::vector<double> numbers{static_cast<double>(own.rows)};
  numbers.insert(numbers.end(), own.first.begin(), own.first.end());
  numbers.insert(numbers.end(), own.second.begin(), own.second.end());
  Partial all{0, std::vector<double>(own.first.size()), std::vector<double>(own.second.size())};
  for (const auto& rank : group.gather(at::tensor(numbers, at::kDouble))) {
    const auto* rows = rank.const_data_ptr<double>();
    merge(all, static_cast<int64_t>(*rows), rows + 1, rows + 1 + own.first.size());
  }
  return all;
}

template <class T>
const Sum<T>* channel_data(const at::Tensor& tensor) {
  return tensor.const_data_ptr<Sum<T>>();
}

/// Calls task with a boolean and an activation that are compile-time constants.
template <class Task>
void choose(bool first, Activation activation, const Task& task) {
  const auto with = [&]<Activation kActivation>(std::integral_constant<Activation, kActivation> chosen) {
    first ? task(std::true_type{}, chosen) : task(std::false_type{}, chosen);
  };
  switch (activation) {
    case Activation::kNone: return with(std::integral_constant<Activation, Activation::kNone>{});
    case Activation::kRelu: return with(std::integral_constant<Activation, Activation::kRelu>{});
    case Activation::kRelu6: return with(std::integral_constant<Activation, Activation::kRelu6>{});
  }
}

at::Tensor as_rows(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

/// bfloat16 is accumulated in float.
at::ScalarType sum_type(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

template <class Task>
void dispatch(const at::Tensor& x, const Task& task) {
  AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, x.scalar_type(), "batch_norm", [&] { task(scalar_t{}); });
}

struct FusedNorm : torch::autograd::Function<FusedNorm> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& given, const at::Tensor& weight,
                            const at::Tensor& bias, const std::optional<at::Tensor>& given_shortcut,
                            const NormTensors& tensors, const NormOptions& options) {
    const auto x = as_rows(given);
    const auto shortcut = given_shortcut ? as_rows(given_shortcut->to(x.scalar_type())) : at::Tensor();
    const int64_t channels = x.size(1), rows = x.numel() / channels;
    auto mean = tensors.running_mean, variance = tensors.running_var;
    int64_t all_rows = rows;
    if (options.batch_statistics) {
      Partial all;
      dispatch(x, [&](auto zero) {
        using T = decltype(zero);
        all = statistics(x.const_data_ptr<T>(), rows, channels);
      });
      if (options.group != nullptr) all = gather(all, *options.group);
      all_rows = all.rows;
      mean = at::tensor(all.first, at::kDouble);
      const auto squares = at::tensor(all.second, at::kDouble);
      variance = squares / static_cast<double>(all_rows);
      at::Tensor(tensors.running_mean).mul_(1 - options.momentum).add_(mean, options.momentum);
      at::Tensor(tensors.running_var)
          .mul_(1 - options.momentum)
          .add_(squares, options.momentum / static_cast<double>(all_rows - 1));
    }
    const auto type = sum_type(x);
    const auto inverse = (variance.to(at::kDouble) + options.epsilon).rsqrt_();
    mean = mean.to(at::kDouble);
    const auto scale = inverse * weight.detach(), shift = bias.detach() - mean * scale;
    const auto scales = scale.to(type), shifts = shift.to(type);
    const auto y = at::empty_like(x);
    dispatch(x, [&](auto zero) {
      using T = decltype(zero);
      const T* added = shortcut.defined() ? shortcut.const_data_ptr<T>() : nullptr;
      choose(added != nullptr, options.activation, [&](auto has_shortcut, auto activation) {
        in_parallel(rows, channels, [&](size_t, int64_t begin, int64_t end) {
          const int64_t at = begin * channels;
          scale_rows<has_shortcut, activation>(x.const_data_ptr<T>() + at, has_shortcut ? added + at : nullptr, end - begin,
                                         channels, channel_data<T>(scales), channel_data<T>(shifts),
                                         y.mutable_data_ptr<T>() + at);
        });
      });
    });
    const auto cut = options.activation != Activation::kNone && shortcut.defined() ? y : at::Tensor();
    context->save_for_backward({x, cut, mean, inverse, scales, shifts});
    context->saved_data["activation"] = static_cast<int64_t>(options.activation);
    context->saved_data["all_rows"] = options.batch_statistics ? all_rows : 0;
    context->saved_data["group"] = reinterpret_cast<int64_t>(options.group);
    context->saved_data["shortcut"] = shortcut.defined();
    context->saved_data["dtype"] = weight.scalar_type();
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &y = saved[1], &mean = saved[2], &inverse = saved[3], &scales = saved[4],
               &shifts = saved[5];
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const bool added = context->saved_data["shortcut"].toBool();
    const int64_t channels = x.size(1), rows = x.numel() / channels;
    const auto gradient = as_rows(gradients[0].to(x.scalar_type()));
    const auto of_x = at::empty_like(x);
    // Without an activation the shortcut's gradient is the incoming one.
    const bool cut_shortcut = added && activation != Activation::kNone;
    const auto of_shortcut = cut_shortcut ? at::empty_like(x) : added ? gradient : at::Tensor();
    at::Tensor of_weight, of_bias;
    dispatch(x, [&](auto zero) {
      using T = decltype(zero);
      const T *g = gradient.const_data_ptr<T>(), *input = x.const_data_ptr<T>();
      choose(cut_shortcut, activation, [&](auto shortcut, auto chosen) {
        const T* output = shortcut ? y.const_data_ptr<T>() : nullptr;
        const auto means = mean.to(scales.scalar_type());
        auto sums = partials(channels);
        in_parallel(rows, channels, [&](size_t thread, int64_t begin, int64_t end) {
          std::vector<Sum<T>> sum(static_cast<size_t>(channels)), product(sum.size());
          for (int64_t row = begin; row < end; row += block_rows<T>(channels)) {
            const int64_t count = std::min(block_rows<T>(channels), end - row), at = row * channels;
            std::ranges::fill(sum, 0);
            std::ranges::fill(product, 0);
            add_gradients<shortcut, chosen>(g + at, input + at, shortcut ? output + at : nullptr, count, channels,
                                          channel_data<T>(scales), channel_data<T>(shifts), channel_data<T>(means),
                                          sum.data(), product.data());
            add(sums[thread], sum, product);
          }
        });
        for (size_t part = 1; part < sums.size(); ++part) add(sums[0], sums[part].first, sums[part].second);
        of_bias = at::tensor(sums[0].first, at::kDouble);
        of_weight = at::tensor(sums[0].second, at::kDouble).mul_(inverse);
        auto slopes = at::zeros_like(scales), offsets = at::zeros_like(scales);
        if (const int64_t all_rows = context->saved_data["all_rows"].toInt(); all_rows > 0) {
          // Each row contributes to the statistics of all ranks.
          const auto all = at::stack({of_bias, of_weight});
          if (auto* group = reinterpret_cast<Group*>(context->saved_data["group"].toInt())) group->reduce(all);
          const auto scale = scales.to(at::kDouble) / static_cast<double>(all_rows), slope = -scale * inverse * all[1];
          slopes = slope.to(scales.scalar_type());
          offsets = (-scale * all[0] - slope * mean).to(scales.scalar_type());
        }
        in_parallel(rows, channels, [&](size_t, int64_t begin, int64_t end) {
          const int64_t at = begin * channels;
          spread_gradients<shortcut, chosen>(
              g + at, input + at, shortcut ? output + at : nullptr, end - begin, channels, channel_data<T>(scales),
              channel_data<T>(shifts), channel_data<T>(slopes), channel_data<T>(offsets),
              of_x.mutable_data_ptr<T>() + at, shortcut ? of_shortcut.mutable_data_ptr<T>() + at : nullptr);
        });
      });
    });
    const auto dtype = context->saved_data["dtype"].toScalarType();
    return {of_x, of_weight.to(dtype), of_bias.to(dtype), of_shortcut, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor batch_norm(const at::Tensor& x, const NormTensors& tensors, const at::Tensor& shortcut,
                      const NormOptions& options) {
  if (x.is_cpu()) {
    const auto added = shortcut.defined() ? std::optional(shortcut) : std::nullopt;
    return FusedNorm::apply(x, tensors.weight, tensors.bias, added, tensors, options);
  }
  auto out = options.group != nullptr
                 ? sync_batch_norm(x, tensors, options)
                 : at::batch_norm(x, tensors.weight, tensors.bias, tensors.running_mean, tensors.running_var,
                                  options.batch_statistics, options.momentum, options.epsilon, /*cudnn_enabled=*/true);
  if (shortcut.defined()) out = out.add_(shortcut);
  return activate_(out, options.activation);
}

at::Tensor activate_(at::Tensor x, Activation activation) {
  switch (activation) {
    case Activation::kRelu: return x.relu_();
    case Activation::kRelu6: return at::hardtanh_(x, 0, 6);
    default: return x;
  }
}

}  // namespace lrcn
