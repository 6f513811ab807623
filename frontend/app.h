// The frontend, put together: routers, sessions, models, the API and its server.
//
//   ASSIGN_OR_RETURN(auto app, FrontendApp::Start(config, RealClock()));
//   signals.Wait();
//   return app->Stop() ? 0 : 1;
//
// Threading: Start and Stop by main. Ownership: owns every part; parts refer to earlier ones.
// Errors:    from Start: what a bad option, key file, template or address says. Nothing is left
//            running.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "frontend/frontend_config.h"

namespace baton::frontend {

class FrontendApp {
 public:
  static absl::StatusOr<std::unique_ptr<FrontendApp>> Start(const FrontendConfig& config,
                                                            Clock& clock);
  ~FrontendApp();

  FrontendApp(const FrontendApp&) = delete;
  FrontendApp& operator=(const FrontendApp&) = delete;

  int port() const;
  int admin_port() const;

  // Drains and ends, stage by stage. False if a stage took longer than it may. Called once.
  bool Stop();

 private:
  struct Parts;
  explicit FrontendApp(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace baton::frontend
