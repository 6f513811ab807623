#include "frontend/http/request_id.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

namespace baton::frontend {
namespace {

constexpr size_t kIdBytesMax = 256;

std::mt19937_64 SeededGenerator() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

std::string NewRequestId() {
  static thread_local std::mt19937_64 generator = SeededGenerator();
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  id.reserve(32);
  for (int half = 0; half < 2; ++half) {
    uint64_t bits = generator();
    for (int i = 0; i < 16; ++i, bits >>= 4) id += kDigits[bits & 15];
  }
  return id;
}

std::string RequestIdOf(const HttpHeaders& headers) {
  const std::optional<std::string_view> given = FindHeader(headers, "x-request-id");
  const bool usable =
      given.has_value() && !given->empty() && given->size() <= kIdBytesMax &&
      std::all_of(given->begin(), given->end(), [](char c) { return c > 0x20 && c < 0x7f; });
  return usable ? std::string(*given) : NewRequestId();
}

}  // namespace baton::frontend
