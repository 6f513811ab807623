#include "worker/tensor/weight_format.h"

#include <array>
#include <bit>
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

float Scale(const std::byte* from) { return ToFloat(Load<F16>(from)); }

int Low(std::byte quants) { return std::to_integer<int>(quants) & 15; }
int High(std::byte quants) { return std::to_integer<int>(quants) >> 4; }

// Two to a byte: element i in the lower half of byte i, element i + n in its upper half.
void SplitNibbles(const std::byte* from, int n, int8_t* quants) {
  for (int i = 0; i < n; ++i) {
    quants[i] = static_cast<int8_t>(Low(from[i]));
    quants[i + n] = static_cast<int8_t>(High(from[i]));
  }
}

void Shift(int8_t* quants, int count, int by) {
  for (int i = 0; i < count; ++i) quants[i] = static_cast<int8_t>(quants[i] + by);
}

void LookUp(const int8_t* table, int8_t* quants) {
  for (int i = 0; i < 32; ++i) quants[i] = table[quants[i]];
}

// {f16 d; u8 q[16]}: x = d (q - 8)
void SplitQ4_0(const std::byte* from, QuantBlock& out) {
  out.scale[0] = Scale(from);
  SplitNibbles(from + 2, 16, out.quants);
  Shift(out.quants, 32, -8);
}

// {f16 d, m; u8 q[16]}: x = d q + m
void SplitQ4_1(const std::byte* from, QuantBlock& out) {
  out.scale[0] = Scale(from);
  out.least[0] = Scale(from + 2);
  SplitNibbles(from + 4, 16, out.quants);
}

// {u32 h; u8 q[16]}: as Q4, and bit i of h is bit 4 of element i.
void SplitFiveBits(const std::byte* from, int8_t* quants) {
  const auto high = Load<uint32_t>(from);
  SplitNibbles(from + 4, 16, quants);
  for (int i = 0; i < 32; ++i) {
    quants[i] = static_cast<int8_t>(quants[i] | static_cast<int>(high >> i & 1) << 4);
  }
}

// {f16 d; 5-bit q[32]}: x = d (q - 16)
void SplitQ5_0(const std::byte* from, QuantBlock& out) {
  out.scale[0] = Scale(from);
  SplitFiveBits(from + 2, out.quants);
  Shift(out.quants, 32, -16);
}

// {f16 d, m; 5-bit q[32]}: x = d q + m
void SplitQ5_1(const std::byte* from, QuantBlock& out) {
  out.scale[0] = Scale(from);
  out.least[0] = Scale(from + 2);
  SplitFiveBits(from + 4, out.quants);
}

// {f16 d; i8 q[32]}: x = d q
void SplitQ8_0(const std::byte* from, QuantBlock& out) {
  out.scale[0] = Scale(from);
  std::memcpy(out.quants, from + 2, 32);
}

// What Q4_K and Q5_K begin with: {f16 d, dmin; u8 packed[12]}. Group g of 32 elements has the scale
// d s[g] and the least value -dmin m[g]; s and m are 6-bit numbers, those of groups 4 to 7 with
// their upper two bits at the top of the bytes of groups 0 to 3.
void SplitGroupScales(const std::byte* from, QuantBlock& out) {
  const float d = Scale(from);
  const float dmin = Scale(from + 2);
  const auto byte = [&](int i) { return std::to_integer<int>(from[4 + i]); };
  for (int g = 0; g < 8; ++g) {
    const int s = g < 4 ? byte(g) & 63 : (byte(g + 4) & 15) | (byte(g - 4) >> 6) << 4;
    const int m = g < 4 ? byte(g + 4) & 63 : byte(g + 4) >> 4 | (byte(g) >> 6) << 4;
    out.scale[g] = d * static_cast<float>(s);
    out.least[g] = -(dmin * static_cast<float>(m));
  }
}

// {scales; u8 q[128]}: 32 bytes hold two groups, in their lower and in their upper halves.
void SplitQ4_K(const std::byte* from, QuantBlock& out) {
  SplitGroupScales(from, out);
  for (int pair = 0; pair < 4; ++pair) {
    SplitNibbles(from + 16 + 32 * pair, 32, out.quants + 64 * pair);
  }
}

// {scales; u8 h[32]; u8 q[128]}: as Q4_K, and bit g of h[i] is bit 4 of element i of group g.
void SplitQ5_K(const std::byte* from, QuantBlock& out) {
  SplitGroupScales(from, out);
  for (int pair = 0; pair < 4; ++pair) {
    SplitNibbles(from + 48 + 32 * pair, 32, out.quants + 64 * pair);
  }
  for (int i = 0; i < 256; ++i) {
    const int high = std::to_integer<int>(from[16 + i % 32]) >> i / 32 & 1;
    out.quants[i] = static_cast<int8_t>(out.quants[i] | high << 4);
  }
}

// {u8 q[128]; u8 h[64]; i8 s[16]; f16 d}: x = d s[i / 16] (q - 32). A half of 128 elements takes 64
// bytes of q and 32 of h; its four groups of 32 lie in the lower halves of q, then in the upper
// ones, with their two upper bits side by side in h.
void SplitQ6_K(const std::byte* from, QuantBlock& out) {
  const float d = Scale(from + 208);
  for (int g = 0; g < 16; ++g) {
    out.scale[g] = d * static_cast<float>(std::to_integer<int8_t>(from[192 + g]));
  }
  for (int half = 0; half < 2; ++half) {
    int8_t* quants = out.quants + 128 * half;
    SplitNibbles(from + 64 * half, 64, quants);
    for (int i = 0; i < 128; ++i) {
      const int high = std::to_integer<int>(from[128 + 32 * half + i % 32]) >> 2 * (i / 32) & 3;
      quants[i] = static_cast<int8_t>((quants[i] | high << 4) - 32);
    }
  }
}

// {f16 d; u8 q[16]}: x = d t[q]; the steps of t are those of a bell curve.
constexpr int8_t kBellSteps[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                   1,    13,   25,  38,  53,  69,  89,  113};
void SplitIQ4_NL(const std::byte* from, QuantBlock& out) {
  out.scale[0] = Scale(from);
  SplitNibbles(from + 2, 16, out.quants);
  LookUp(kBellSteps, out.quants);
}

// {u8 e; u8 q[16]}: x = 2^(e - 127) t[q]; t are the numbers of E2M1 (OCP Microscaling Formats 1.0).
// Kept twice as large, with half the scale, so that none is a fraction.
constexpr int8_t kTwiceE2m1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
void SplitMXFP4(const std::byte* from, QuantBlock& out) {
  const auto e = std::to_integer<uint32_t>(from[0]);
  // 2^(e - 128), whose least two have no exponent of their own.
  out.scale[0] = std::bit_cast<float>(e < 2 ? 0x00200000u << e : (e - 1) << 23);
  SplitNibbles(from + 1, 16, out.quants);
  LookUp(kTwiceE2m1, out.quants);
}

// Sign, 4 bits of exponent with a bias of 7, 3 of fraction; no infinity, and all ones is a NaN
// (OCP 8-bit Floating Point 1.0).
float FromE4m3(std::byte bits) {
  const auto magnitude = std::to_integer<uint32_t>(bits) & 0x7fu;
  const uint32_t sign = (std::to_integer<uint32_t>(bits) & 0x80u) << 24;
  if (magnitude == 0x7fu) return std::bit_cast<float>(sign | 0x7fc00000u);
  // The exponent is off by 120; a product moves it and normalises subnormals.
  const float scaled = std::bit_cast<float>(magnitude << 20) * 0x1p120f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(scaled) | sign);
}

void DecodeF8(const std::byte* from, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = FromE4m3(from[i]);
}

void DecodeGroupedF8(const std::byte* from, int64_t count, float* out) {
  for (int64_t block = 0; block < count / 32; ++block, from += 36, out += 32) {
    const auto scale = Load<float>(from);
    for (int i = 0; i < 32; ++i) out[i] = scale * FromE4m3(from[4 + i]);
  }
}

void SplitGroupedI4(const std::byte* from, QuantBlock& out) {
  out.scale[0] = Load<float>(from);
  SplitNibbles(from + 4, 16, out.quants);
  Shift(out.quants, 32, -8);
}

void SplitGroupedBytes(const std::byte* from, QuantBlock& out) {
  out.scale[0] = Load<float>(from);
  std::memcpy(out.quants, from + 4, 32);
}

using Splitter = void (*)(const std::byte* from, QuantBlock& out);

struct FormatRow {
  WeightFormatInfo info;
  Decoder decode;  // of plain formats
  Splitter split;  // of quantised ones
};

// In the order of the enum.
constexpr FormatRow kFormats[] = {
    {{WeightFormat::kF32, "F32", 1, 4}, DecodeF32, nullptr},
    {{WeightFormat::kF16, "F16", 1, 2}, DecodeF16, nullptr},
    {{WeightFormat::kBf16, "BF16", 1, 2}, DecodeBf16, nullptr},
    {{WeightFormat::kQ4_0, "Q4_0", 32, 18, {4, 32, false}}, nullptr, SplitQ4_0},
    {{WeightFormat::kQ4_1, "Q4_1", 32, 20, {4, 32, true}}, nullptr, SplitQ4_1},
    {{WeightFormat::kQ5_0, "Q5_0", 32, 22, {5, 32, false}}, nullptr, SplitQ5_0},
    {{WeightFormat::kQ5_1, "Q5_1", 32, 24, {5, 32, true}}, nullptr, SplitQ5_1},
    {{WeightFormat::kQ8_0, "Q8_0", 32, 34, {8, 32, false}}, nullptr, SplitQ8_0},
    {{WeightFormat::kQ4_K, "Q4_K", 256, 144, {4, 32, true}}, nullptr, SplitQ4_K},
    {{WeightFormat::kQ5_K, "Q5_K", 256, 176, {5, 32, true}}, nullptr, SplitQ5_K},
    {{WeightFormat::kQ6_K, "Q6_K", 256, 210, {6, 16, false}}, nullptr, SplitQ6_K},
    {{WeightFormat::kIQ4_NL, "IQ4_NL", 32, 18, {4, 32, false, kBellSteps}}, nullptr, SplitIQ4_NL},
    {{WeightFormat::kMXFP4, "MXFP4", 32, 17, {4, 32, false, kTwiceE2m1}}, nullptr, SplitMXFP4},
    {{WeightFormat::kF8_E4M3, "F8_E4M3", 1, 1}, DecodeF8, nullptr},
    {{WeightFormat::kGroupedI4, "int4 groups", 32, 20, {4, 32, false}}, nullptr, SplitGroupedI4},
    {{WeightFormat::kGroupedI5, "int5 groups", 32, 36, {5, 32, false}}, nullptr, SplitGroupedBytes},
    {{WeightFormat::kGroupedI8, "int8 groups", 32, 36, {8, 32, false}}, nullptr, SplitGroupedBytes},
    {{WeightFormat::kGroupedF8, "fp8 groups", 32, 36}, DecodeGroupedF8, nullptr},
};

const FormatRow& RowOf(WeightFormat format) {
  const FormatRow& row = kFormats[static_cast<size_t>(format)];
  BATON_DCHECK(row.info.format == format);
  return row;
}

// The floats of a block; where the next one's go.
float* JoinBlock(const WeightFormatInfo& info, const QuantBlock& block, float* out) {
  const int group = info.quant.group_elements;
  for (int first = 0; first < info.block_elements; first += group) {
    const float scale = block.scale[first / group];
    const int8_t* quants = block.quants + first;
    for (int i = 0; i < group; ++i) out[first + i] = scale * static_cast<float>(quants[i]);
    if (!info.quant.has_least) continue;
    const float least = block.least[first / group];
    for (int i = 0; i < group; ++i) out[first + i] += least;
  }
  return out + info.block_elements;
}

}  // namespace

const WeightFormatInfo& InfoOf(WeightFormat format) { return RowOf(format).info; }

std::optional<WeightFormat> FindWeightFormat(std::string_view name) {
  for (const FormatRow& row : kFormats) {
    if (row.info.name == name) return row.info.format;
  }
  return std::nullopt;
}

absl::Span<const WeightFormat> AllWeightFormats() {
  static constexpr auto kAll = [] {
    std::array<WeightFormat, std::size(kFormats)> all{};
    for (size_t i = 0; i < all.size(); ++i) all[i] = kFormats[i].info.format;
    return all;
  }();
  return kAll;
}

size_t RowBytes(WeightFormat format, int64_t elements) {
  const WeightFormatInfo& info = InfoOf(format);
  BATON_DCHECK(elements % info.block_elements == 0);
  return static_cast<size_t>(elements / info.block_elements * info.block_bytes);
}

void SplitBlock(WeightFormat format, const std::byte* block, QuantBlock& out) {
  RowOf(format).split(block, out);
}

void DecodeElements(WeightFormat format, const std::byte* row, int64_t first, int64_t count,
                    float* out) {
  const FormatRow& entry = RowOf(format);
  const std::byte* from = row + RowBytes(format, first);
  if (entry.decode != nullptr) return entry.decode(from, count, out);
  const WeightFormatInfo& info = entry.info;
  QuantBlock block;
  for (; count > 0; count -= info.block_elements, from += info.block_bytes) {
    entry.split(from, block);
    out = JoinBlock(info, block, out);
  }
}

}  // namespace baton::worker
