// Seeds for the requests that bring none.
//
// Threading: thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace baton::worker {

class SeedSource {
 public:
  // With a number: the same seeds in the same order, whenever. Without: nobody can foresee them.
  explicit SeedSource(std::optional<uint64_t> number = {}) : number_(number) {}

  uint64_t Next();

 private:
  const std::optional<uint64_t> number_;
  std::atomic<uint64_t> count_{0};
};

}  // namespace baton::worker
