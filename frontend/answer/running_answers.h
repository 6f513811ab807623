// The answers that are being made, by the ids that their clients see, so that others can end them.
//
// Threading: thread-safe; answers are called without the lock.
// Ownership: knows answers weakly, and outlives them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "common/base/strings.h"
#include "common/concurrency/mutex.h"

namespace baton::frontend {

class GenerationAnswer;

class RunningAnswers {
 public:
  // Ids need not be unique. An answer is removed when it is destroyed.
  void Add(const std::string& id, GenerationAnswer* answer);
  void Remove(const std::string& id, GenerationAnswer* answer);

  // Ends all answers of that id at what they have; nothing if there is none.
  void Abort(std::string_view id);

 private:
  Mutex mutex_;
  absl::flat_hash_map<std::string, absl::flat_hash_set<GenerationAnswer*>, StringHash, StringEqual>
      answers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton::frontend
