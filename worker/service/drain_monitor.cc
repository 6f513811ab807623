#include "worker/service/drain_monitor.h"

#include <chrono>
#include <utility>

namespace baton::worker {

void DrainMonitor::Wait(MonotonicTime deadline, Done done) {
  {
    MutexLock lock(mutex_);
    waiting_.push_back({deadline, std::move(done)});
    if (!task_.has_value() && !stopped_) {
      task_.emplace("drain", clock_, std::chrono::milliseconds(20), [this] { Look(false); });
    }
  }
  Look(false);
}

void DrainMonitor::Stop() {
  PeriodicTask* task = nullptr;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    if (task_.has_value()) task = &*task_;
  }
  if (task != nullptr) task->Stop();  // without the lock, which a running look takes
  Look(true);
}

void DrainMonitor::Look(bool answer_all) {
  const int32_t unfinished = engine_.alive_count();
  const MonotonicTime now = clock_.Now();
  std::vector<Waiting> ready;
  {
    MutexLock lock(mutex_);
    std::vector<Waiting> rest;
    for (Waiting& waiting : waiting_) {
      const bool due = answer_all || unfinished == 0 || waiting.deadline <= now;
      (due ? ready : rest).push_back(std::move(waiting));
    }
    waiting_ = std::move(rest);
  }
  for (Waiting& waiting : ready) waiting.done(unfinished);
}

}  // namespace baton::worker
