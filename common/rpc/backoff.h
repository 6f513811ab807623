#pragma once

#include <cstdint>
#include <random>

#include "common/base/clock.h"

namespace baton {

// Waiting times between attempts: growing by a factor to a limit, each drawn from the upper half
// of its range so that peers that failed together do not come back together.
//
// Threading: thread-compatible.
class Backoff {
 public:
  struct Options {
    Duration first = std::chrono::milliseconds(50);
    Duration limit = std::chrono::seconds(5);
    double factor = 2;
  };

  Backoff(const Options& options, uint64_t seed) : options_(options), random_(seed) {}

  // How long to wait before the next attempt: in [d/2, d], d growing with each call.
  Duration Next();

  // After a success: starts over.
  void Reset() { attempts_ = 0; }

  int attempts() const { return attempts_; }

 private:
  const Options options_;
  std::mt19937_64 random_;
  int attempts_ = 0;
};

}  // namespace baton
