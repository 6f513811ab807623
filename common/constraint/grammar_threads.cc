#include "common/constraint/grammar_threads.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton {
namespace {

// A chain of 1,000 references overflows 8 MB; what is admitted stays well below this.
constexpr size_t kStackBytes = size_t{64} << 20;

}  // namespace

GrammarThreads::GrammarThreads(const Options& options) : tasks_(options.queue_length_max) {
  for (int i = 0; i < options.thread_count; ++i) {
    threads_.push_back(std::make_unique<OwnedThread>(
        absl::StrCat(options.name, "-", i),
        [this, niceness = options.niceness](std::stop_token) { Work(niceness); }, kStackBytes));
  }
}

GrammarThreads::~GrammarThreads() { Stop(); }

absl::Status GrammarThreads::Run(std::function<void()> task) {
  switch (tasks_.TryPush(std::move(task))) {
    case PushResult::kPushed:
      return absl::OkStatus();
    case PushResult::kFull:
      return WithRetryAfter(Unavailable("constraint: too many wait to be compiled"),
                            std::chrono::seconds(1));
    case PushResult::kClosed:
      break;
  }
  return Unavailable("constraint: the process is stopping");
}

void GrammarThreads::Stop() {
  tasks_.Close();
  while (tasks_.TryPop().has_value()) continue;
  for (const auto& thread : threads_) thread->Join();
}

void GrammarThreads::Work(int niceness) {
  if (niceness > 0) setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness);
  while (std::optional<std::function<void()>> task = tasks_.Pop()) (*task)();
}

}  // namespace baton
