// Notices that the engine stands still although requests wait: a kernel that never ends, a device
// that no longer answers, a lock that is never given back. Nothing inside the process can undo
// that, so its owner ends the process, and whoever watches it starts it anew.
//
//   StepWatchdog watchdog(engine, clock, std::chrono::minutes(5), [](const EngineStall& stall) {
//     LogError("the engine stands still", {{"seconds", ToSeconds(stall.since)}, …});
//     …
//   });
//
// A long step is no stall before the limit: the first step of a large model on a slow machine takes
// minutes. An engine without requests waits, and never stalls.
//
// Threading: the callback runs once, on the watchdog's thread, while the engine's is stuck.
// Ownership: the engine outlives the watchdog.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "common/base/clock.h"
#include "common/concurrency/periodic_task.h"
#include "worker/engine/engine_loop.h"

namespace baton::worker {

struct EngineStall {
  Duration since{};         // at least; it is looked at a few times in each limit
  int32_t requests = 0;     // whose end has not been told
  uint64_t turn_count = 0;  // that the engine has completed
};

// Tells standing still from having nothing to do, from what is seen now and then.
//
// Threading: thread-compatible.
class StallDetector {
 public:
  explicit StallDetector(Duration limit) : limit_(limit) {}

  // The stall, when requests have waited for `limit` without a completed turn; once per stall.
  std::optional<EngineStall> Look(MonotonicTime now, uint64_t turn_count, int32_t requests);

 private:
  const Duration limit_;
  std::optional<MonotonicTime> since_;  // nothing: no request waits
  uint64_t turn_count_ = 0;
  bool told_ = false;
};

class StepWatchdog {
 public:
  // REQUIRES: limit > 0.
  StepWatchdog(const EngineLoop& engine, Clock& clock, Duration limit,
               std::function<void(const EngineStall&)> on_stall);

 private:
  StallDetector detector_;
  PeriodicTask task_;
};

}  // namespace baton::worker
