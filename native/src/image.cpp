#include "image.hpp"

#include <algorithm>
#include <cmath>

#include "error.hpp"

namespace lrcn {

ColorStatistics::ColorStatistics(const Normalization& normalization, const at::Device& device, at::ScalarType dtype)
    : mean(at::tensor(at::ArrayRef(normalization.mean), dtype).view({3, 1, 1}).to(device)),
      deviation(at::tensor(at::ArrayRef(normalization.deviation), dtype).view({3, 1, 1}).to(device)) {}

at::Tensor normalize(const at::Tensor& pixels, const ColorStatistics& statistics) {
  const auto& [mean, deviation] = statistics;
  const auto images = pixels.to(mean.device()).permute({0, 3, 1, 2}).to(mean.scalar_type());
  return at::Tensor(images).div_(255).sub_(mean).div_(deviation);
}

at::Tensor cut_squares(const at::Tensor& pixels, const at::Tensor& crops, int64_t side) {
  const auto options = at::TensorOptions(at::kLong).device(pixels.device());
  const auto columns_of = crops.to(pixels.device(), at::kLong).unsqueeze(2).unbind(1);  // each [n, 1]
  const auto &top = columns_of[0], &left = columns_of[1], &mirrored = columns_of[2];
  const auto forward = at::arange(side, options).unsqueeze(0);
  const auto rows = top + forward;
  const auto columns = left + at::where(mirrored.ne(0), side - 1 - forward, forward);
  const auto images = at::arange(pixels.size(0), options).view({-1, 1, 1});
  return at::index(pixels, {images, rows.unsqueeze(2), columns.unsqueeze(1)});
}

at::Tensor resize_crop(const at::Tensor& pixels, int64_t short_side, bool stretch, int64_t crop) {
  constexpr int64_t kLongestAspect = 64;  // a strip's other side would be scaled up without limit
  const int64_t height = pixels.size(0), width = pixels.size(1);
  const int64_t shorter = std::min(height, width), longer = std::max(height, width);
  require(longer <= kLongestAspect * shorter, "the image is more than 64 times as long as it is wide");
  const auto scaled = stretch ? short_side
                              : static_cast<int64_t>(static_cast<double>(short_side) * static_cast<double>(longer) /
                                                     static_cast<double>(shorter));
  const int64_t new_height = height <= width ? short_side : scaled;
  const int64_t new_width = height <= width ? scaled : short_side;
  auto image = pixels.permute({2, 0, 1}).unsqueeze(0);
  if (new_height != height || new_width != width) {
    image = at::_upsample_bilinear2d_aa(image, {new_height, new_width}, /*align_corners=*/false);
  }
  // nearbyint rounds halves to even, as Python's round() does.
  const auto offset = [crop](int64_t side) {
    return static_cast<int64_t>(std::nearbyint(static_cast<double>(side - crop) / 2));
  };
  return image.squeeze(0)
      .narrow(1, offset(new_height), crop)
      .narrow(2, offset(new_width), crop)
      .permute({1, 2, 0})
      .contiguous();
}

}  // namespace lrcn
