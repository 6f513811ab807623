#include "worker/service/field_checks.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/strings.h"

namespace baton::worker {

absl::Status BadField(std::string_view field, std::string_view message) {
  return WithField(InvalidArgument(absl::StrCat(ToAbsl(field), " ", ToAbsl(message))), field);
}

absl::Status CheckRange(std::string_view field, float value, float low, float high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return BadField(field, absl::StrCat("is ", value, "; it must be from ", low, " to ", high));
}

absl::Status CheckCount(std::string_view field, uint64_t value, uint64_t max) {
  if (value <= max) return absl::OkStatus();
  return BadField(field, absl::StrCat("is ", value, "; at most ", max));
}

}  // namespace baton::worker
