// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"): a random function
// of a key and a counter, without state, so that a draw depends on its coordinates alone.
//
//   PhiloxBlock four = Philox4x32({block, position, choice, purpose}, seed);
//
// Threading: pure functions.
#pragma once

#include <array>
#include <cstdint>

namespace baton::worker {

using PhiloxBlock = std::array<uint32_t, 4>;

inline PhiloxBlock Philox4x32(PhiloxBlock counter, uint64_t key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53;
  constexpr uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9;
  constexpr uint32_t kWeyl1 = 0xBB67AE85;
  auto key0 = static_cast<uint32_t>(key);
  auto key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0];
    const uint64_t product1 = kMultiplier1 * counter[2];
    counter = {
        static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<uint32_t>(product1),
        static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

// What a random number is for: part of its counter, so that no two uses share one.
enum class RandomPurpose : uint32_t { kGroupRace = 0, kTokenRace = 1, kXtc = 2 };

// Uniform in (0, 1): both ends excluded, so that its logarithm is finite and not zero.
inline double OpenUnit(uint32_t bits) { return (static_cast<double>(bits) + 0.5) * 0x1p-32; }

}  // namespace baton::worker
