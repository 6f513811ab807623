// The instruction set that our CPU kernels run on: what the processor has, and what was chosen.
//
// Results differ in their last bits between levels, never within one: the level is part of a
// worker's numerics id.
//
// Threading: any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace baton::worker {

// In ascending order: a processor that has one has those before it.
enum class CpuIsa {
  kPlain,   // whatever the compiler's baseline is; runs everywhere
  kAvx2,    // AVX2, FMA and F16C
  kAvx512,  // AVX-512 F, BW, DQ, VL, VNNI and BF16
};

inline constexpr std::array<CpuIsa, 3> kCpuIsas = {CpuIsa::kPlain, CpuIsa::kAvx2, CpuIsa::kAvx512};

// The best level of this processor.
CpuIsa BestCpuIsa();

// True if this processor can run `isa`.
bool SupportsCpuIsa(CpuIsa isa);

// True if products of bf16 numbers are instructions at this level, so that bf16 is the fast choice
// and not just the small one.
constexpr bool HasBf16Products(CpuIsa isa) { return isa == CpuIsa::kAvx512; }

// "plain", "avx2", "avx512": stable names, for flags and numerics ids.
std::string_view NameOf(CpuIsa isa);
std::optional<CpuIsa> ParseCpuIsa(std::string_view name);

}  // namespace baton::worker
