// Checks of the exports' arguments, and views of the caller's memory.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "captioner.hpp"
#include "error.hpp"
#include "lrcn.h"
#include "trainer.hpp"

namespace lrcn {

constexpr int32_t kMaxSide = 1 << 16;
constexpr int32_t kMaxCount = 1 << 24;

// Some of these run for each token of a batch, so messages are built only on failure.

inline void require_range(const char* name, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return;
  throw Error(LRCN_INVALID_ARGUMENT, std::string(name) + " is " + std::to_string(value) + ", not within " +
                                         std::to_string(least) + " to " + std::to_string(most));
}

inline void require_buffer(const char* name, const void* buffer, int64_t length, int64_t expected) {
  if (buffer == nullptr) throw Error(LRCN_INVALID_ARGUMENT, std::string(name) + " is NULL");
  if (length == expected) return;
  throw Error(LRCN_INVALID_ARGUMENT, std::string(name) + " has " + std::to_string(length) + " elements, not " +
                                         std::to_string(expected));
}

inline void require_finite(const char* name, double value, double least, double below) {
  if (std::isfinite(value) && value >= least && value < below) return;
  throw Error(LRCN_INVALID_ARGUMENT, std::string(name) + " is " + std::to_string(value) + ", out of range");
}

template <class Struct>
void require_struct(const char* name, const Struct* value) {
  require(value != nullptr, std::string(name) + " is NULL");
  require(value->size == static_cast<int32_t>(sizeof(Struct)),
          std::string(name) + " has size " + std::to_string(value->size) + ", not " +
              std::to_string(sizeof(Struct)) + ": the caller was built for another ABI");
}

inline void check(const lrcn_engine_options* options) {
  require_struct("options", options);
  require_range("device", options->device, LRCN_CPU, LRCN_CUDA + 255);
  require_range("precision", options->precision, LRCN_FP32, LRCN_FP32_STRICT);
  require_range("threads", options->threads, 0, 4096);
  require_range("vocabulary_size", options->vocabulary_size, 2, LRCN_VOCABULARY_SIZE_MAX);
  require_range("embed_size", options->embed_size, 1, LRCN_EMBED_SIZE_MAX);
  require_range("hidden_size", options->hidden_size, 1, LRCN_HIDDEN_SIZE_MAX);
  require_range("language_layers", options->language_layers, 0, LRCN_LANGUAGE_LAYERS_MAX);
  require_range("fusion_layers", options->fusion_layers, 1, LRCN_FUSION_LAYERS_MAX);
  require_range("inject", options->inject, LRCN_FIRST, LRCN_EVERY);
  require_range("initialization", options->initialization, LRCN_RANDOM, LRCN_ZERO);
  require_range("encoder", options->encoder, LRCN_RESNET_BASIC, LRCN_EFFICIENTNET_LITE);
  require_range("encoder_width", options->encoder_width, 1, LRCN_ENCODER_WIDTH_MAX);
  const size_t stages = options->encoder == LRCN_EFFICIENTNET_LITE ? 7 : 4;
  for (size_t stage = 0; stage < std::size(options->encoder_blocks); ++stage) {
    const bool used = stage < stages;
    require_range("encoder_blocks", options->encoder_blocks[stage], used ? 1 : 0, used ? LRCN_ENCODER_BLOCKS_MAX : 0);
  }
}

inline void check(const lrcn_group_options* options) {
  require_struct("options", options);
  require_range("world_size", options->world_size, 1, 1 << 16);
  require_range("rank", options->rank, 0, options->world_size - 1);
  require_range("port", options->port, 1, 65535);
  require_range("hosted", options->hosted, 0, 1);
  require_range("timeout", options->timeout, 1, 1 << 20);
  for (const auto* text : {options->address, options->prefix}) {
    require(std::memchr(text, '\0', sizeof options->address) != nullptr, "address or prefix does not end with NUL");
    require(*text != '\0', "address or prefix is empty");
  }
}

inline void check(const lrcn_train_options* options) {
  constexpr double kAny = std::numeric_limits<double>::max();
  require_struct("options", options);
  require_range("optimizer", options->optimizer, LRCN_ADAM, LRCN_ADAMW);
  require_range("trainable_from", options->trainable_from, 0, std::numeric_limits<int32_t>::max());
  require_range("batch_norm", options->batch_norm, LRCN_FROZEN, LRCN_SYNCHRONIZED);
  require_range("update", options->update, 0, 1);
  require_range("counted_tokens", options->counted_tokens, 0, std::numeric_limits<int32_t>::max());
  require_finite("feature_dropout", options->feature_dropout, 0, 1);
  require_finite("embedding_dropout", options->embedding_dropout, 0, 1);
  require_finite("lstm_dropout", options->lstm_dropout, 0, 1);
  require_finite("output_dropout", options->output_dropout, 0, 1);
  require_finite("label_smoothing", options->label_smoothing, 0, 1);
  require_finite("scheduled_sampling", options->scheduled_sampling, 0, std::nextafter(1.0, 2.0));
  require_finite("encoder_learning_rate", options->encoder_learning_rate, 0, kAny);
  require_finite("decoder_learning_rate", options->decoder_learning_rate, 0, kAny);
  require_finite("encoder_weight_decay", options->encoder_weight_decay, 0, kAny);
  require_finite("decoder_weight_decay", options->decoder_weight_decay, 0, kAny);
  require_finite("max_gradient_norm", options->max_gradient_norm, 0, kAny);
}

/// A tensor over the caller's memory. libtorch only reads it.
template <class T>
at::Tensor borrow(const T* data, at::IntArrayRef shape) {
  return at::from_blob(const_cast<T*>(data), shape, c10::CppTypeToScalarType<T>::value);
}

/// Bytes of any length, also none.
inline at::Tensor borrow_bytes(const uint8_t* bytes, int64_t length) {
  if (length == 0) return at::empty({0}, at::kByte);
  require_buffer("bytes", bytes, length, std::max<int64_t>(length, 1));
  return borrow(bytes, {length});
}

inline at::Tensor borrow_pixels(int32_t images, int32_t height, int32_t width, const uint8_t* pixels, int64_t length) {
  require_range("images", images, 1, kMaxCount);
  require_range("height", height, 1, kMaxSide);
  require_range("width", width, 1, kMaxSide);
  require_buffer("pixels", pixels, length, int64_t{3} * images * height * width);
  return borrow(pixels, {images, height, width, 3});
}

inline at::Tensor borrow_indices(const char* name, const int32_t* values, int64_t length, at::IntArrayRef shape,
                                 int64_t least, int64_t most) {
  require_buffer(name, values, length, c10::multiply_integers(shape));
  for (int64_t i = 0; i < length; ++i) require_range(name, values[i], least, most);
  return borrow(values, shape);
}

/// Copies into the caller's memory; the caller has checked the shapes.
template <class T>
void fill(T* destination, const at::Tensor& source) {
  const auto value = source.to(at::kCPU, c10::CppTypeToScalarType<T>::value).contiguous();
  std::memcpy(destination, value.const_data_ptr(), value.nbytes());
}

/// Fills two buffers, or neither: a GPU reports its errors when it is read, which is once.
template <class T, class U>
void fill_both(T* first, const at::Tensor& first_source, U* second, const at::Tensor& second_source) {
  const auto bytes = [](const at::Tensor& source, at::ScalarType type) {
    return source.to(type).contiguous().flatten().view(at::kByte);
  };
  const auto of_first = bytes(first_source, c10::CppTypeToScalarType<T>::value);
  const auto of_second = bytes(second_source, c10::CppTypeToScalarType<U>::value);
  const auto both = at::cat({of_first, of_second}).to(at::kCPU);
  const auto* values = static_cast<const uint8_t*>(both.const_data_ptr());
  std::memcpy(first, values, of_first.nbytes());
  std::memcpy(second, values + of_first.nbytes(), of_second.nbytes());
}

inline void fill_text(char* text, int64_t capacity, int64_t* length, const std::string& value) {
  require(length != nullptr, "length is NULL");
  const auto needed = static_cast<int64_t>(value.size());
  if (text != nullptr || capacity != 0) {
    require(text != nullptr, "text is NULL");
    require(capacity >= needed, "text holds " + std::to_string(capacity) + " bytes, not " + std::to_string(needed));
    std::memcpy(text, value.data(), value.size());
  }
  *length = needed;
}

struct BatchBuffers {
  const lrcn_batch_shape* shape;
  const uint8_t* pixels;
  int64_t pixels_length;
  const float* features;
  int64_t features_length;
  const int32_t* image_of_row;
  int64_t image_of_row_length;
  const int32_t* inputs;
  int64_t inputs_length;
};

inline Batch borrow_batch(const Captioner& captioner, const BatchBuffers& buffers) {
  const auto& shape = *buffers.shape;
  const bool every = captioner.feature_every_step();
  require_range("rows", shape.rows, 1, kMaxCount);
  require_range("inputs_length of the shape", shape.inputs_length, 1, kMaxSide);
  require_range("targets_length of the shape", shape.targets_length, shape.inputs_length,
                shape.inputs_length + (every ? 0 : 1));
  const bool has_pixels = buffers.pixels != nullptr || buffers.pixels_length != 0;
  const bool has_features = buffers.features != nullptr || buffers.features_length != 0;
  require(has_pixels || has_features, "neither pixels nor features are given");
  require(!has_pixels || !has_features, "both pixels and features are given");
  Batch batch;
  if (has_pixels) {
    batch.pixels = borrow_pixels(shape.images, shape.height, shape.width, buffers.pixels, buffers.pixels_length);
  } else {
    require_range("images", shape.images, 1, kMaxCount);
    require_range("height", shape.height, 0, 0);
    require_range("width", shape.width, 0, 0);
    const int64_t size = captioner.encoder().feature_size();
    require_buffer("features", buffers.features, buffers.features_length, shape.images * size);
    batch.features = borrow(buffers.features, {shape.images, size});
  }
  batch.image_of_row = borrow_indices("image_of_row", buffers.image_of_row, buffers.image_of_row_length, {shape.rows},
                                      0, shape.images - 1);
  batch.inputs = borrow_indices("inputs", buffers.inputs, buffers.inputs_length, {shape.rows, shape.inputs_length}, 0,
                                captioner.vocabulary_size() - 1);
  batch.with_image_step = shape.targets_length > shape.inputs_length;
  return batch;
}

inline void require_no_crop(const lrcn_batch_shape& shape) { require_range("crop of the shape", shape.crop, 0, 0); }

/// Adds the crops to a batch.
inline void borrow_crops(Batch& batch, const lrcn_batch_shape& shape, const int32_t* crops, int64_t length) {
  if (crops == nullptr && length == 0) return require_no_crop(shape);
  require(batch.pixels.defined(), "crops are given without pixels");
  require_range("crop of the shape", shape.crop, 1, std::min(shape.height, shape.width));
  require_buffer("crops", crops, length, int64_t{3} * shape.images);
  for (int64_t i = 0; i < length; i += 3) {
    require_range("top of a crop", crops[i], 0, shape.height - shape.crop);
    require_range("left of a crop", crops[i + 1], 0, shape.width - shape.crop);
    require_range("flipped of a crop", crops[i + 2], 0, 1);
  }
  batch.crops = borrow(crops, {shape.images, 3});
  batch.crop_side = shape.crop;
}

inline int64_t count_tokens(const Batch& batch) { return batch.targets.ge(0).sum().item<int64_t>(); }

inline Batch borrow_batch(const Captioner& captioner, const BatchBuffers& buffers, const int32_t* targets,
                          int64_t targets_length) {
  auto batch = borrow_batch(captioner, buffers);
  batch.targets = borrow_indices("targets", targets, targets_length,
                                 {buffers.shape->rows, buffers.shape->targets_length}, -1,
                                 captioner.vocabulary_size() - 1);
  require(count_tokens(batch) > 0, "targets counts no token");
  return batch;
}

/// Adds the row weights to a batch.
inline void borrow_row_weights(Batch& batch, const float* weights, int64_t length) {
  if (weights == nullptr && length == 0) return;
  const int64_t rows = batch.image_of_row.size(0);
  require_buffer("row_weights", weights, length, rows);
  for (int64_t row = 0; row < rows; ++row) {
    if (!std::isfinite(weights[row])) throw Error(LRCN_INVALID_ARGUMENT, "row_weights is not finite");
  }
  batch.row_weights = borrow(weights, {rows});
}

/// Checks that the options fit the encoder and the batch.
inline void check(const lrcn_train_options& options, const Encoder& encoder, const Batch& batch) {
  require_range("trainable_from", options.trainable_from, 0, encoder.stages());
  const bool encoder_learns = options.trainable_from < encoder.stages();
  require(!batch.features.defined() || !encoder_learns,
          "features are given, but by trainable_from the encoder is trainable");
  // The last stage has one pixel for 32 x 32 of the image's, and the variance of one value is NaN.
  const auto longest = [&] {
    return batch.crops.defined() ? batch.crop_side : std::max(batch.pixels.size(1), batch.pixels.size(2));
  };
  require(!encoder_learns || options.batch_norm == LRCN_FROZEN || batch.pixels.size(0) > 1 || longest() > 32,
          "batch_norm cannot be used with a single image of at most 32 x 32 pixels");
  require(!batch.with_image_step || options.scheduled_sampling == 0,
          "scheduled_sampling cannot be used with targets at the image's step");
  if (options.counted_tokens != 0) {
    require_range("counted_tokens", options.counted_tokens, count_tokens(batch), std::numeric_limits<int32_t>::max());
  }
}

}  // namespace lrcn
