#include "engine.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <cstring>
#include <sstream>

#include "allocator.hpp"

namespace lrcn {
namespace {

at::Device open_device(int32_t device) {
  if (device == LRCN_CPU) return at::kCPU;
  if (!at::globalContext().hasCUDA()) {
    throw Error(LRCN_DEVICE_UNAVAILABLE, "this libtorch has no CUDA, or no NVIDIA driver answers");
  }
  at::globalContext().lazyInitDevice(at::kCUDA);
  const int32_t index = device - LRCN_CUDA, count = at::detail::getCUDAHooks().deviceCount();
  if (index >= count) {
    throw Error(LRCN_DEVICE_UNAVAILABLE, "there is no GPU " + std::to_string(index) + " among " + std::to_string(count));
  }
  const at::Device chosen{at::kCUDA, static_cast<at::DeviceIndex>(index)};
  // The engine's thread has its own stream: two engines do not wait for each other.
  const c10::impl::VirtualGuardImpl guard(chosen.type());
  guard.setDevice(chosen);
  guard.exchangeStream(guard.getStreamFromGlobalPool(chosen));
  return chosen;
}

at::Generator generator(const at::Device& device, int64_t seed) {
  const auto unsigned_seed = static_cast<uint64_t>(seed);
  if (device.is_cpu()) return at::detail::createCPUGenerator(unsigned_seed);
  auto made = at::detail::getCUDAHooks().getNewGenerator(device.index());
  made.set_current_seed(unsigned_seed);
  return made;
}

std::string dtype_name(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble: return "F64";
    case at::kFloat: return "F32";
    case at::kLong: return "I64";
    default: return "U8";
  }
}

constexpr std::string_view kGradient = "grad.";
constexpr std::string_view kMoment = "adam.";
constexpr std::string_view kRandom = "rng";

}  // namespace

Engine::Engine(const lrcn_engine_options& options) {
  install_pooling_allocator();
  // Asked before the first engine sets a number, which libtorch would give to all later threads.
  static const int libtorchs_choice = at::get_num_threads();
  executor_.run([&] {
    at::set_num_threads(options.threads > 0 ? options.threads : libtorchs_choice);
    model_ = std::make_unique<Model>(options);
  });
}

Engine::~Engine() {
  executor_.run([&] { model_.reset(); });
}

Engine::Model::Model(const lrcn_engine_options& options)
    : device(open_device(options.device)),
      float32(device, options.precision == LRCN_FP32_STRICT),
      autocast(options.precision == LRCN_BF16),
      parameters(options.precision == LRCN_FP64 ? at::kDouble : at::kFloat, device,
                 options.initialization == LRCN_ZERO ? std::nullopt : std::optional(generator(at::kCPU, options.seed))),
      training_generator(generator(device, options.seed)),
      captioner(parameters, options, training_generator),
      trainer(captioner, parameters, device, autocast) {
  captioner.flatten_weights();
}

at::Tensor Engine::Model::encode(const at::Tensor& pixels) {
  const at::NoGradGuard no_grad;
  const Autocast scope(device.type(), autocast);
  return trainer.encode(pixels, {}).to(at::kCPU, at::kFloat).contiguous();
}

std::unique_ptr<Decoder> Engine::Model::decode(const at::Tensor& features) {
  const at::NoGradGuard no_grad;
  const Autocast scope(device.type(), autocast);
  const auto projected = captioner.encoder().project(features.to(device, parameters.dtype()));
  if (!autocast || !Lstm::computes_bfloat16(device)) {
    return std::make_unique<Decoder>(captioner, projected.to(parameters.dtype()));
  }
  // Autocast would convert the weights anew in each step.
  auto converted = captioner.decoding_in(at::kBFloat16);
  converted.flatten_weights();
  return std::make_unique<Decoder>(std::move(converted), projected.to(at::kBFloat16));
}

std::vector<Engine::Model::Entry> Engine::Model::entries() {
  std::vector<Entry> all;
  for (const auto& [name, tensor, _] : parameters.parameters()) all.push_back({name, "parameter", tensor.detach()});
  for (const auto& [name, tensor, _] : parameters.buffers()) all.push_back({name, "buffer", tensor});
  for (const auto& [name, tensor, _] : parameters.parameters()) {
    if (tensor.grad().defined()) all.push_back({std::string(kGradient) + name, "gradient", tensor.grad()});
  }
  if (trainer.has_moments()) {
    for (const auto& [name, tensor] : trainer.moments()) all.push_back({name, "optimizer", tensor});
  }
  all.push_back({std::string(kRandom), "random", training_generator.get_state()});
  return all;
}

std::string Engine::Model::list_tensors() {
  std::ostringstream json;
  json << '[';
  for (const char* comma = ""; const auto& [name, kind, tensor] : entries()) {
    json << comma << R"({"name":")" << name << R"(","kind":")" << kind << R"(","dtype":")"
         << dtype_name(tensor.scalar_type()) << R"(","shape":[)";
    for (int64_t axis = 0; axis < tensor.dim(); ++axis) json << (axis > 0 ? "," : "") << tensor.size(axis);
    json << "]}";
    comma = ",";
  }
  json << ']';
  return json.str();
}

at::Tensor Engine::Model::find(const std::string& name) {
  for (const auto& named : parameters.parameters()) {
    if (named.name == name) return named.tensor.detach();
    if (named.tensor.grad().defined() && name.starts_with(kGradient) && name.substr(kGradient.size()) == named.name) {
      return named.tensor.grad();
    }
  }
  for (const auto& named : parameters.buffers()) {
    if (named.name == name) return named.tensor;
  }
  if (trainer.has_moments()) {
    const auto& moments = trainer.moments();
    if (const auto moment = moments.find(name); moment != moments.end()) return moment->second;
  }
  if (name == kRandom) return training_generator.get_state();
  throw Error(LRCN_INVALID_ARGUMENT, "no tensor is named '" + name + "'");
}

at::Tensor Engine::Model::read(const std::string& name) { return find(name).detach().to(at::kCPU).contiguous(); }

void Engine::Model::write(const std::string& name, const uint8_t* bytes, int64_t length) {
  const at::NoGradGuard no_grad;
  require(!name.starts_with(kGradient), "'" + name + "' is a gradient, which cannot be written");
  if (name.starts_with(kMoment)) trainer.moments();
  const auto tensor = find(name);
  require(length == static_cast<int64_t>(tensor.nbytes()),
          "'" + name + "' has " + std::to_string(tensor.nbytes()) + " bytes, not " + std::to_string(length));
  const auto value = at::empty(tensor.sizes(), tensor.options().device(at::kCPU).requires_grad(false));
  std::memcpy(value.mutable_data_ptr(), bytes, static_cast<size_t>(length));
  if (name == kRandom) {
    training_generator.set_state(value);
  } else {
    tensor.copy_(value);
  }
}

std::array<int64_t, 3> Engine::Model::memory() const {
  if (device.is_cpu()) {
    const auto memory = cpu_memory();
    return {memory.in_use, memory.peak, memory.held};
  }
  const auto stats = at::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  const auto total = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return {stats.allocated_bytes[total].current, stats.allocated_bytes[total].peak,
          stats.reserved_bytes[total].current};
}

}  // namespace lrcn
