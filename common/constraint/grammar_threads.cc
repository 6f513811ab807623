#include "common/constraint/grammar_threads.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/concurrency/owned_thread.h"

namespace baton {
namespace {

// A chain of 1,000 references overflows 8 MB; what is admitted stays well below this.
constexpr size_t kStackBytes = size_t{64} << 20;
constexpr Duration kWatchPeriod = std::chrono::seconds(1);
constexpr Duration kLogInterval = std::chrono::seconds(10);
constexpr int kOverdueNiceness = 19;

absl::Status Stopping() { return Unavailable("constraint: the process is stopping"); }

absl::Status TooMany(const char* why) {
  return WithRetryAfter(Unavailable(absl::StrCat("constraint: ", why)), std::chrono::seconds(1));
}

}  // namespace

// One thread and the task that it is at.
//
// Threading: Run on the thread itself, the rest on the watch; the mutex guards what both see.
class GrammarThreads::Worker {
 public:
  Worker(const std::string& name, const Options& options, BoundedQueue<Task>& tasks)
      : options_(options),
        tasks_(tasks),
        thread_(
            name, [this](std::stop_token) { Run(); }, kStackBytes) {}

  // The settle of a task that has become overdue just now; null for any other.
  Settle TakeOverdue(MonotonicTime now) {
    MutexLock lock(mutex_);
    if (settle_ == nullptr || now - since_ <= options_.task_time_max) return nullptr;
    overdue_ = true;
    SetNiceness(thread_id_, kOverdueNiceness);
    return std::exchange(settle_, nullptr);
  }

  bool overdue() const {
    MutexLock lock(mutex_);
    return overdue_;
  }

  // Overdue once, and through with its task now.
  bool ended() const {
    MutexLock lock(mutex_);
    return ended_;
  }

 private:
  static void SetNiceness(pid_t thread_id, int niceness) {
    setpriority(PRIO_PROCESS, static_cast<id_t>(thread_id), niceness);
  }

  void Run() {
    if (options_.niceness > 0) SetNiceness(gettid(), options_.niceness);
    while (std::optional<Task> task = tasks_.Pop()) {
      Begin(std::move(task->settle));
      task->compute();
      const Settle settle = End();
      if (settle == nullptr) return;
      settle(absl::OkStatus());
    }
  }

  void Begin(Settle settle) {
    MutexLock lock(mutex_);
    thread_id_ = gettid();
    since_ = options_.clock.Now();
    settle_ = std::move(settle);
  }

  // Null: the task was overdue, and so is this thread.
  Settle End() {
    MutexLock lock(mutex_);
    ended_ = overdue_;
    return std::exchange(settle_, nullptr);
  }

  const Options& options_;
  BoundedQueue<Task>& tasks_;

  mutable Mutex mutex_;
  Settle settle_ ABSL_GUARDED_BY(mutex_);  // of the task under way, until it is overdue
  MonotonicTime since_ ABSL_GUARDED_BY(mutex_);
  pid_t thread_id_ ABSL_GUARDED_BY(mutex_) = 0;
  bool overdue_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;

  OwnedThread thread_;  // last: it uses all of the above
};

GrammarThreads::GrammarThreads(Options options)
    : options_(std::move(options)),
      tasks_(options_.queue_length_max),
      overdue_log_(kLogInterval, options_.clock) {
  {
    MutexLock lock(mutex_);
    AddWorkersLocked();
  }
  if (options_.task_time_max == Duration::max()) return;
  watch_.emplace(absl::StrCat(options_.name, "-watch"), options_.clock, kWatchPeriod,
                 [this] { Watch(); });
}

GrammarThreads::~GrammarThreads() { Stop(); }

void GrammarThreads::Run(Compute compute, Settle settle) {
  switch (tasks_.TryPush({std::move(compute), settle})) {
    case PushResult::kPushed:
      return;
    case PushResult::kFull:
      return settle(TooMany("too many wait to be compiled"));
    case PushResult::kClosed:
      return settle(Stopping());
  }
}

void GrammarThreads::Stop() {
  tasks_.Close();
  Drop(Stopping());
  if (watch_.has_value()) watch_->Stop();
  std::list<std::unique_ptr<Worker>> workers;
  {
    MutexLock lock(mutex_);
    workers.swap(workers_);
  }
}

void GrammarThreads::AddWorkersLocked() {
  const auto overdue = static_cast<int>(std::count_if(
      workers_.begin(), workers_.end(), [](const auto& worker) { return worker->overdue(); }));
  const int count = options_.thread_count + std::min(overdue, options_.overdue_max);
  while (static_cast<int>(workers_.size()) < count) {
    workers_.push_back(std::make_unique<Worker>(absl::StrCat(options_.name, "-", started_count_++),
                                                options_, tasks_));
  }
}

void GrammarThreads::Watch() {
  std::vector<Settle> overdue;
  std::list<std::unique_ptr<Worker>> ended;
  {
    MutexLock lock(mutex_);
    for (auto at = workers_.begin(); at != workers_.end();) {
      const auto worker = at++;
      if (Settle settle = (*worker)->TakeOverdue(options_.clock.Now())) {
        overdue.push_back(std::move(settle));
      }
      if ((*worker)->ended()) ended.splice(ended.end(), workers_, worker);
    }
  }
  for (const Settle& settle : overdue) {
    overdue_log_.Warning("constraint takes too long to compile", {{"threads", options_.name}});
    settle(InvalidArgument("constraint: the engine takes too long to compile it"));
  }
  bool serving = false;
  {
    MutexLock lock(mutex_);
    AddWorkersLocked();
    serving = std::any_of(workers_.begin(), workers_.end(),
                          [](const auto& worker) { return !worker->overdue(); });
  }
  if (!serving) Drop(TooMany("all threads that compile are taken by constraints without an end"));
}

void GrammarThreads::Drop(const absl::Status& status) {
  while (std::optional<Task> task = tasks_.TryPop()) task->settle(status);
}

}  // namespace baton
