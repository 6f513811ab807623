#include "common/concurrency/shutdown.h"

#include <utility>

#include "common/base/check.h"

namespace baton {

Shutdown::Shutdown(Clock& clock, std::function<void(const StageReport&)> report)
    : clock_(clock), report_(std::move(report)) {}

void Shutdown::AddStage(std::string name, Duration allowed,
                        std::function<void(MonotonicTime)> stage) {
  BATON_CHECK(!ran_) << "Shutdown: stage '" << name << "' added after Run";
  stages_.push_back({std::move(name), allowed, std::move(stage)});
}

bool Shutdown::Run() {
  BATON_CHECK(!ran_) << "Shutdown: run twice";
  ran_ = true;
  bool all_in_time = true;
  for (const Stage& stage : stages_) {
    const MonotonicTime start = clock_.Now();
    stage.run(start + stage.allowed);
    const StageReport report{stage.name, clock_.Now() - start, stage.allowed};
    if (report.overran()) all_in_time = false;
    report_(report);
  }
  return all_in_time;
}

}  // namespace baton
