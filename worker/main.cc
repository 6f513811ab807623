// baton-worker: runs a model and serves it over gRPC.
#include "common/concurrency/termination_signals.h"
#include "common/config/program.h"
#include "worker/app.h"
#include "worker/dump_command.h"
#include "worker/load_bar.h"

namespace {

constexpr const char* kProgram = "baton-worker";

int Run(std::span<const std::string> arguments) {
  using namespace baton;
  if (!arguments.empty() && arguments.front() == "dump") {
    const absl::Status dumped = worker::RunDump(arguments.subspan(1));
    return dumped.ok() ? 0 : Fail(kProgram, dumped);
  }
  worker::WorkerOptions options;
  OptionTable table(kProgram, "Runs a model and serves it over gRPC.");
  worker::DescribeOptions(table, options);
  const auto status = ReadOptions(table, arguments, [&options] { return options.Validate(); });
  if (status.has_value()) return *status;
  StartLog({.component = "worker", .level = options.log_level, .format = options.log_format});
  absl::StatusOr<std::unique_ptr<worker::App>> app = nullptr;
  {
    worker::LoadBar bar(RealClock());
    app = worker::App::Load(options, RealClock(),
                            [&bar](uint64_t done, uint64_t total) { bar.Show(done, total); });
  }
  if (!app.ok()) return Fail(kProgram, app.status());
  // Only now: a signal while the model loads ends the process at once, there is nothing to drain.
  TerminationSignals signals;
  if (absl::Status served = (*app)->Serve(signals); !served.ok()) return Fail(kProgram, served);
  signals.Wait();
  const bool orderly = (*app)->Stop();
  FlushLog();
  return orderly ? 0 : kExitFailure;
}

}  // namespace

int main(int argc, char** argv) { return baton::RunProgram(kProgram, argc, argv, Run); }
