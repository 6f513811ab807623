#include "common/base/status.h"

#include <charconv>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/base/strings.h"

namespace baton {
namespace {

constexpr absl::string_view kRetryAfterUrl = "baton.dev/retry-after-ms";
constexpr absl::string_view kFieldUrl = "baton.dev/field";

}  // namespace

absl::Status InvalidArgument(std::string_view m) { return absl::InvalidArgumentError(ToAbsl(m)); }
absl::Status NotFound(std::string_view m) { return absl::NotFoundError(ToAbsl(m)); }
absl::Status Unimplemented(std::string_view m) { return absl::UnimplementedError(ToAbsl(m)); }
absl::Status ResourceExhausted(std::string_view m) {
  return absl::ResourceExhaustedError(ToAbsl(m));
}
absl::Status Unavailable(std::string_view m) { return absl::UnavailableError(ToAbsl(m)); }
absl::Status Aborted(std::string_view m) { return absl::AbortedError(ToAbsl(m)); }
absl::Status Cancelled(std::string_view m) { return absl::CancelledError(ToAbsl(m)); }
absl::Status DeadlineExceeded(std::string_view m) { return absl::DeadlineExceededError(ToAbsl(m)); }
absl::Status FailedPrecondition(std::string_view m) {
  return absl::FailedPreconditionError(ToAbsl(m));
}
absl::Status Unauthenticated(std::string_view m) { return absl::UnauthenticatedError(ToAbsl(m)); }
absl::Status PermissionDenied(std::string_view m) { return absl::PermissionDeniedError(ToAbsl(m)); }
absl::Status Internal(std::string_view m) { return absl::InternalError(ToAbsl(m)); }

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(ToAbsl(context), ": ", status.message()));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

absl::Status WithRetryAfter(absl::Status status, std::chrono::milliseconds retry_after) {
  status.SetPayload(kRetryAfterUrl, absl::Cord(absl::StrCat(retry_after.count())));
  return status;
}

std::optional<std::chrono::milliseconds> RetryAfter(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryAfterUrl);
  if (!payload.has_value()) return std::nullopt;
  const std::string text(*payload);
  int64_t milliseconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (parsed.ec != std::errc()) return std::nullopt;
  return std::chrono::milliseconds(milliseconds);
}

absl::Status WithField(absl::Status status, std::string_view field) {
  status.SetPayload(kFieldUrl, absl::Cord(ToAbsl(field)));
  return status;
}

std::optional<std::string> Field(const absl::Status& status) {
  const auto payload = status.GetPayload(kFieldUrl);
  if (!payload.has_value()) return std::nullopt;
  return std::string(*payload);
}

}  // namespace baton
