#include "worker/tensor/weight_format.h"

#include <cstring>

#include "common/base/check.h"
#include "worker/tensor/float_conversions.h"

namespace baton::worker {

namespace {

using Decoder = void (*)(const std::byte* from, int64_t count, float* out);

template <typename T>
T Load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

void DecodeF32(const std::byte* from, int64_t count, float* out) {
  std::memcpy(out, from, static_cast<size_t>(count) * sizeof(float));
}

void DecodeF16(const std::byte* from, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = ToFloat(Load<F16>(from + 2 * i));
}

void DecodeBf16(const std::byte* from, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = ToFloat(Load<Bf16>(from + 2 * i));
}

void DecodeQ8_0(const std::byte* from, int64_t count, float* out) {
  for (int64_t block = 0; block < count / 32; ++block, from += 34, out += 32) {
    const float scale = ToFloat(Load<F16>(from));
    int8_t quants[32];
    std::memcpy(quants, from + 2, sizeof(quants));
    for (int i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(quants[i]);
  }
}

void DecodeQ4_1(const std::byte* from, int64_t count, float* out) {
  for (int64_t block = 0; block < count / 32; ++block, from += 20, out += 32) {
    const float scale = ToFloat(Load<F16>(from));
    const float least = ToFloat(Load<F16>(from + 2));
    uint8_t quants[16];
    std::memcpy(quants, from + 4, sizeof(quants));
    for (int i = 0; i < 16; ++i) {
      out[i] = static_cast<float>(quants[i] & 15) * scale + least;
      out[i + 16] = static_cast<float>(quants[i] >> 4) * scale + least;
    }
  }
}

struct FormatRow {
  WeightFormatInfo info;
  Decoder decode;
};

// In the order of the enum.
constexpr FormatRow kFormats[] = {
    {{WeightFormat::kF32, "F32", 1, 4}, DecodeF32},
    {{WeightFormat::kF16, "F16", 1, 2}, DecodeF16},
    {{WeightFormat::kBf16, "BF16", 1, 2}, DecodeBf16},
    {{WeightFormat::kQ8_0, "Q8_0", 32, 34}, DecodeQ8_0},
    {{WeightFormat::kQ4_1, "Q4_1", 32, 20}, DecodeQ4_1},
};

const FormatRow& RowOf(WeightFormat format) {
  const FormatRow& row = kFormats[static_cast<size_t>(format)];
  BATON_DCHECK(row.info.format == format);
  return row;
}

}  // namespace

const WeightFormatInfo& InfoOf(WeightFormat format) { return RowOf(format).info; }

size_t RowBytes(WeightFormat format, int64_t elements) {
  const WeightFormatInfo& info = InfoOf(format);
  BATON_DCHECK(elements % info.block_elements == 0);
  return static_cast<size_t>(elements / info.block_elements * info.block_bytes);
}

void DecodeElements(WeightFormat format, const std::byte* row, int64_t first, int64_t count,
                    float* out) {
  RowOf(format).decode(row + RowBytes(format, first), count, out);
}

}  // namespace baton::worker
