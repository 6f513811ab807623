// The state of mirostat as the bytes that travel with a sequence: "M" and mu, little-endian.
//
// Threading: pure functions. Errors: nothing for bytes that are none.
#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace baton::worker {

static_assert(std::endian::native == std::endian::little);

inline std::string WriteMirostatState(float mu) {
  std::string bytes(1 + sizeof(mu), 'M');
  std::memcpy(bytes.data() + 1, &mu, sizeof(mu));
  return bytes;
}

inline std::optional<float> ReadMirostatState(std::string_view bytes) {
  float mu = 0;
  if (bytes.size() != 1 + sizeof(mu) || bytes[0] != 'M') return std::nullopt;
  std::memcpy(&mu, bytes.data() + 1, sizeof(mu));
  if (!std::isfinite(mu)) return std::nullopt;
  return mu;
}

}  // namespace baton::worker
