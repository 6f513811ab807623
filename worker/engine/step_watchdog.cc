#include "worker/engine/step_watchdog.h"

#include <algorithm>
#include <utility>

namespace baton::worker {
namespace {

// How late a stall may be noticed, as a part of the limit.
constexpr int kLooksPerLimit = 8;

Duration PeriodOf(Duration limit) {
  return std::clamp<Duration>(limit / kLooksPerLimit, std::chrono::milliseconds(1),
                              std::chrono::seconds(5));
}

}  // namespace

std::optional<EngineStall> StallDetector::Look(MonotonicTime now, uint64_t turn_count,
                                               int32_t requests) {
  const bool waits = requests > 0 && turn_count == turn_count_ && since_.has_value();
  if (!waits) {
    since_ = requests > 0 ? std::optional(now) : std::nullopt;
    turn_count_ = turn_count;
    told_ = false;
    return std::nullopt;
  }
  if (told_ || now - *since_ < limit_) return std::nullopt;
  told_ = true;
  return EngineStall{.since = now - *since_, .requests = requests, .turn_count = turn_count};
}

StepWatchdog::StepWatchdog(const EngineLoop& engine, Clock& clock, Duration limit,
                           std::function<void(const EngineStall&)> on_stall)
    : detector_(limit),
      task_("watchdog", clock, PeriodOf(limit),
            [this, &engine, &clock, on_stall = std::move(on_stall)] {
              const auto stall =
                  detector_.Look(clock.Now(), engine.turn_count(), engine.alive_count());
              if (stall.has_value()) on_stall(*stall);
            }) {}

}  // namespace baton::worker
