#include "router/app.h"

#include <random>
#include <utility>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/concurrency/shutdown.h"
#include "common/config/listen_address.h"
#include "common/obs/log.h"
#include "common/rpc/channel.h"

namespace baton::router {
namespace {

// A worker whose machine is gone without a word must not be a candidate for long.
std::shared_ptr<grpc::Channel> DialWorker(const std::string& address) {
  return MakeChannel(address, {.keepalive_time = std::chrono::seconds(2),
                               .keepalive_timeout = std::chrono::seconds(2)});
}

// Leases of different routers, and of one router's lives, must not meet.
uint64_t RandomBits() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

absl::StatusOr<std::unique_ptr<App>> App::Start(const RouterOptions& options, Clock& clock) {
  if (options.workers.empty()) return InvalidArgument("--workers names no worker");
  ASSIGN_OR_RETURN(WorkerNames names, WorkerNames::Parse(options.workers));
  PolicyRegistry registry;
  RETURN_IF_ERROR(RegisterBuiltinPolicies(registry));
  ASSIGN_OR_RETURN(std::unique_ptr<Policy> policy, registry.Create(options.policy));
  std::unique_ptr<App> app(new App(options, clock, std::move(names), std::move(policy)));
  RETURN_IF_ERROR(app->Listen());
  return app;
}

App::App(const RouterOptions& options, Clock& clock, WorkerNames names,
         std::unique_ptr<Policy> policy)
    : options_(options),
      clock_(clock),
      lifecycle_(clock),
      index_(options.index_blocks_max),
      reservations_(clock, options.reservation_lifetime, RandomBits()),
      policy_(std::move(policy)),
      planner_(*policy_, index_, reservations_, {.waiting_max = options.waiting_max}),
      membership_({}, std::move(names), DialWorker, clock, index_, reservations_, registry_),
      service_(membership_, planner_, reservations_, clock, registry_, RandomBits()) {}

App::~App() = default;

absl::Status App::Listen() {
  ASSIGN_OR_RETURN(ListenAddress admin,
                   ListenAddressFromFlags(options_.admin_listen, options_.admin_listen_fd));
  ASSIGN_OR_RETURN(ListenAddress listen,
                   ListenAddressFromFlags(options_.listen, options_.listen_fd));
  lifecycle_.SetReadyCheck([this] {
    for (const WorkerView& worker : membership_.snapshot()->workers) {
      if (worker.state == WorkerState::kReady) return true;
    }
    return false;
  });
  ASSIGN_OR_RETURN(admin_, AdminServer::Start({.listen = admin, .json_routes = {}}, lifecycle_,
                                              registry_, clock_));
  membership_.Start();
  ASSIGN_OR_RETURN(rpc_server_, RpcServer::Start({.listen = listen}, {&service_}));
  rpc_server_->SetServing(true);
  lifecycle_.SetState(LifecycleState::kReady);
  LogInfo("router listens", {{"port", port()}, {"admin_port", admin_port()}});
  return absl::OkStatus();
}

bool App::Stop() {
  Shutdown shutdown(clock_, [](const Shutdown::StageReport& report) {
    LogInfo("shutdown stage", {{"stage", report.name},
                               {"ms", ToMilliseconds(report.elapsed)},
                               {"overran", report.overran()}});
  });
  shutdown.AddStage("readiness", std::chrono::seconds(1), [this](MonotonicTime) {
    lifecycle_.SetState(LifecycleState::kDraining);
    rpc_server_->SetServing(false);
  });
  shutdown.AddStage("drain", options_.drain_timeout,
                    [this](MonotonicTime deadline) { rpc_server_->Shutdown(deadline); });
  shutdown.AddStage("membership", std::chrono::seconds(5),
                    [this](MonotonicTime) { membership_.Stop(); });
  shutdown.AddStage("admin", std::chrono::seconds(3), [this](MonotonicTime) { admin_.reset(); });
  return shutdown.Run();
}

}  // namespace baton::router
