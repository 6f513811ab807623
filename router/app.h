// baton-router, wired together: membership, planner, service, listeners. No logic of its own.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<App> app, App::Start(options, clock));
//   signals.Wait();
//   return app->Stop() ? 0 : 1;
//
// Threading: made, stopped and destroyed by main.
// Errors:    Start names the flag or the address that is at fault; nothing is left running.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/obs/admin_server.h"
#include "common/obs/lifecycle.h"
#include "common/obs/metrics.h"
#include "common/rpc/rpc_server.h"
#include "router/index/prefix_index.h"
#include "router/load/reservations.h"
#include "router/membership/membership.h"
#include "router/plan/route_planner.h"
#include "router/policy/policy.h"
#include "router/router_options.h"
#include "router/service/router_service.h"

namespace baton::router {

class App {
 public:
  static absl::StatusOr<std::unique_ptr<App>> Start(const RouterOptions& options, Clock& clock);
  ~App();

  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Runs the stages of an orderly end; false when one overran.
  bool Stop();

  int port() const { return rpc_server_->port(); }
  int admin_port() const { return admin_->port(); }

 private:
  App(const RouterOptions& options, Clock& clock, WorkerNames names,
      std::unique_ptr<Policy> policy);
  absl::Status Listen();

  const RouterOptions options_;
  Clock& clock_;
  MetricsRegistry registry_;
  Lifecycle lifecycle_;
  PrefixIndex index_;
  Reservations reservations_;
  const std::unique_ptr<Policy> policy_;
  const RoutePlanner planner_;
  Membership membership_;
  RouterService service_;
  std::unique_ptr<AdminServer> admin_;
  std::unique_ptr<RpcServer> rpc_server_;
};

}  // namespace baton::router
