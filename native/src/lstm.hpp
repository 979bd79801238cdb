#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "parameters.hpp"

namespace lrcn {

/// The steps of sequences of different lengths, one after another without padding, as in PyTorch's PackedSequence: the
/// first step of all rows, longest row first, then the second step of those that have one, and so on.
struct PackedSteps {
  std::vector<int64_t> rows;  // number of rows that have each step: never increases
  at::Tensor order;           // int64 [rows]: the rows by decreasing length
  at::Tensor positions;       // int64 [total]: each packed step's index among the flattened [rows, steps]
  at::Tensor predecessors;    // int64 [total - rows[0]]: the packed index of the step before, from the second step on

  /// lengths: int64 [rows] on the host, each 1 to `steps`.
  PackedSteps(const at::Tensor& lengths, int64_t steps);
};

/// nn.LSTM with batch_first, its parameters registered under PyTorch's names.
class Lstm {
 public:
  using State = std::pair<at::Tensor, at::Tensor>;  // h and c, each [layers, rows, hidden]
  using Between = std::function<at::Tensor(at::Tensor)>;

  Lstm(Parameters& parameters, const std::string& name, int64_t inputs, int64_t hidden, int64_t layers);

  /// x: [rows, steps, inputs]. Returns [rows, steps, hidden] and moves the state on. `between` is done to what goes
  /// from layer to layer.
  at::Tensor operator()(at::Tensor x, State& state, const Between& between = std::identity()) const;

  /// The same from a zero state for packed steps, x: [total, inputs]. A feature [rows, size], if defined, is appended to
  /// the input of each of its row's steps. Returns [total, hidden]. Only where has_packed() says so.
  at::Tensor packed(at::Tensor x, const at::Tensor& feature, const PackedSteps& steps, const Between& between) const;

  /// Whether the device's library has an LSTM in bfloat16.
  static bool computes_bfloat16(const at::Device& device);

  /// Whether packed() is better than padding: on a CPU, unless oneDNN computes in bfloat16, for which it has an LSTM.
  static bool has_packed(const at::Tensor& x);

  State zero_state(int64_t rows) const;

  /// cuDNN wants a layer's weights in one piece of memory; elsewhere nothing is done.
  void flatten_weights();

  /// The same with its weights in another type.
  Lstm to(at::ScalarType dtype) const;

 private:
  static constexpr int64_t kTensorsPerLayer = 4;
  std::vector<at::Tensor> layer_weights(int64_t layer) const;

  std::vector<at::Tensor> weights_;
  int64_t inputs_, hidden_, layers_;
};

}  // namespace lrcn
