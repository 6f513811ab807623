#include "common/constraint/matcher.h"

#include <llguidance.h>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton {

void Matcher::Free::operator()(LlgMatcher* handle) const { llg_free_matcher(handle); }

absl::Status Matcher::Error() const {
  const char* message = llg_matcher_get_error(handle_.get());
  return InvalidArgument(
      absl::StrCat("constraint: ", message == nullptr ? "the matcher has failed" : message));
}

Matcher Matcher::Clone() const { return Matcher(llg_clone_matcher(handle_.get())); }

absl::Status Matcher::Consume(absl::Span<const TokenId> tokens) {
  if (llg_matcher_consume_tokens(handle_.get(), tokens.data(), tokens.size()) == 0) {
    return absl::OkStatus();
  }
  return Error();
}

absl::Status Matcher::ComputeMask(absl::Span<uint32_t> mask) {
  const size_t bytes = mask.size() * sizeof(uint32_t);
  if (llg_matcher_compute_mask_into(handle_.get(), mask.data(), bytes) == 0) {
    return absl::OkStatus();
  }
  return Error();
}

absl::Status Matcher::Rollback(size_t count) {
  if (llg_matcher_rollback(handle_.get(), count) == 0) return absl::OkStatus();
  return Error();
}

absl::StatusOr<size_t> Matcher::CountFitting(absl::Span<const TokenId> tokens) {
  const int32_t count = llg_matcher_validate_tokens(handle_.get(), tokens.data(), tokens.size());
  if (count < 0) return Error();
  return static_cast<size_t>(count);
}

bool Matcher::IsAccepting() { return llg_matcher_is_accepting(handle_.get()); }

bool Matcher::IsComplete() const {
  return llg_matcher_is_stopped(handle_.get()) && !llg_matcher_is_error(handle_.get());
}

}  // namespace baton
