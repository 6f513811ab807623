#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"

namespace baton {

// Where a process is in its life. Every probe reads it from here.
enum class LifecycleState {
  kStarting,
  kLoading,
  kWarming,
  kReady,
  kDraining,
  kStopped,
  kWedged,  // alive, but its work no longer moves: to be restarted
};

std::string_view LifecycleStateName(LifecycleState state);

// How far loading has come; shown by /startupz and by `baton serve` as a bar.
struct LoadProgress {
  std::string phase;   // "weights"
  std::string detail;  // "layer 33/80"
  uint64_t done_bytes = 0;
  uint64_t total_bytes = 0;  // 0: unknown
};

// The state of the process, kept by app.cc and read by the admin server and the RPC health service.
//
// Threading: thread-safe. `ready_check` is called from probes' threads: cheap, without I/O.
class Lifecycle {
 public:
  explicit Lifecycle(Clock& clock);

  void SetState(LifecycleState state);
  LifecycleState state() const;

  void SetProgress(LoadProgress progress);

  // An additional condition of readiness ("a worker is connected"); asked only when kReady.
  void SetReadyCheck(std::function<bool()> ready_check);

  // True unless kWedged.
  bool alive() const;
  // True if kReady and the check, if any, agrees.
  bool ready() const;
  // True once kReady was reached, for ever.
  bool started() const;

  // {"state":"loading","ready":false,"phase":"weights","bytes":1,"total":2,"percent":50.0,
  //  "eta_s":1.5,"elapsed_s":1.5,"detail":"layer 33/80"}; fields without a value are left out.
  std::string ToJson() const;

 private:
  Clock& clock_;
  const MonotonicTime start_;

  mutable Mutex mutex_;
  LifecycleState state_ ABSL_GUARDED_BY(mutex_) = LifecycleState::kStarting;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  LoadProgress progress_ ABSL_GUARDED_BY(mutex_);
  std::function<bool()> ready_check_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton
