// The texts of the served vocabulary for the infill sampler: made when the first request names it,
// for that takes tens of milliseconds and most workers never need it.
//
//   if (auto known = cache.Find()) …   // any thread, at once
//   auto tokens = cache.Make();        // where milliseconds do not matter
//
// Threading: thread-safe.
// Ownership: the tokenizer outlives it.
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "common/text/tokenizer/tokenizer.h"
#include "worker/sampling_params/infill_tokens.h"

namespace baton::worker {

class InfillTokensCache {
 public:
  explicit InfillTokensCache(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // Null: not made yet.
  std::shared_ptr<const InfillTokens> Find();
  std::shared_ptr<const InfillTokens> Make();

 private:
  const Tokenizer& tokenizer_;

  Mutex mutex_;
  std::shared_ptr<const InfillTokens> made_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton::worker
