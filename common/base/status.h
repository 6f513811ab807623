// Builders of absl::Status that take std::string_view, and the one way to carry a retry time.
//
//   return InvalidArgument(absl::StrCat("load weights: tensor=", name, " is truncated"));
//   return WithRetryAfter(Unavailable("route: no worker is ready"), std::chrono::seconds(1));
//
// The message grammar is `<what failed>: <subject>=<id> <got>/<expected>`; never prompt text, never
// secrets. Which code means what, and how it maps to HTTP, stands in the README of common/rpc.
//
// Threading: any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton {

absl::Status InvalidArgument(std::string_view message);
absl::Status NotFound(std::string_view message);
absl::Status Unimplemented(std::string_view message);
absl::Status ResourceExhausted(std::string_view message);
absl::Status Unavailable(std::string_view message);
absl::Status Aborted(std::string_view message);
absl::Status Cancelled(std::string_view message);
absl::Status DeadlineExceeded(std::string_view message);
absl::Status FailedPrecondition(std::string_view message);
absl::Status Unauthenticated(std::string_view message);
absl::Status PermissionDenied(std::string_view message);
absl::Status Internal(std::string_view message);

// Returns `status` with `context: ` before its message; payloads are kept. OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);

// Attaches, and reads back, the time after which the caller may try again.
absl::Status WithRetryAfter(absl::Status status, std::chrono::milliseconds retry_after);
std::optional<std::chrono::milliseconds> RetryAfter(const absl::Status& status);

// Names the request field that is at fault ("messages[2].role"), for the API's `param`.
absl::Status WithField(absl::Status status, std::string_view field);
std::optional<std::string> Field(const absl::Status& status);

}  // namespace baton
