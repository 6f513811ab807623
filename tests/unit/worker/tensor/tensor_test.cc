// Types, views, conversions, block formats and the layout of KV blocks.
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/tensor/dtype.h"
#include "worker/tensor/float_conversions.h"
#include "worker/tensor/kv_layout.h"
#include "worker/tensor/matrix.h"
#include "worker/tensor/shape.h"
#include "worker/tensor/weight_format.h"

namespace baton::worker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(DTypeTest, SizesAndNames) {
  EXPECT_EQ(SizeOf(DType::kF32), 4u);
  EXPECT_EQ(SizeOf(DType::kBf16), 2u);
  EXPECT_EQ(SizeOf(DType::kU8), 1u);
  EXPECT_EQ(SizeOf(DType::kI64), 8u);
  EXPECT_EQ(NameOf(DType::kBf16), "bfloat16");
  EXPECT_EQ(NameOf(DType::kF32), "float32");
}

TEST(FloatConversionsTest, EveryF16IsTheRightFloatAndComesBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const F16 half{static_cast<uint16_t>(bits)};
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const int fraction = static_cast<int>(bits & 1023);
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    const float value = ToFloat(half);
    if (exponent == 31 && fraction != 0) {
      EXPECT_TRUE(std::isnan(value));
      EXPECT_TRUE(std::isnan(ToFloat(ToF16(value))));
      continue;
    }
    const double expected = exponent == 31  ? std::numeric_limits<double>::infinity()
                            : exponent == 0 ? std::ldexp(fraction, -24)
                                            : std::ldexp(1024 + fraction, exponent - 25);
    ASSERT_EQ(value, sign * expected) << bits;
    ASSERT_EQ(ToF16(value).bits, half.bits);
  }
}

TEST(FloatConversionsTest, RoundsToNearestTiesToEven) {
  EXPECT_EQ(ToF16(1.0f + 0x1p-11f).bits, 0x3c00);  // tie, down to even
  EXPECT_EQ(ToF16(1.0f + 0x3p-11f).bits, 0x3c02);  // tie, up to even
  EXPECT_EQ(ToF16(65519.0f).bits, 0x7bff);
  EXPECT_EQ(ToF16(65520.0f).bits, 0x7c00);
  EXPECT_EQ(ToF16(0x1p-25f).bits, 0);
  EXPECT_EQ(ToF16(-0x1.8p-25f).bits, 0x8001);
  EXPECT_EQ(ToBf16(1.0f + 0x1p-8f).bits, 0x3f80);
  EXPECT_EQ(ToBf16(1.0f + 0x3p-8f).bits, 0x3f82);
  EXPECT_EQ(ToBf16(std::numeric_limits<float>::max()).bits, 0x7f80);
  EXPECT_TRUE(std::isnan(ToFloat(ToBf16(std::bit_cast<float>(0x7f800001u)))));
  EXPECT_EQ(ToFloat(Bf16{0xc040}), -3.0f);
}

TEST(MatrixTest, FindsRowsColumnsAndParts) {
  std::vector<float> values(12);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  Matrix matrix(values.data(), 3, 4);
  EXPECT_EQ(matrix.row<float>(2)[1], 9);
  const Matrix part = matrix.Rows(1, 2).Cols(2, 2);
  EXPECT_EQ(part.rows(), 2);
  EXPECT_EQ(part.cols(), 2);
  EXPECT_EQ(part.row<float>(1)[0], 10);
  const ConstMatrix constant = part;
  EXPECT_EQ(constant.row<float>(0)[1], 7);
  EXPECT_TRUE(ConstMatrix().empty());
}

TEST(ShapeTest, CountsAndPrints) {
  const Shape shape{576, 1536};
  EXPECT_EQ(shape.rank(), 2);
  EXPECT_EQ(shape.element_count(), 576 * 1536);
  EXPECT_EQ(shape.ToString(), "[576, 1536]");
  EXPECT_EQ(Shape().element_count(), 1);
  EXPECT_NE(shape, (Shape{1536, 576}));
}

template <typename T>
void Put(std::vector<std::byte>& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

TEST(WeightFormatTest, IsFoundByTheNameThatFilesGiveIt) {
  for (const WeightFormat format : AllWeightFormats()) {
    EXPECT_EQ(FindWeightFormat(InfoOf(format).name), format);
  }
  EXPECT_EQ(FindWeightFormat("Q2_K"), std::nullopt);
  EXPECT_EQ(RowBytes(WeightFormat::kQ8_0, 64), 68u);
}

TEST(WeightFormatTest, DecodesPlainTypesFromOddAddresses) {
  std::vector<std::byte> bytes(16);
  std::vector<float> out(2);
  Put(bytes, 1, 1.5f);
  Put(bytes, 5, -2.5f);
  DecodeElements(WeightFormat::kF32, bytes.data() + 1, 0, 2, out.data());
  EXPECT_THAT(out, ElementsAre(1.5f, -2.5f));
  Put(bytes, 1, ToF16(3.0f));
  Put(bytes, 3, ToF16(0.125f));
  DecodeElements(WeightFormat::kF16, bytes.data() + 1, 1, 1, out.data());
  EXPECT_EQ(out[0], 0.125f);
  Put(bytes, 1, ToBf16(7.0f));
  DecodeElements(WeightFormat::kBf16, bytes.data() + 1, 0, 1, out.data());
  EXPECT_EQ(out[0], 7.0f);
}

TEST(KvLayoutTest, SizesAndPlaces) {
  const KvLayout layout = *KvLayout::Make(DType::kBf16, 64, 3, 40);
  EXPECT_EQ(layout.padded_head_dim(), 48);
  EXPECT_EQ(layout.head_bytes(), 64u * 48 * 2);
  EXPECT_EQ(layout.block_bytes(), 2u * 3 * 64 * 48 * 2);
  const KvLayerView view{
      .data = nullptr, .layout = layout, .block_stride = 5 * layout.block_bytes()};
  EXPECT_EQ(view.Keys(BlockId(2), 1) - view.Block(BlockId(2)),
            static_cast<ptrdiff_t>(layout.head_bytes()));
  EXPECT_EQ(view.Values(BlockId(2), 0) - view.Keys(BlockId(2), 2),
            static_cast<ptrdiff_t>(layout.head_bytes()));
  EXPECT_EQ(view.Keys(BlockId(3), 0) - view.Keys(BlockId(2), 0),
            static_cast<ptrdiff_t>(5 * layout.block_bytes()));
}

TEST(KvLayoutTest, SmallerFormats) {
  const KvLayout int8 = *KvLayout::Make(DType::kBf16, 64, 3, 40, KvFormat::kInt8);
  EXPECT_EQ(int8.head_bytes(), 64u * 48);
  EXPECT_EQ(int8.block_bytes(), 2u * 3 * (64 * 48 + 64 * sizeof(float)));
  const KvLayerView view{.data = nullptr, .layout = int8, .block_stride = int8.block_bytes()};
  EXPECT_EQ(reinterpret_cast<std::byte*>(view.KeyScales(BlockId(1), 0)),
            view.Values(BlockId(1), 2) + int8.head_bytes());
  EXPECT_EQ(view.ValueScales(BlockId(1), 0) - view.KeyScales(BlockId(1), 2), 64);
  const KvLayout fp8 = *KvLayout::Make(DType::kF32, 64, 3, 40, KvFormat::kFp8);
  EXPECT_EQ(fp8.block_bytes(), 2u * 3 * 64 * 48);
  const KvLayout bf16 = *KvLayout::Make(DType::kF32, 64, 3, 40, KvFormat::kBf16);
  EXPECT_EQ(bf16.block_bytes(), KvLayout::Make(DType::kBf16, 64, 3, 40)->block_bytes());
  EXPECT_FALSE(KvLayout::Make(DType::kBf16, 64, 3, 40, KvFormat::kBf16).ok());
}

// Caches that exchange blocks compare it: whatever differs shows.
TEST(KvLayoutTest, DescribesWhatTheBytesMean) {
  const auto words = [](DType dtype, KvFormat format) {
    return KvLayout::Make(dtype, 64, 3, 40, format)->Describe();
  };
  EXPECT_EQ(words(DType::kBf16, KvFormat::kInt8),
            "int8 for bfloat16/tokens=64/heads=3/dim=40/latent=0");
  EXPECT_NE(words(DType::kF32, KvFormat::kInt8), words(DType::kBf16, KvFormat::kInt8))
      << "the order of elements differs";
  EXPECT_NE(words(DType::kBf16, KvFormat::kFp8), words(DType::kBf16, KvFormat::kPlain));
}

TEST(KvLayoutTest, RefusesWhatKernelsCannotTake) {
  const auto message = [](DType dtype, int block_tokens, int kv_heads, int head_dim) {
    return KvLayout::Make(dtype, block_tokens, kv_heads, head_dim).status().ToString();
  };
  EXPECT_THAT(message(DType::kI8, 64, 3, 64), HasSubstr("dtype=int8"));
  EXPECT_THAT(message(DType::kF32, 8, 3, 64), HasSubstr("block_tokens=8"));
  EXPECT_THAT(message(DType::kF32, 24, 3, 64), HasSubstr("block_tokens=24"));
  EXPECT_THAT(message(DType::kF32, 144, 3, 64), HasSubstr("block_tokens=144"));
  EXPECT_THAT(message(DType::kF32, 64, 0, 64), HasSubstr("kv_heads=0"));
  EXPECT_THAT(message(DType::kF32, 64, 3, 12), HasSubstr("head_dim=12"));
  EXPECT_THAT(message(DType::kF32, 64, 3, 520), HasSubstr("head_dim=520"));
}

}  // namespace
}  // namespace baton::worker
