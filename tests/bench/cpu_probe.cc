#include "tests/bench/cpu_probe.h"

#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "common/base/check.h"
#include "common/base/clock.h"
#include "worker/device/buffer.h"

namespace baton::worker {

namespace {

constexpr size_t kReadBytes = size_t{512} << 20;
constexpr int64_t kFlopRounds = 4000000;

// Kept from being optimised away.
std::atomic<uint64_t> g_sink{0};

__attribute__((target("avx2"))) uint64_t Sum(const std::byte* data, int64_t bytes) {
  __m256i sums[4] = {};
  for (int64_t i = 0; i < bytes; i += 128) {
    for (int j = 0; j < 4; ++j) {
      const auto* from = reinterpret_cast<const __m256i*>(data + i) + j;
      sums[j] = _mm256_xor_si256(sums[j], _mm256_load_si256(from));
    }
  }
  const __m256i all =
      _mm256_xor_si256(_mm256_xor_si256(sums[0], sums[1]), _mm256_xor_si256(sums[2], sums[3]));
  return static_cast<uint64_t>(_mm256_extract_epi64(all, 0));
}

// Twelve sums at a time: enough to hide the latency of any of them.
__attribute__((target("avx512f,avx512bf16"))) double Bf16Work() {
  __m512 sums[12];
#pragma GCC unroll 12
  for (int j = 0; j < 12; ++j) sums[j] = _mm512_set1_ps(static_cast<float>(j));
  const __m512bh x = reinterpret_cast<__m512bh>(_mm512_set1_epi32(0x3f803f80));
  for (int64_t i = 0; i < kFlopRounds; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) {
      sums[j] = _mm512_dpbf16_ps(sums[j], x, x);
    }
  }
#pragma GCC unroll 12
  for (int j = 1; j < 12; ++j) sums[0] += sums[j];
  g_sink += static_cast<uint64_t>(sums[0][0]);
  return 12.0 * 64 * kFlopRounds;
}

__attribute__((target("avx512f"))) double Avx512Work() {
  __m512 sums[12];
#pragma GCC unroll 12
  for (int j = 0; j < 12; ++j) sums[j] = _mm512_set1_ps(static_cast<float>(j));
  const __m512 x = _mm512_set1_ps(1.0f);
  for (int64_t i = 0; i < kFlopRounds; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) {
      sums[j] = _mm512_fmadd_ps(x, x, sums[j]);
    }
  }
#pragma GCC unroll 12
  for (int j = 1; j < 12; ++j) sums[0] += sums[j];
  g_sink += static_cast<uint64_t>(sums[0][0]);
  return 12.0 * 32 * kFlopRounds;
}

__attribute__((target("avx2,fma"))) double Avx2Work() {
  __m256 sums[12];
#pragma GCC unroll 12
  for (int j = 0; j < 12; ++j) sums[j] = _mm256_set1_ps(static_cast<float>(j));
  const __m256 x = _mm256_set1_ps(1.0f);
  for (int64_t i = 0; i < kFlopRounds; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) {
      sums[j] = _mm256_fmadd_ps(x, x, sums[j]);
    }
  }
#pragma GCC unroll 12
  for (int j = 1; j < 12; ++j) sums[0] += sums[j];
  g_sink += static_cast<uint64_t>(sums[0][0]);
  return 12.0 * 16 * kFlopRounds;
}

}  // namespace

double ReadBandwidth(ComputeThreads& threads) {
  static Buffer* const buffer = [&threads] {
    absl::StatusOr<Buffer> made = Buffer::Allocate(kReadBytes);
    BATON_CHECK(made.ok()) << made.status().ToString();
    auto* kept = new Buffer(*std::move(made));
    threads.Run([&](const ComputeSlice& slice) {
      const ComputeSlice::Range share = slice.Share(kReadBytes);
      std::fill(kept->data() + share.begin, kept->data() + share.end, std::byte{1});
    });
    return kept;
  }();
  const MonotonicTime start = RealClock().Now();
  threads.Run([&](const ComputeSlice& slice) {
    const ComputeSlice::Range share = slice.Share(kReadBytes / 4096);
    g_sink += Sum(buffer->data() + share.begin * 4096, (share.end - share.begin) * 4096);
  });
  return static_cast<double>(kReadBytes) / ToSeconds(RealClock().Now() - start);
}

double PeakFlops(ComputeThreads& threads, DType dtype) {
  std::vector<double> flops(static_cast<size_t>(threads.thread_count()));
  const MonotonicTime start = RealClock().Now();
  threads.Run([&](const ComputeSlice& slice) {
    double& mine = flops[static_cast<size_t>(slice.index())];
    if (threads.isa() == CpuIsa::kAvx512) {
      mine = dtype == DType::kBf16 ? Bf16Work() : Avx512Work();
    } else {
      BATON_CHECK(SupportsCpuIsa(CpuIsa::kAvx2)) << "flop probe: this processor has no AVX2";
      mine = Avx2Work();
    }
  });
  const double seconds = ToSeconds(RealClock().Now() - start);
  double total = 0;
  for (const double part : flops) total += part;
  return total / seconds;
}

}  // namespace baton::worker
