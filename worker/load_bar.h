// Shows on a terminal how far loading has come; silent elsewhere.
//
// Threading: thread-compatible; called by whoever loads.
#pragma once

#include <cstdint>

#include "common/base/clock.h"

namespace baton::worker {

class LoadBar {
 public:
  explicit LoadBar(Clock& clock);
  ~LoadBar();  // ends the line

  void Show(uint64_t done_bytes, uint64_t total_bytes);

 private:
  Clock& clock_;
  const bool terminal_;
  bool shown_ = false;
  MonotonicTime next_{};
};

}  // namespace baton::worker
