#pragma once

#include <ATen/ATen.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace lrcn {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
  int32_t stage;  // of the encoder, in the order of its layers; kNoStage outside the encoder
};

/// A model's tensors, with PyTorch's names and order.
class Parameters {
 public:
  static constexpr int32_t kNoStage = std::numeric_limits<int32_t>::max();

  /// Without a generator, random parameters are 0.
  Parameters(at::ScalarType dtype, const at::Device& device, std::optional<at::Generator> generator)
      : dtype_(dtype), device_(device), generator_(std::move(generator)) {}

  /// Assigns the tensors that are added next to this stage of the encoder.
  Parameters& in_stage(int32_t stage) {
    stage_ = stage;
    return *this;
  }
  Parameters& in_no_stage() { return in_stage(kNoStage); }

  /// A parameter with elements from N(0, deviation^2).
  at::Tensor normal(std::string name, at::IntArrayRef shape, double deviation);
  /// A parameter with elements from U(-bound, bound).
  at::Tensor uniform(std::string name, at::IntArrayRef shape, double bound);
  at::Tensor constant(std::string name, at::IntArrayRef shape, double value);
  at::Tensor buffer(std::string name, const at::Tensor& value);

  /// A matrix and a bias as nn.Linear initializes them.
  std::pair<at::Tensor, at::Tensor> linear(const std::string& name, int64_t inputs, int64_t outputs);

  at::ScalarType dtype() const { return dtype_; }
  const std::vector<NamedTensor>& parameters() const { return parameters_; }
  const std::vector<NamedTensor>& buffers() const { return buffers_; }

 private:
  at::Tensor add(std::string name, at::Tensor tensor);

  at::ScalarType dtype_;
  at::Device device_;
  std::optional<at::Generator> generator_;
  int32_t stage_ = kNoStage;
  std::vector<NamedTensor> parameters_;
  std::vector<NamedTensor> buffers_;
};

}  // namespace lrcn
