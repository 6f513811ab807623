// baton-worker, wired together: model, engine, services, listeners. No logic of its own.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<App> app, App::Load(options, clock, progress));
//   TerminationSignals signals;                // before Serve starts gRPC's threads
//   RETURN_IF_ERROR(app->Serve(signals));
//   signals.Wait();
//   return app->Stop() ? 0 : 1;
//
// The admin listener answers from the start, with the progress of loading on /startupz; the gRPC
// port is opened when the model is ready, so a client that connects earlier is refused at once.
//
// Threading: made, stopped and destroyed by main.
// Errors:    Load and Serve name the flag, file or address at fault; nothing is left running. An
//            engine that stands still for --step-timeout ends the process at once with kExitStuck:
//            its thread can be neither told nor joined.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/concurrency/termination_signals.h"
#include "common/obs/admin_server.h"
#include "common/obs/lifecycle.h"
#include "common/obs/metrics.h"
#include "common/rpc/rpc_server.h"
#include "worker/constraint/constraint_compiler.h"
#include "worker/engine/engine_loop.h"
#include "worker/engine/step_watchdog.h"
#include "worker/executor/load_model.h"
#include "worker/service/inference_metrics.h"
#include "worker/service/inference_service.h"
#include "worker/service/model_card.h"
#include "worker/service/request_intake.h"
#include "worker/service/served_model.h"
#include "worker/service/watch_hub.h"
#include "worker/service/worker_service.h"
#include "worker/worker_metrics.h"
#include "worker/worker_options.h"

namespace baton::worker {

class App {
 public:
  static constexpr int kExitStuck = 70;

  using Progress = std::function<void(uint64_t done_bytes, uint64_t total_bytes)>;

  static absl::StatusOr<std::unique_ptr<App>> Load(const WorkerOptions& options, Clock& clock,
                                                   const Progress& progress);
  ~App();

  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Triggers `signals`, which outlive the app's threads, when the model can compute no more.
  absl::Status Serve(TerminationSignals& signals);

  // Runs the stages of an orderly end; false when one overran, or when the end is no orderly one:
  // a rank has failed, and a new process is wanted.
  bool Stop();

  int port() const { return rpc_server_->port(); }
  int admin_port() const { return admin_->port(); }

 private:
  App(const WorkerOptions& options, Clock& clock);

  absl::Status StartAdmin();
  absl::Status LoadWeights(const Progress& progress);
  absl::StatusOr<SchedulerConfig> MakeSchedulerConfig() const;
  absl::Status MakeServedModel();
  void MakeConstraintCompiler();
  void Describe(int port);
  void BeginDrain();
  void OnBroken(const absl::Status& reason);            // on the executor's thread
  [[noreturn]] void OnStall(const EngineStall& stall);  // on the watchdog's

  const WorkerOptions options_;
  Clock& clock_;
  MetricsRegistry registry_;
  Lifecycle lifecycle_;
  std::atomic<TerminationSignals*> signals_ = nullptr;
  std::atomic<bool> broken_ = false;
  std::unique_ptr<AdminServer> admin_;
  LoadedModel loaded_;
  std::optional<ModelCard> card_;
  ServedModel model_;
  std::optional<WorkerMetrics> metrics_;
  std::optional<InferenceMetrics> inference_metrics_;
  std::optional<WatchHub> hub_;
  std::optional<EngineLoop> engine_;
  std::optional<StepWatchdog> watchdog_;
  std::optional<ConstraintCompiler> constraints_;  // none without a tokenizer
  std::optional<RequestIntake> intake_;
  std::optional<InferenceService> inference_;
  std::optional<WorkerService> worker_service_;
  std::unique_ptr<RpcServer> rpc_server_;
};

}  // namespace baton::worker
