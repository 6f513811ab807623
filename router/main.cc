// baton-router: decides which worker serves a request.
#include "common/concurrency/termination_signals.h"
#include "common/config/program.h"
#include "router/app.h"

namespace {

constexpr const char* kProgram = "baton-router";

int Run(std::span<const std::string> arguments) {
  using namespace baton;
  router::RouterOptions options;
  OptionTable table(kProgram, "Decides which worker serves a request.");
  router::DescribeOptions(table, options);
  if (const auto status = ReadOptions(table, arguments)) return *status;
  TerminationSignals signals;
  StartLog({.component = "router", .level = options.log_level, .format = options.log_format});
  auto app = router::App::Start(options, RealClock());
  if (!app.ok()) return Fail(kProgram, app.status());
  signals.Wait();
  const bool in_time = (*app)->Stop();
  FlushLog();
  return in_time ? 0 : kExitFailure;
}

}  // namespace

int main(int argc, char** argv) { return baton::RunProgram(kProgram, argc, argv, Run); }
