// One blocking GET on this machine: how the supervisor reads probes.
//
// Threading: any thread; blocks up to the time-out. Errors: UNAVAILABLE when nothing answers.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace baton::frontend {

struct HttpAnswer {
  int status = 0;
  std::string body;  // 1 MB at most
};

absl::StatusOr<HttpAnswer> HttpGet(const std::string& url, Duration timeout);

}  // namespace baton::frontend
