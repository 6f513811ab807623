// Instruction sets and buffers.
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "worker/device/buffer.h"
#include "worker/device/cpu_isa.h"

namespace baton::worker {
namespace {

TEST(CpuIsaTest, BestIsSupportedAndSoIsAllBelow) {
  const CpuIsa best = BestCpuIsa();
  for (const CpuIsa isa : kCpuIsas) EXPECT_EQ(SupportsCpuIsa(isa), isa <= best);
}

TEST(CpuIsaTest, NamesReadBack) {
  for (const CpuIsa isa : kCpuIsas) EXPECT_EQ(ParseCpuIsa(NameOf(isa)), isa);
  EXPECT_FALSE(ParseCpuIsa("sse9").has_value());
}

TEST(BufferTest, IsZeroedAlignedAndMoves) {
  for (const size_t bytes : {size_t{1}, size_t{5000}, (size_t{2} << 20) + 1}) {
    absl::StatusOr<Buffer> made = Buffer::Allocate(bytes);
    ASSERT_TRUE(made.ok());
    Buffer buffer = *std::move(made);
    EXPECT_EQ(buffer.size_bytes(), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % Buffer::kAlignment, 0u);
    const uint8_t* first = buffer.as<uint8_t>();
    EXPECT_TRUE(std::all_of(first, first + bytes, [](uint8_t byte) { return byte == 0; }));
    buffer.as<uint8_t>()[bytes - 1] = 7;
    Buffer other;
    other = std::move(buffer);
    EXPECT_EQ(other.as<uint8_t>(), first);
    EXPECT_EQ(first[bytes - 1], 7);
    EXPECT_TRUE(buffer.empty());  // NOLINT(bugprone-use-after-move): what a move leaves is stated
  }
}

TEST(BufferTest, SmallPagesBecomeRealOneByOne) {
  constexpr size_t kBytes = size_t{8} << 20;
  constexpr size_t kPage = 4096;
  absl::StatusOr<Buffer> made = Buffer::Allocate(kBytes, Buffer::Pages::kSmall);
  ASSERT_TRUE(made.ok());
  made->as<uint8_t>()[kBytes / 2] = 1;
  std::vector<unsigned char> real(kBytes / kPage);
  ASSERT_EQ(mincore(made->data(), kBytes, real.data()), 0);
  EXPECT_EQ(std::count_if(real.begin(), real.end(), [](auto byte) { return byte & 1; }), 1);
}

TEST(BufferTest, EmptyAndImpossibleSizes) {
  EXPECT_TRUE(Buffer::Allocate(0)->empty());
  EXPECT_EQ(Buffer::Allocate(size_t{1} << 60).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Buffer::Allocate(SIZE_MAX).status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace baton::worker
