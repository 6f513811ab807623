#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/concurrency/owned_thread.h"
#include "common/config/listen_address.h"
#include "common/obs/lifecycle.h"
#include "common/obs/metrics.h"

namespace baton {

// Probes and metrics over HTTP on a port and a thread of their own, so that a busy or stuck
// process still answers: GET /livez, /readyz, /startupz (JSON with progress), /metrics, and what
// the owner adds. Plain text; fence the port by network policy.
//
//   ASSIGN_OR_RETURN(auto admin, AdminServer::Start(options, lifecycle, registry, RealClock()));
//   LogInfo("admin listens", {{"port", admin->port()}});
//
// Each connection serves one request. A request that is not read or an answer that is not taken
// within two seconds is cut off; at most 64 connections are open, later ones wait in the backlog.
//
// Threading: one thread, `admin`. Routes are called on it: cheap, without I/O.
// Ownership: lifecycle and registry outlive the server. The destructor stops and joins.
// Errors:    Start fails with UNAVAILABLE if the address cannot be bound.
class AdminServer {
 public:
  // Makes the body of an additional path, as JSON.
  using JsonRoute = std::function<std::string()>;

  struct Options {
    ListenAddress listen;
    std::map<std::string, JsonRoute> json_routes;  // "/version" → body
  };

  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(Options options, Lifecycle& lifecycle,
                                                            const MetricsRegistry& registry,
                                                            Clock& clock);
  ~AdminServer();

  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // The port that is listened on, also when 0 was asked for.
  int port() const;

 private:
  class Loop;
  explicit AdminServer(std::unique_ptr<Loop> loop);

  const std::unique_ptr<Loop> loop_;
  OwnedThread thread_;
};

}  // namespace baton
