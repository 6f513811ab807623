// Follows one output through a grammar: which tokens may come next, and whether it may end.
//
//   Matcher matcher = grammar.NewMatcher();
//   RETURN_IF_ERROR(matcher.ComputeMask(mask));
//   ... draw a token whose bit is set ...
//   RETURN_IF_ERROR(matcher.Consume({token}));
//
// Where the grammar may end, the mask has the end tokens; where it must, it has nothing else. End
// tokens are never consumed: what has been drawn then is over.
//
// Threading: thread-compatible; moves freely between threads.
// Ownership: refers to nothing but memory of its own and the vocabulary's, which outlives it.
// Errors:    INVALID_ARGUMENT for a token that does not fit, or when the grammar turned out to be
//            too complex for its limits. The matcher is of no use afterwards: make a new one and
//            let it consume what was drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/ids.h"

struct LlgMatcher;

namespace baton {

class Matcher {
 public:
  Matcher() = default;
  // Takes over a handle of the library.
  explicit Matcher(LlgMatcher* handle) : handle_(handle) {}

  Matcher Clone() const;

  absl::Status Consume(absl::Span<const TokenId> tokens);

  // One bit per token of the vocabulary; bits beyond are 0. REQUIRES: mask.size() is its
  // mask_words().
  absl::Status ComputeMask(absl::Span<uint32_t> mask);

  // Takes the last `count` tokens back.
  absl::Status Rollback(size_t count);

  // How many of `tokens`, from the first on, fit one after another. The state stays as it is.
  absl::StatusOr<size_t> CountFitting(absl::Span<const TokenId> tokens);

  // The output may end here.
  bool IsAccepting();
  // The output must end here.
  bool IsComplete() const;

  bool empty() const { return handle_ == nullptr; }

 private:
  struct Free {
    void operator()(LlgMatcher* handle) const;
  };

  absl::Status Error() const;

  std::unique_ptr<LlgMatcher, Free> handle_;
};

}  // namespace baton
