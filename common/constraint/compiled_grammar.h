// A constraint turned into a machine: compiled once, followed by any number of outputs.
//
//   threads.Run([&] {                                     // a thread with a deep stack
//     auto grammar = CompiledGrammar::Compile(spec, vocabulary);
//     ...
//     Matcher matcher = (*grammar)->NewMatcher();
//
// Threading: Compile and CheckConstraint only on GrammarThreads, as a grammar may need tens of MB
// of
//            stack; a compiled grammar is thread-safe.
// Ownership: the vocabulary outlives the grammar and its matchers.
// Errors:    INVALID_ARGUMENT, with the path in the schema, structural tag or grammar, for what is
//            malformed, unsatisfiable, too large, or cannot be enforced exactly.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/concurrency/mutex.h"
#include "common/constraint/constraint_spec.h"
#include "common/constraint/matcher.h"
#include "common/constraint/token_vocabulary.h"

namespace baton {

class CompiledGrammar {
 public:
  static absl::StatusOr<std::shared_ptr<const CompiledGrammar>> Compile(
      const ConstraintSpec& spec, const TokenVocabulary& vocabulary);

  // At the beginning of an output. A deep copy, some 20 us.
  Matcher NewMatcher() const;

  // What may be drawn first.
  absl::Span<const uint32_t> first_mask() const { return first_mask_; }

 private:
  CompiledGrammar(Matcher prototype, std::vector<uint32_t> first_mask)
      : first_mask_(std::move(first_mask)), prototype_(std::move(prototype)) {}

  const std::vector<uint32_t> first_mask_;

  mutable Mutex mutex_;
  const Matcher prototype_ ABSL_GUARDED_BY(mutex_);
};

// Whether the spec would compile, for vocabularies made by TokenVocabulary::ForChecks.
absl::Status CheckConstraint(const ConstraintSpec& spec, const TokenVocabulary& vocabulary);

}  // namespace baton
