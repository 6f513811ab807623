#include "common/obs/lifecycle.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton {

std::string_view LifecycleStateName(LifecycleState state) {
  switch (state) {
    case LifecycleState::kStarting:
      return "starting";
    case LifecycleState::kLoading:
      return "loading";
    case LifecycleState::kWarming:
      return "warming";
    case LifecycleState::kReady:
      return "ready";
    case LifecycleState::kDraining:
      return "draining";
    case LifecycleState::kStopped:
      return "stopped";
    case LifecycleState::kWedged:
      return "wedged";
  }
  return "unknown";
}

Lifecycle::Lifecycle(Clock& clock) : clock_(clock), start_(clock.Now()) {}

void Lifecycle::SetState(LifecycleState state) {
  MutexLock lock(mutex_);
  state_ = state;
  if (state == LifecycleState::kReady) started_ = true;
}

LifecycleState Lifecycle::state() const {
  MutexLock lock(mutex_);
  return state_;
}

void Lifecycle::SetProgress(LoadProgress progress) {
  MutexLock lock(mutex_);
  progress_ = std::move(progress);
}

void Lifecycle::SetReadyCheck(std::function<bool()> ready_check) {
  MutexLock lock(mutex_);
  ready_check_ = std::move(ready_check);
}

bool Lifecycle::alive() const { return state() != LifecycleState::kWedged; }

bool Lifecycle::ready() const {
  std::function<bool()> check;
  {
    MutexLock lock(mutex_);
    if (state_ != LifecycleState::kReady) return false;
    check = ready_check_;
  }
  return !check || check();
}

bool Lifecycle::started() const {
  MutexLock lock(mutex_);
  return started_;
}

std::string Lifecycle::ToJson() const {
  const bool is_ready = ready();  // asks the check, so before the lock
  MutexLock lock(mutex_);
  const double elapsed = ToSeconds(clock_.Now() - start_);
  std::string json = absl::StrCat("{\"state\":", QuoteJson(LifecycleStateName(state_)),
                                  ",\"ready\":", is_ready ? "true" : "false");
  if (!progress_.phase.empty()) absl::StrAppend(&json, ",\"phase\":", QuoteJson(progress_.phase));
  if (progress_.total_bytes > 0) {
    const double share =
        static_cast<double>(progress_.done_bytes) / static_cast<double>(progress_.total_bytes);
    absl::StrAppend(&json, ",\"bytes\":", progress_.done_bytes,
                    ",\"total\":", progress_.total_bytes,
                    absl::StrFormat(",\"percent\":%.1f", 100 * share));
    if (share > 0 && !started_) {
      absl::StrAppendFormat(&json, ",\"eta_s\":%.1f", elapsed * (1 - share) / share);
    }
  }
  absl::StrAppendFormat(&json, ",\"elapsed_s\":%.1f", elapsed);
  if (!progress_.detail.empty()) {
    absl::StrAppend(&json, ",\"detail\":", QuoteJson(progress_.detail));
  }
  return json + "}";
}

}  // namespace baton
