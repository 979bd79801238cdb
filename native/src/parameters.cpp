#include "parameters.hpp"

#include <cmath>

namespace lrcn {

at::Tensor Parameters::add(std::string name, at::Tensor tensor) {
  tensor = tensor.to(device_);
  if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
  parameters_.push_back({std::move(name), tensor.set_requires_grad(true), stage_});
  return parameters_.back().tensor;
}

// Initialized in float32 on the CPU at every precision, so that a seed gives one model.
at::Tensor Parameters::normal(std::string name, at::IntArrayRef shape, double deviation) {
  if (!generator_) return constant(std::move(name), shape, 0);
  return add(std::move(name), at::empty(shape, at::kFloat).normal_(0, deviation, generator_).to(dtype_));
}

at::Tensor Parameters::uniform(std::string name, at::IntArrayRef shape, double bound) {
  if (!generator_) return constant(std::move(name), shape, 0);
  return add(std::move(name), at::empty(shape, at::kFloat).uniform_(-bound, bound, generator_).to(dtype_));
}

at::Tensor Parameters::constant(std::string name, at::IntArrayRef shape, double value) {
  return add(std::move(name), at::full(shape, value, dtype_));
}

at::Tensor Parameters::buffer(std::string name, const at::Tensor& value) {
  buffers_.push_back({std::move(name), value.to(device_), stage_});
  return buffers_.back().tensor;
}

std::pair<at::Tensor, at::Tensor> Parameters::linear(const std::string& name, int64_t inputs, int64_t outputs) {
  const double bound = 1 / std::sqrt(static_cast<double>(inputs));
  auto weight = uniform(name + ".weight", {outputs, inputs}, bound);
  auto bias = uniform(name + ".bias", {outputs}, bound);
  return {weight, bias};
}

}  // namespace lrcn
