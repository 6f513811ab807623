// Keeps the programs of `baton serve` running, and ends them in order: a state machine that is told
// what happened and says what is next. It starts no thread and waits for nothing.
//
//   Supervisor supervisor(options, children, processes, clock);
//   RETURN_IF_ERROR(supervisor.StartAll());
//   … on SIGCHLD: supervisor.OnExit(pid, wait_status); at supervisor.next_due(): supervisor.Tick();
//   … on SIGTERM: supervisor.OnStopSignal(); until supervisor.stopped().
//
// Before Serving() was called, a child that ends is a failure: it says itself why. Afterwards it is
// started again after a pause that doubles with each failure in a row; at `restarts_max` of them
// the supervisor gives up.
//
// Threading: owned by the thread of main.
// Ownership: the process table and the clock outlive it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "frontend/cli/child_process.h"

namespace baton::frontend {

// Where processes are made and signalled; tests keep a table of their own.
class Processes {
 public:
  virtual ~Processes() = default;
  virtual absl::StatusOr<pid_t> Start(const ProcessSpec& spec) = 0;
  virtual void Signal(pid_t pid, int signal) = 0;
};

struct ChildSpec {
  std::string name;
  ProcessSpec process;
  // Children are ended in ascending order; a stage waits for the one before it.
  int stop_stage = 0;
};

struct SupervisorOptions {
  Duration restart_pause_min = std::chrono::milliseconds(100);
  Duration restart_pause_max = std::chrono::seconds(10);
  // A child that ran so long has not failed in a row.
  Duration stable_after = std::chrono::seconds(30);
  int restarts_max = 20;
  // For each stop stage; then its children are killed.
  Duration stop_timeout = std::chrono::seconds(20);
  // Stop signals that come so soon after the first say the same again: one key press reaches us
  // from the terminal and from a script that passes it on.
  Duration stop_signal_pause = std::chrono::seconds(1);
};

class Supervisor {
 public:
  Supervisor(SupervisorOptions options, std::vector<ChildSpec> children, Processes& processes,
             Clock& clock);

  // Errors: the first child that cannot be started; those before it run and must be stopped.
  absl::Status StartAll();

  // Everything has been ready once: from now on children are restarted.
  void Serving() { serving_ = true; }

  void OnExit(pid_t pid, int wait_status);

  // Does what is due: restarts, and the next step of stopping.
  void Tick();

  // When Tick is due next.
  MonotonicTime next_due() const;

  // Somebody asks us to end: the first time in order, later at once.
  void OnStopSignal();

  // Ends all children, stage by stage. Idempotent.
  void BeginStop();
  // Ends all children at once, without waiting.
  void Kill();
  bool stopping() const { return stopping_; }
  bool stopped() const;

  // Why it cannot go on, when it cannot.
  const std::optional<absl::Status>& failure() const { return failure_; }

  int restarts() const { return restarts_; }

 private:
  struct Child {
    ChildSpec spec;
    pid_t pid = 0;  // 0: not running
    MonotonicTime started;
    MonotonicTime restart_at;
    bool restart_due = false;
    int failures = 0;  // in a row
  };

  absl::Status Start(Child& child);
  void ScheduleRestart(Child& child);
  void StopNextStage();

  const SupervisorOptions options_;
  Processes& processes_;
  Clock& clock_;
  std::vector<Child> children_;
  bool serving_ = false;
  bool stopping_ = false;
  int stop_stage_ = -1;
  MonotonicTime stage_deadline_;
  std::optional<MonotonicTime> first_stop_signal_;
  int restarts_ = 0;
  std::optional<absl::Status> failure_;
};

}  // namespace baton::frontend
