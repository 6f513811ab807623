// The sequence breakers of DRY, from strings to tokens: each token of the vocabulary that contains
// a breaker, and each that ends in the beginning of one, with the tokens of its rest behind it.
//
// Reading the whole vocabulary takes milliseconds, so results are kept; most requests name the
// same.
//
//   if (auto known = cache.Find(strings)) …            // any thread, at once
//   auto breakers = cache.Make(strings);               // where milliseconds do not matter
//
// Threading: thread-safe.
// Ownership: the tokenizer outlives it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "common/concurrency/mutex.h"
#include "common/text/tokenizer/tokenizer.h"
#include "worker/sampling_params/dry_breakers.h"

namespace baton::worker {

class DryBreakerCache {
 public:
  static constexpr size_t kStringsMax = 64;      // per request
  static constexpr size_t kStringBytesMax = 40;  // what is longer is cut, as llama.cpp does
  static constexpr size_t kTailTokensMax = 20;
  static constexpr size_t kEntriesMax = 64;

  explicit DryBreakerCache(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // Null: not made yet.
  std::shared_ptr<const DryBreakers> Find(const std::vector<std::string>& strings);
  std::shared_ptr<const DryBreakers> Make(const std::vector<std::string>& strings);

 private:
  void AddString(std::string_view text, DryBreakers& breakers) const;

  const Tokenizer& tokenizer_;

  Mutex mutex_;
  absl::flat_hash_map<std::vector<std::string>, std::shared_ptr<const DryBreakers>> made_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton::worker
