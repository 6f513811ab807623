#include "common/concurrency/periodic_task.h"

#include <utility>

#include "common/base/check.h"

namespace baton {

PeriodicTask::PeriodicTask(std::string name, Clock& clock, Duration period,
                           std::function<void()> function)
    : clock_(clock),
      period_(period),
      function_(std::move(function)),
      thread_(std::move(name), [this, first = clock.Now() + period](std::stop_token stop) {
        Loop(std::move(stop), first);
      }) {
  BATON_CHECK(period > Duration::zero()) << "PeriodicTask: period=" << period.count();
}

PeriodicTask::~PeriodicTask() { Stop(); }

void PeriodicTask::RunSoon() {
  {
    MutexLock lock(mutex_);
    run_soon_ = true;
  }
  changed_.SignalAll();
}

void PeriodicTask::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.SignalAll();
  thread_.RequestStop();
  thread_.Join();
}

void PeriodicTask::Loop(std::stop_token stop, MonotonicTime next) {
  while (!stop.stop_requested()) {
    {
      MutexLock lock(mutex_);
      while (!stopping_ && !run_soon_ && clock_.Now() < next) {
        if (!changed_.WaitUntil(clock_, lock, next)) break;
      }
      if (stopping_) return;
      run_soon_ = false;
    }
    const MonotonicTime start = clock_.Now();
    const bool on_pace = start >= next && start - next < period_;
    next = (on_pace ? next : start) + period_;
    function_();
  }
}

}  // namespace baton
