// baton-router: decides which worker serves a request.
#include <cstdio>
#include <exception>
#include <iostream>

#include "common/base/build_info.h"
#include "common/concurrency/termination_signals.h"
#include "common/config/config_source.h"
#include "router/app.h"

namespace {

int Fail(const absl::Status& status) {
  std::cerr << "baton-router: " << status.message() << "\n";
  return 1;
}

int Run(int argc, char** argv) {
  using namespace baton;
  router::RouterOptions options;
  OptionTable table("baton-router", "Decides which worker serves a request.");
  router::DescribeOptions(table, options);
  const auto loaded = LoadConfig(table, ArgumentsOfMain(argc, argv), ProcessEnvironment());
  if (!loaded.ok()) return Fail(loaded.status());
  if (loaded->action == LoadedConfig::Action::kShowHelp) {
    std::cout << table.HelpText();
    return 0;
  }
  if (loaded->action == LoadedConfig::Action::kShowVersion) {
    std::cout << "baton-router " << Version() << "\n";
    return 0;
  }
  TerminationSignals signals;
  StartLog({.component = "router", .level = options.log_level, .format = options.log_format});
  auto app = router::App::Start(options, RealClock());
  if (!app.ok()) return Fail(app.status());
  signals.Wait();
  const bool in_time = (*app)->Stop();
  FlushLog();
  return in_time ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "baton-router: " << error.what() << "\n";
    return 1;
  }
}
