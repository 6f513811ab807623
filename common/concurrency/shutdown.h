#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace baton {

// The orderly end of a process: named stages in a fixed order, each with a deadline, each logged
// with the time it took. main() makes it, the app adds what must happen, main() runs it once.
//
//   Shutdown shutdown(RealClock(), [](const Shutdown::StageReport& r) { ... log ... });
//   shutdown.AddStage("readiness false", std::chrono::seconds(1), [&](MonotonicTime) { ... });
//   shutdown.AddStage("drain", options.drain_timeout, [&](MonotonicTime deadline) {
//     server.DrainUntil(deadline);
//   });
//   return shutdown.Run() ? 0 : 1;
//
// A stage gets its deadline and must respect it: the stage is not torn away from its thread. A
// stage that overruns is reported, and the next one starts; nothing is skipped.
//
// Threading: thread-compatible; built and run by main.
// Errors:    an overrun stage makes Run() return false, which main turns into exit status 1.
class Shutdown {
 public:
  struct StageReport {
    std::string name;
    Duration elapsed{};
    Duration allowed{};
    bool overran() const { return elapsed > allowed; }
  };

  // `report` is called after each stage, on the thread that runs it.
  Shutdown(Clock& clock, std::function<void(const StageReport&)> report);

  // Adds a stage after those that are there. REQUIRES: Run() has not been called.
  void AddStage(std::string name, Duration allowed, std::function<void(MonotonicTime)> stage);

  // Runs all stages in order; true if each kept its deadline. REQUIRES: called at most once.
  bool Run();

 private:
  struct Stage {
    std::string name;
    Duration allowed;
    std::function<void(MonotonicTime)> run;
  };

  Clock& clock_;
  const std::function<void(const StageReport&)> report_;
  std::vector<Stage> stages_;
  bool ran_ = false;
};

}  // namespace baton
