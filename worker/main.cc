// baton-worker: runs a model and serves it over gRPC.
#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "common/base/build_info.h"
#include "common/concurrency/termination_signals.h"
#include "common/config/config_source.h"
#include "worker/app.h"
#include "worker/dump_command.h"
#include "worker/load_bar.h"

namespace {

int Fail(const absl::Status& status) {
  std::cerr << "baton-worker: " << status.message() << "\n";
  return 1;
}

int Run(int argc, char** argv) {
  using namespace baton;
  const std::vector<std::string> arguments = ArgumentsOfMain(argc, argv);
  if (!arguments.empty() && arguments.front() == "dump") {
    const absl::Status dumped = worker::RunDump(std::span(arguments).subspan(1));
    return dumped.ok() ? 0 : Fail(dumped);
  }
  worker::WorkerOptions options;
  OptionTable table("baton-worker", "Runs a model and serves it over gRPC.");
  worker::DescribeOptions(table, options);
  const auto loaded = LoadConfig(table, arguments, ProcessEnvironment());
  if (!loaded.ok()) return Fail(loaded.status());
  if (loaded->action == LoadedConfig::Action::kShowHelp) {
    std::cout << table.HelpText();
    return 0;
  }
  if (loaded->action == LoadedConfig::Action::kShowVersion) {
    std::cout << "baton-worker " << Version() << "\n";
    return 0;
  }
  StartLog({.component = "worker", .level = options.log_level, .format = options.log_format});
  absl::StatusOr<std::unique_ptr<worker::App>> app = nullptr;
  {
    worker::LoadBar bar(RealClock());
    app = worker::App::Load(options, RealClock(),
                            [&bar](uint64_t done, uint64_t total) { bar.Show(done, total); });
  }
  if (!app.ok()) return Fail(app.status());
  // Only now: a signal while the model loads ends the process at once, there is nothing to drain.
  TerminationSignals signals;
  if (absl::Status served = (*app)->Serve(signals); !served.ok()) return Fail(served);
  signals.Wait();
  const bool orderly = (*app)->Stop();
  FlushLog();
  return orderly ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "baton-worker: " << error.what() << "\n";
    return 1;
  }
}
