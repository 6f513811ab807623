// baton-frontend: the OpenAI API over HTTP, in front of routers and workers.
#include <iostream>

#include "common/base/build_info.h"
#include "common/concurrency/termination_signals.h"
#include "common/obs/log.h"
#include "frontend/app.h"
#include "frontend/frontend_config.h"

namespace baton::frontend {
namespace {

int Main(int argc, char** argv) {
  const auto parsed = ParseFrontendConfig(ArgumentsOfMain(argc, argv), ProcessEnvironment());
  if (!parsed.ok()) {
    std::cerr << "baton-frontend: " << parsed.status().message() << "\n";
    return 2;
  }
  if (parsed->action == LoadedConfig::Action::kShowHelp) {
    std::cout << parsed->help_text;
    return 0;
  }
  if (parsed->action == LoadedConfig::Action::kShowVersion) {
    std::cout << Version() << "\n";
    return 0;
  }
  StartLog({.component = "frontend",
            .level = parsed->config.log_level,
            .format = parsed->config.log_format});
  TerminationSignals signals;
  auto app = FrontendApp::Start(parsed->config, RealClock());
  if (!app.ok()) {
    LogError("frontend cannot start", {{"error", app.status()}});
    FlushLog();
    return 1;
  }
  signals.Wait();
  const bool in_time = (*app)->Stop();
  FlushLog();
  return in_time ? 0 : 1;
}

}  // namespace
}  // namespace baton::frontend

int main(int argc, char** argv) { return baton::frontend::Main(argc, argv); }
