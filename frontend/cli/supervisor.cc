#include "frontend/cli/supervisor.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/obs/log.h"

namespace baton::frontend {
namespace {

std::string HowItEnded(int wait_status) {
  if (WIFSIGNALED(wait_status)) return absl::StrCat("by signal ", WTERMSIG(wait_status));
  return absl::StrCat("with status ", WEXITSTATUS(wait_status));
}

}  // namespace

Supervisor::Supervisor(SupervisorOptions options, std::vector<ChildSpec> children,
                       Processes& processes, Clock& clock)
    : options_(options), processes_(processes), clock_(clock) {
  for (ChildSpec& spec : children) children_.emplace_back().spec = std::move(spec);
}

absl::Status Supervisor::StartAll() {
  for (Child& child : children_) RETURN_IF_ERROR(Start(child));
  return absl::OkStatus();
}

absl::Status Supervisor::Start(Child& child) {
  child.restart_due = false;
  ASSIGN_OR_RETURN(child.pid, processes_.Start(child.spec.process));
  child.started = clock_.Now();
  return absl::OkStatus();
}

void Supervisor::OnExit(pid_t pid, int wait_status) {
  const auto child = std::find_if(children_.begin(), children_.end(),
                                  [pid](const Child& c) { return c.pid == pid; });
  if (child == children_.end()) return;
  child->pid = 0;
  if (stopping_) {
    StopNextStage();
    return;
  }
  if (!serving_) {
    failure_ = Internal(
        absl::StrCat(child->spec.name, " ended ", HowItEnded(wait_status), " before it was ready"));
    return;
  }
  LogWarning("a program ended and will be started again",
             {{"program", child->spec.name}, {"ended", HowItEnded(wait_status)}});
  ScheduleRestart(*child);
}

void Supervisor::ScheduleRestart(Child& child) {
  const bool was_stable = clock_.Now() - child.started >= options_.stable_after;
  child.failures = was_stable ? 1 : child.failures + 1;
  if (child.failures > options_.restarts_max) {
    failure_ =
        Internal(absl::StrCat(child.spec.name, " failed ", child.failures, " times in a row"));
    return;
  }
  Duration pause = options_.restart_pause_min;
  for (int i = 1; i < child.failures && pause < options_.restart_pause_max; ++i) pause *= 2;
  child.restart_at = clock_.Now() + std::min(pause, options_.restart_pause_max);
  child.restart_due = true;
}

void Supervisor::Tick() {
  const MonotonicTime now = clock_.Now();
  if (stopping_) {
    if (!stopped() && now >= stage_deadline_) Kill();
    return;
  }
  for (Child& child : children_) {
    if (!child.restart_due || now < child.restart_at) continue;
    ++restarts_;
    if (const absl::Status started = Start(child); !started.ok()) ScheduleRestart(child);
  }
}

MonotonicTime Supervisor::next_due() const {
  if (stopping_) return stage_deadline_;
  MonotonicTime due = clock_.Now() + std::chrono::hours(1);
  for (const Child& child : children_) {
    if (child.restart_due) due = std::min(due, child.restart_at);
  }
  return due;
}

void Supervisor::OnStopSignal() {
  const MonotonicTime now = clock_.Now();
  if (!first_stop_signal_.has_value()) {
    first_stop_signal_ = now;
    BeginStop();
  } else if (now - *first_stop_signal_ > options_.stop_signal_pause) {
    Kill();
  }
}

void Supervisor::BeginStop() {
  if (stopping_) return;
  stopping_ = true;
  for (Child& child : children_) child.restart_due = false;
  StopNextStage();
}

// Moves on to the lowest stage that still runs; its children are asked to end once.
void Supervisor::StopNextStage() {
  std::optional<int> lowest;
  for (const Child& child : children_) {
    if (child.pid == 0) continue;
    lowest = std::min(lowest.value_or(child.spec.stop_stage), child.spec.stop_stage);
  }
  if (!lowest.has_value() || *lowest <= stop_stage_) return;
  stop_stage_ = *lowest;
  stage_deadline_ = clock_.Now() + options_.stop_timeout;
  for (const Child& child : children_) {
    if (child.pid != 0 && child.spec.stop_stage == stop_stage_) {
      processes_.Signal(child.pid, SIGTERM);
    }
  }
}

void Supervisor::Kill() {
  stopping_ = true;
  stage_deadline_ = clock_.Now() + options_.stop_timeout;
  for (const Child& child : children_) {
    if (child.pid != 0) processes_.Signal(child.pid, SIGKILL);
  }
}

bool Supervisor::stopped() const {
  return std::all_of(children_.begin(), children_.end(),
                     [](const Child& child) { return child.pid == 0; });
}

}  // namespace baton::frontend
