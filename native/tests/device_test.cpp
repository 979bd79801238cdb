// What a GPU would do, as far as a machine without one can tell: a training step on the meta device, whose tensors have
// no numbers to read, and collectives whose other ranks are missing.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/library.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>
#include <set>

#include "arguments.hpp"
#include "captioner.hpp"
#include "engine.hpp"
#include "group.hpp"
#include "parameters.hpp"
#include "precision.hpp"
#include "trainer.hpp"

namespace lrcn {
namespace {

void expect(bool holds, const char* what, int line) {
  if (holds) return;
  std::fprintf(stderr, "line %d: %s\n", line, what);
  std::abort();
}
#define EXPECT(...) expect((__VA_ARGS__), #__VA_ARGS__, __LINE__)

/// The message of the error that a task throws.
std::string message_of(const std::function<void()>& task) {
  try {
    task();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

bool on_meta(at::TensorList tensors) {
  return std::ranges::all_of(tensors, [](const auto& tensor) { return !tensor.defined() || tensor.is_meta(); });
}

// Kernels that libtorch has for each device but meta. They check what a GPU's kernel would be given.

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>&,
                       c10::SymIntArrayRef stride, c10::SymIntArrayRef padding, c10::SymIntArrayRef, bool,
                       c10::SymIntArrayRef, c10::SymInt) {
  EXPECT(on_meta({x, weight}));
  EXPECT(x.scalar_type() == weight.scalar_type());
  const auto side = [&](int64_t axis) {
    const auto index = static_cast<size_t>(axis - 2);
    return (x.size(axis) + 2 * padding[index].expect_int() - weight.size(axis)) / stride[index].expect_int() + 1;
  };
  return at::empty({x.size(0), weight.size(0), side(2), side(3)}, x.options(), at::MemoryFormat::ChannelsLast);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight, c10::SymIntArrayRef, c10::SymIntArrayRef,
    c10::SymIntArrayRef, bool, c10::SymIntArrayRef, c10::SymInt, std::array<bool, 3>) {
  EXPECT(on_meta({gradient, x, weight}));
  return {at::empty_like(x), at::empty_like(weight), at::empty({weight.size(0)}, weight.options())};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> batch_norm(const at::Tensor& x, const std::optional<at::Tensor>& weight,
                                                          const std::optional<at::Tensor>& bias,
                                                          const std::optional<at::Tensor>& mean,
                                                          const std::optional<at::Tensor>& variance, bool, double,
                                                          double) {
  EXPECT(on_meta({x, *weight, *bias, *mean, *variance}));
  return {at::empty_like(x), at::empty_like(*weight), at::empty_like(*weight)};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> batch_norm_backward(
    const at::Tensor& gradient, const at::Tensor& x, const std::optional<at::Tensor>& weight,
    const std::optional<at::Tensor>&, const std::optional<at::Tensor>&, const std::optional<at::Tensor>&,
    const std::optional<at::Tensor>&, bool, double, std::array<bool, 3>) {
  EXPECT(on_meta({gradient, x}));
  return {at::empty_like(x), at::empty_like(*weight), at::empty_like(*weight)};
}

void adam(at::TensorList parameters, at::TensorList gradients, at::TensorList first, at::TensorList second,
          at::TensorList, at::TensorList steps, double, double, double, double, double, bool, bool,
          const std::optional<at::Tensor>&, const std::optional<at::Tensor>& skip) {
  for (const auto& list : {parameters, gradients, first, second, steps}) EXPECT(on_meta(list));
  EXPECT(on_meta({*skip}));
  EXPECT(parameters.size() == gradients.size() && parameters.size() == steps.size());
}

at::Tensor index_select(const at::Tensor& x, int64_t axis, const at::Tensor& index) {
  EXPECT(on_meta({x, index}));
  auto shape = x.sizes().vec();
  shape[static_cast<size_t>(axis)] = index.numel();
  return at::empty(shape, x.options());
}

at::Tensor embedding_backward(const at::Tensor& gradient, const at::Tensor& index, c10::SymInt rows, c10::SymInt, bool) {
  EXPECT(on_meta({gradient, index}));
  return at::empty({rows.expect_int(), gradient.size(-1)}, gradient.options());
}

at::Tensor& of_same_shape(const at::Tensor& x, at::Tensor& out) {
  EXPECT(on_meta({x, out}));
  out.resize_(x.sizes());
  return out;
}

at::Tensor clamp_backward(const at::Tensor& gradient, const at::Tensor& x, const at::Scalar&, const at::Scalar&) {
  EXPECT(on_meta({gradient, x}));
  return at::empty_like(gradient);
}

TORCH_LIBRARY_IMPL(aten, Meta, library) {
  library.impl("hardtanh_backward", &clamp_backward);
  library.impl("abs.out", &of_same_shape);
  library.impl("logical_not.out", &of_same_shape);
  library.impl("index_select", &index_select);
  library.impl("embedding_dense_backward", &embedding_backward);
  library.impl("convolution_overrideable", &convolution);
  library.impl("convolution_backward_overrideable", &convolution_backward);
  library.impl("native_batch_norm", &batch_norm);
  library.impl("native_batch_norm_backward", &batch_norm_backward);
  library.impl("_fused_adam_", &adam);
  library.impl("_fused_adamw_", &adam);
}

lrcn_engine_options engine_options(int32_t inject, int32_t encoder) {
  lrcn_engine_options options{};
  options.size = sizeof options;
  options.vocabulary_size = 11;
  options.embed_size = 6;
  options.hidden_size = 8;
  options.language_layers = 1;
  options.fusion_layers = 2;
  options.inject = inject;
  options.encoder = encoder;
  options.encoder_width = encoder == LRCN_EFFICIENTNET_LITE ? 10 : 4;
  for (auto& blocks : options.encoder_blocks) blocks = 0;
  for (int stage = 0; stage < (encoder == LRCN_EFFICIENTNET_LITE ? 7 : 4); ++stage) options.encoder_blocks[stage] = 1;
  return options;
}

lrcn_train_options train_options() {
  lrcn_train_options options{};
  options.size = sizeof options;
  options.optimizer = LRCN_ADAMW;
  options.batch_norm = LRCN_BATCH;
  options.update = 1;
  options.embedding_dropout = options.feature_dropout = options.lstm_dropout = options.output_dropout = 0.5;
  options.label_smoothing = 0.1;
  options.encoder_learning_rate = options.decoder_learning_rate = 1e-3;
  options.max_gradient_norm = 5;
  return options;
}

Batch batch() {
  Batch batch;
  batch.pixels = at::zeros({2, 64, 64, 3}, at::kByte);
  batch.image_of_row = at::tensor({0, 0, 1}, at::kInt);
  batch.inputs = at::tensor({2, 4, 5, 6, 2, 7, 8, 0, 2, 9, 10, 4}, at::kInt).view({3, 4});
  batch.targets = at::tensor({4, 5, 6, 3, 7, 8, 3, -1, 9, 10, 4, 3}, at::kInt).view({3, 4});
  return batch;
}

struct Model {
  Model(int32_t inject, int32_t encoder, const at::Device& device)
      : options(engine_options(inject, encoder)),
        parameters(at::kFloat, device, at::detail::createCPUGenerator(1)),
        captioner(parameters, options, at::detail::createCPUGenerator(2)),
        trainer(captioner, parameters, device, /*autocast=*/false) {}

  lrcn_engine_options options;
  Parameters parameters;
  Captioner captioner;
  Trainer trainer;
};

/// A step reads no number of the device and leaves nothing on the host: the meta device has none, and refuses to mix.
void test_step_on_meta() {
  for (const int32_t inject : {LRCN_FIRST, LRCN_EVERY}) {
    for (const int32_t encoder : {LRCN_RESNET_BASIC, LRCN_RESNET_BOTTLENECK, LRCN_EFFICIENTNET_LITE}) {
      Model model(inject, encoder, at::kMeta);
      auto options = train_options();
      for (int step = 0; step < 2; ++step) model.trainer.queue(batch(), options);
      options.update = 0;
      model.trainer.queue(batch(), options);
      EXPECT(model.trainer.queued() == 3);
      for (const auto& named : model.parameters.parameters()) {
        EXPECT(named.tensor.is_meta() && named.tensor.grad().defined() && named.tensor.grad().is_meta());
      }
      for (const auto& [name, moment] : model.trainer.moments()) EXPECT(moment.is_meta());
      // To read the results is what would wait for the device.
      EXPECT(message_of([&] { model.trainer.results(); }) != "");
    }
  }
}

/// A backend of one rank whose collectives fail from one on, as NCCL's do if a rank does not answer in time.
class FailingBackend : public c10d::Backend {
 public:
  explicit FailingBackend(int collectives) : Backend(/*rank=*/0, /*size=*/1), left_(collectives) {}

  const std::string getBackendName() const override { return "failing"; }
  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors, const c10d::AllreduceOptions&) override {
    return c10::make_intrusive<Done>(left_-- > 0, tensors);
  }
  c10::intrusive_ptr<c10d::Work> allgather(std::vector<std::vector<at::Tensor>>& outputs,
                                           std::vector<at::Tensor>& inputs, const c10d::AllgatherOptions&) override {
    outputs[0][0].copy_(inputs[0]);
    return c10::make_intrusive<Done>(left_-- > 0, inputs);
  }

 private:
  struct Done : c10d::Work {
    Done(bool succeeds, std::vector<at::Tensor> tensors) : succeeds(succeeds), tensors(std::move(tensors)) {}
    bool wait(std::chrono::milliseconds) override {
      if (!succeeds) throw std::runtime_error("Watchdog caught collective operation timeout");
      return true;
    }
    // As on a GPU, where the reducer's futures are done when the collective is queued.
    c10::intrusive_ptr<c10::ivalue::Future> getFuture() override {
      auto future = c10::make_intrusive<c10::ivalue::Future>(c10::ListType::create(c10::TensorType::get()));
      future->markCompleted(c10::IValue(tensors));
      return future;
    }
    bool succeeds;
    std::vector<at::Tensor> tensors;
  };
  int left_;
};

/// A step whose collective fails says that another process is the reason, and leaves nothing of itself.
void test_missing_rank() {
  lrcn_group_options options{};
  options.size = sizeof options;
  options.world_size = 1;
  options.timeout = 5;
  std::strcpy(options.address, "127.0.0.1");
  for (int collectives = 0;; ++collectives) {
    const auto group = std::make_shared<Group>(options);
    group->gradients()->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::CUSTOM,
                                   c10::make_intrusive<FailingBackend>(collectives));
    Model model(LRCN_EVERY, LRCN_RESNET_BASIC, at::kCPU);
    model.trainer.join(group);
    auto step = train_options();
    step.batch_norm = LRCN_SYNCHRONIZED;
    int32_t status = LRCN_OK;
    try {
      model.trainer.queue(batch(), step);
    } catch (const Error& error) {
      status = error.status();
      EXPECT(std::string(error.what()).starts_with("another process has ended or does not answer (Watchdog caught"));
    }
    if (status == LRCN_OK) {
      EXPECT(collectives > 10);  // tokens, each BatchNorm forward and backward, the gradients, the loss
      EXPECT(model.trainer.results().size() == 1);
      return;
    }
    EXPECT(status == LRCN_GROUP_FAILED);
    EXPECT(model.trainer.queued() == 0);
    for (const auto& named : model.parameters.parameters()) EXPECT(!named.tensor.grad().defined());
  }
}

/// Under autocast LSTMs compute in bfloat16 or in float32, never in float16.
void test_lstm_type() {
  Parameters parameters(at::kFloat, at::kCPU, at::detail::createCPUGenerator(1));
  const Lstm lstm(parameters, "lstm", /*inputs=*/4, /*hidden=*/8, /*layers=*/2);
  const auto type = [&](bool autocast) {
    const Autocast scope(at::kCPU, autocast);
    auto state = lstm.zero_state(3);
    const auto out = lstm(at::zeros({3, 5, 4}), state);
    EXPECT(out.scalar_type() == state.first.scalar_type());
    out.sum().backward();
    for (const auto& named : parameters.parameters()) EXPECT(named.tensor.grad().scalar_type() == at::kFloat);
    return out.scalar_type();
  };
  EXPECT(type(false) == at::kFloat);
  EXPECT(type(true) == (Lstm::computes_bfloat16(at::kCPU) ? at::kBFloat16 : at::kFloat));
}

/// Why never float16: the gradient of a mean over many words is below its normal numbers, and bfloat16's are float32's.
void test_gradients_in_half() {
  Model model(LRCN_EVERY, LRCN_RESNET_BASIC, at::kCPU);
  model.trainer.queue(batch(), train_options());
  std::vector<at::Tensor> parts;
  for (const auto& named : model.parameters.parameters()) {
    if (named.name.starts_with("lstm.")) parts.push_back(named.tensor.grad().flatten());
  }
  const auto gradients = at::cat(parts);
  const auto error_in = [&](at::ScalarType type, double words) {
    const auto scaled = gradients * (static_cast<double>(batch().targets.numel()) / words / 100);  // of a wide layer
    return ((scaled.to(type).to(at::kFloat) - scaled).norm() / scaled.norm()).item<double>();
  };
  for (const double words : {700.0, 22000.0}) EXPECT(error_in(at::kBFloat16, words) < 0.004);
  EXPECT(error_in(at::kHalf, 22000) > 0.01);
}

/// Both outputs of a call are filled, or neither.
void test_outputs_together() {
  std::array<int32_t, 2> first{7, 7};
  std::array<float, 2> second{7, 7};
  EXPECT(message_of([&] { fill_both(first.data(), at::tensor({1, 2}), second.data(), at::Tensor()); }) != "");
  EXPECT(message_of([&] { fill_both(first.data(), at::tensor({1, 2}), second.data(), at::empty({2}, at::kMeta)); }) != "");
  EXPECT(first[0] == 7 && first[1] == 7 && second[0] == 7 && second[1] == 7);
  fill_both(first.data(), at::tensor({1, 2}), second.data(), at::tensor({0.5, 1.5}));
  EXPECT(first[1] == 2 && second[0] == 0.5f && second[1] == 1.5f);
}

}  // namespace
}  // namespace lrcn

int main() {
  lrcn::test_step_on_meta();
  lrcn::test_missing_rank();
  lrcn::test_lstm_type();
  lrcn::test_gradients_in_half();
  lrcn::test_outputs_together();
  std::puts("ok");
}
