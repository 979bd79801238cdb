#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <string>

#include "encoder.hpp"
#include "lrcn.h"
#include "lstm.hpp"
#include "parameters.hpp"

namespace lrcn {

/// Shares of elements that a training step drops; none in evaluation.
struct Dropout {
  double words = 0, layers = 0, output = 0;
};

/// LRCN (Donahue et al. 2015): a CNN's feature of the image and the words so far give the next word.
class Captioner {
 public:
  struct State {
    std::optional<Lstm::State> language;
    Lstm::State fusion;
  };

  Captioner(Parameters& parameters, const lrcn_engine_options& options, at::Generator generator);

  const Encoder& encoder() const { return *encoder_; }
  bool feature_every_step() const { return options_.inject == LRCN_EVERY; }
  int64_t vocabulary_size() const { return options_.vocabulary_size; }

  /// features: [rows, feature], inputs: [rows, n] int32. Returns the LSTM's outputs [rows, n, hidden] for the steps of
  /// the words, or [rows, n + 1, hidden] with the image's own step before them. lengths, if defined: int64 [rows] on the
  /// host, the LSTM's steps that matter in each row; outputs of later ones are undetermined.
  at::Tensor outputs(const at::Tensor& features, const at::Tensor& inputs, bool with_image_step,
                     const Dropout& dropout = {}, const at::Tensor& lengths = {});

  /// hidden: [..., hidden size]. Returns [..., vocabulary].
  at::Tensor logits(const at::Tensor& hidden) const;

  /// x with a share of its elements dropped and the rest scaled up.
  at::Tensor drop(const at::Tensor& x, double share);

  /// The inputs [rows, n] with a share of the words, the first apart, replaced by ones drawn from what the model
  /// expects there (scheduled sampling, Bengio et al. 2015). Nothing is dropped while they are drawn.
  at::Tensor sample_inputs(const at::Tensor& features, const at::Tensor& inputs, double share);

  State zero_state(int64_t rows) const;

  /// One step of decoding. words: [rows] int32, or undefined for the image's own step. Returns [rows, hidden].
  at::Tensor step(const at::Tensor& features, const at::Tensor& words, State& state) const;

  void flatten_weights();

  /// The same with its decoder's weights in another type, copies of what they are now: under autocast they would be
  /// converted again for every word of a caption.
  Captioner decoding_in(at::ScalarType dtype) const;

 private:
  at::Tensor packed_outputs(const at::Tensor& features, const at::Tensor& inputs, bool with_image_step,
                            const Dropout& dropout, const at::Tensor& lengths);
  at::Tensor embed(const at::Tensor& words) const { return at::embedding(embedding_, words); }

  lrcn_engine_options options_;
  at::Generator generator_;
  at::Tensor embedding_;
  std::shared_ptr<const Encoder> encoder_;
  std::optional<Lstm> language_;
  Lstm fusion_;
  at::Tensor output_weight_, output_bias_;
};

}  // namespace lrcn
