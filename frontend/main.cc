// baton-frontend: the OpenAI API over HTTP, in front of routers and workers.
#include "common/base/process_memory.h"
#include "common/concurrency/termination_signals.h"
#include "common/config/program.h"
#include "common/obs/log.h"
#include "frontend/app.h"
#include "frontend/frontend_config.h"

namespace {

int Run(std::span<const std::string> arguments) {
  using namespace baton;
  MapLargeBlocks();
  frontend::FrontendConfig config;
  OptionTable table("baton-frontend", "Speaks the OpenAI API over HTTP for a fleet of workers.");
  frontend::DescribeOptions(table, config);
  const auto status = ReadOptions(table, arguments, [&config] { return config.Validate(); });
  if (status.has_value()) return *status;
  StartLog({.component = "frontend", .level = config.log_level, .format = config.log_format});
  TerminationSignals signals;
  auto app = frontend::FrontendApp::Start(config, RealClock());
  if (!app.ok()) {
    LogError("frontend cannot start", {{"error", app.status()}});
    FlushLog();
    return kExitFailure;
  }
  signals.Wait();
  const bool in_time = (*app)->Stop();
  FlushLog();
  return in_time ? 0 : kExitFailure;
}

}  // namespace

int main(int argc, char** argv) { return baton::RunProgram("baton-frontend", argc, argv, Run); }
