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

// {f16 d; u8 q[16]}: x[i] = d (q[i] & 15 - 8), x[i + 16] = d (q[i] >> 4 - 8)
void DecodeQ4_0(const std::byte* from, int64_t count, float* out) {
  for (int64_t block = 0; block < count / 32; ++block, from += 18, out += 32) {
    const float scale = Scale(from);
    for (int i = 0; i < 16; ++i) {
      out[i] = scale * static_cast<float>(Low(from[2 + i]) - 8);
      out[i + 16] = scale * static_cast<float>(High(from[2 + i]) - 8);
    }
  }
}

// {f16 d, m; u8 q[16]}: x[i] = d (q[i] & 15) + m, x[i + 16] = d (q[i] >> 4) + m
void DecodeQ4_1(const std::byte* from, int64_t count, float* out) {
  for (int64_t block = 0; block < count / 32; ++block, from += 20, out += 32) {
    const float scale = Scale(from);
    const float least = Scale(from + 2);
    for (int i = 0; i < 16; ++i) {
      out[i] = scale * static_cast<float>(Low(from[4 + i])) + least;
      out[i + 16] = scale * static_cast<float>(High(from[4 + i])) + least;
    }
  }
}

// The 32 quants of 5 bits of {u32 h; u8 q[16]}: bit i of h is bit 4 of quant i.
void UnpackFiveBits(const std::byte* from, int* quants) {
  const auto high = Load<uint32_t>(from);
  for (int i = 0; i < 16; ++i) {
    quants[i] = Low(from[4 + i]) | static_cast<int>(high >> i & 1) << 4;
    quants[i + 16] = High(from[4 + i]) | static_cast<int>(high >> (i + 16) & 1) << 4;
  }
}

// {f16 d; 5-bit q[32]}: x = d (q - 16)
void DecodeQ5_0(const std::byte* from, int64_t count, float* out) {
  int quants[32];
  for (int64_t block = 0; block < count / 32; ++block, from += 22, out += 32) {
    const float scale = Scale(from);
    UnpackFiveBits(from + 2, quants);
    for (int i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(quants[i] - 16);
  }
}

// {f16 d, m; 5-bit q[32]}: x = d q + m
void DecodeQ5_1(const std::byte* from, int64_t count, float* out) {
  int quants[32];
  for (int64_t block = 0; block < count / 32; ++block, from += 24, out += 32) {
    const float scale = Scale(from);
    const float least = Scale(from + 2);
    UnpackFiveBits(from + 4, quants);
    for (int i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(quants[i]) + least;
  }
}

// {f16 d; i8 q[32]}: x = d q
void DecodeQ8_0(const std::byte* from, int64_t count, float* out) {
  for (int64_t block = 0; block < count / 32; ++block, from += 34, out += 32) {
    const float scale = Scale(from);
    int8_t quants[32];
    std::memcpy(quants, from + 2, sizeof(quants));
    for (int i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(quants[i]);
  }
}

// What Q4_K and Q5_K begin with: {f16 d, dmin; u8 packed[12]}. Group g of 32 elements has the scale
// d s[g] and the least value -dmin m[g]; s and m are 6-bit numbers, those of groups 4 to 7 with
// their upper two bits at the top of the bytes of groups 0 to 3.
struct GroupScales {
  explicit GroupScales(const std::byte* from) {
    const float d = Scale(from);
    const float dmin = Scale(from + 2);
    for (int g = 0; g < 8; ++g) {
      const auto byte = [&](int i) { return std::to_integer<int>(from[4 + i]); };
      const int s = g < 4 ? byte(g) & 63 : (byte(g + 4) & 15) | (byte(g - 4) >> 6) << 4;
      const int m = g < 4 ? byte(g + 4) & 63 : byte(g + 4) >> 4 | (byte(g) >> 6) << 4;
      scale[g] = d * static_cast<float>(s);
      least[g] = dmin * static_cast<float>(m);
    }
  }
  float scale[8];
  float least[8];  // is subtracted
};

// {scales; u8 q[128]}: 32 bytes hold two groups, in their lower and in their upper halves.
void DecodeQ4_K(const std::byte* from, int64_t count, float* out) {
  for (int64_t block = 0; block < count / 256; ++block, from += 144, out += 256) {
    const GroupScales groups(from);
    for (int g = 0; g < 8; ++g) {
      const std::byte* quants = from + 16 + g / 2 * 32;
      for (int i = 0; i < 32; ++i) {
        const int q = g % 2 == 0 ? Low(quants[i]) : High(quants[i]);
        out[32 * g + i] = groups.scale[g] * static_cast<float>(q) - groups.least[g];
      }
    }
  }
}

// {scales; u8 h[32]; u8 q[128]}: as Q4_K, and bit g of h[i] is bit 4 of element i of group g.
void DecodeQ5_K(const std::byte* from, int64_t count, float* out) {
  for (int64_t block = 0; block < count / 256; ++block, from += 176, out += 256) {
    const GroupScales groups(from);
    for (int g = 0; g < 8; ++g) {
      const std::byte* quants = from + 48 + g / 2 * 32;
      for (int i = 0; i < 32; ++i) {
        const int high = std::to_integer<int>(from[16 + i]) >> g & 1;
        const int q = (g % 2 == 0 ? Low(quants[i]) : High(quants[i])) | high << 4;
        out[32 * g + i] = groups.scale[g] * static_cast<float>(q) - groups.least[g];
      }
    }
  }
}

// {u8 q[128]; u8 h[64]; i8 s[16]; f16 d}: x = d s[i / 16] (q - 32). A half of 128 elements takes 64
// bytes of q and 32 of h; its four groups of 32 lie in the lower halves of q, then in the upper
// ones, with their two upper bits side by side in h.
void DecodeQ6_K(const std::byte* from, int64_t count, float* out) {
  for (int64_t block = 0; block < count / 256; ++block, from += 210, out += 256) {
    const float d = Scale(from + 208);
    for (int i = 0; i < 256; ++i) {
      const int half = i / 128;
      const int group = i % 128 / 32;
      const std::byte byte = from[64 * half + 32 * (group % 2) + i % 32];
      const int high = std::to_integer<int>(from[128 + 32 * half + i % 32]) >> 2 * group & 3;
      const int q = (group < 2 ? Low(byte) : High(byte)) | high << 4;
      const float scale = d * static_cast<float>(std::to_integer<int8_t>(from[192 + i / 16]));
      out[i] = scale * static_cast<float>(q - 32);
    }
  }
}

// {f16 d; u8 q[16]}: x = d t[q], in the order of Q4_0; the steps of t are those of a bell curve.
void DecodeIQ4_NL(const std::byte* from, int64_t count, float* out) {
  constexpr float kSteps[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                1,    13,   25,  38,  53,  69,  89,  113};
  for (int64_t block = 0; block < count / 32; ++block, from += 18, out += 32) {
    const float scale = Scale(from);
    for (int i = 0; i < 16; ++i) {
      out[i] = scale * kSteps[Low(from[2 + i])];
      out[i + 16] = scale * kSteps[High(from[2 + i])];
    }
  }
}

// {u8 e; u8 q[16]}: x = 2^(e - 127) t[q], in the order of Q4_0; t are the numbers of E2M1 (OCP
// Microscaling Formats 1.0). Kept twice as large, with half the scale, so that none is a fraction.
void DecodeMXFP4(const std::byte* from, int64_t count, float* out) {
  constexpr float kTwice[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
  for (int64_t block = 0; block < count / 32; ++block, from += 17, out += 32) {
    const auto e = std::to_integer<uint32_t>(from[0]);
    // 2^(e - 128), whose least two have no exponent of their own.
    const float scale = std::bit_cast<float>(e < 2 ? 0x00200000u << e : (e - 1) << 23);
    for (int i = 0; i < 16; ++i) {
      out[i] = scale * kTwice[Low(from[1 + i])];
      out[i + 16] = scale * kTwice[High(from[1 + i])];
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
    {{WeightFormat::kQ4_0, "Q4_0", 32, 18}, DecodeQ4_0},
    {{WeightFormat::kQ4_1, "Q4_1", 32, 20}, DecodeQ4_1},
    {{WeightFormat::kQ5_0, "Q5_0", 32, 22}, DecodeQ5_0},
    {{WeightFormat::kQ5_1, "Q5_1", 32, 24}, DecodeQ5_1},
    {{WeightFormat::kQ8_0, "Q8_0", 32, 34}, DecodeQ8_0},
    {{WeightFormat::kQ4_K, "Q4_K", 256, 144}, DecodeQ4_K},
    {{WeightFormat::kQ5_K, "Q5_K", 256, 176}, DecodeQ5_K},
    {{WeightFormat::kQ6_K, "Q6_K", 256, 210}, DecodeQ6_K},
    {{WeightFormat::kIQ4_NL, "IQ4_NL", 32, 18}, DecodeIQ4_NL},
    {{WeightFormat::kMXFP4, "MXFP4", 32, 17}, DecodeMXFP4},
};

const FormatRow& RowOf(WeightFormat format) {
  const FormatRow& row = kFormats[static_cast<size_t>(format)];
  BATON_DCHECK(row.info.format == format);
  return row;
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

void DecodeElements(WeightFormat format, const std::byte* row, int64_t first, int64_t count,
                    float* out) {
  RowOf(format).decode(row + RowBytes(format, first), count, out);
}

}  // namespace baton::worker
