#include "worker/service/seed_source.h"

#include <random>

namespace baton::worker {
namespace {

uint64_t RandomSeed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// The output of SplitMix64 in this state.
uint64_t Mix(uint64_t state) {
  state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
  state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
  return state ^ (state >> 31);
}

}  // namespace

uint64_t SeedSource::Next() {
  if (!number_.has_value()) return RandomSeed();
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
  return Mix(*number_ + kStep * (count_.fetch_add(1) + 1));
}

}  // namespace baton::worker
