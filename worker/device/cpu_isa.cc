#include "worker/device/cpu_isa.h"

#include "common/base/check.h"

namespace baton::worker {

namespace {

bool HasAvx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
#else
  return false;
#endif
}

bool HasAvx512() {
#if defined(__x86_64__)
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

}  // namespace

bool SupportsCpuIsa(CpuIsa isa) {
  switch (isa) {
    case CpuIsa::kPlain:
      return true;
    case CpuIsa::kAvx2:
      return HasAvx2();
    case CpuIsa::kAvx512:
      return HasAvx512();
  }
  return false;
}

CpuIsa BestCpuIsa() {
  static const CpuIsa best = [] {
    CpuIsa found = CpuIsa::kPlain;
    for (const CpuIsa isa : kCpuIsas) {
      if (SupportsCpuIsa(isa)) found = isa;
    }
    return found;
  }();
  return best;
}

std::string_view NameOf(CpuIsa isa) {
  switch (isa) {
    case CpuIsa::kPlain:
      return "plain";
    case CpuIsa::kAvx2:
      return "avx2";
    case CpuIsa::kAvx512:
      return "avx512";
  }
  BATON_CHECK(false) << "cpu isa: value=" << static_cast<int>(isa);
  return {};
}

std::optional<CpuIsa> ParseCpuIsa(std::string_view name) {
  for (const CpuIsa isa : kCpuIsas) {
    if (NameOf(isa) == name) return isa;
  }
  return std::nullopt;
}

}  // namespace baton::worker
