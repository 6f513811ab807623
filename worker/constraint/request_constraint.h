// One request's constraint, and how far each of its choices is in it.
//
//   constraint->Adopt(grammar);                        // once, before the first draw
//   if (choice.Begin(output)) threads.Run(choice.Advance());    // beside the model
//   OutputConstraint::View view = choice.Look(output.size());   // before the draw
//
// A choice's state is a function of its output: what has not been consumed yet is consumed by the
// next Advance, whatever happened to the sequence in between.
//
// Threading: Begin and Look by the executor's thread; Advance by any one thread, between a Begin
//            that was true and the first Look that is not kPending. Adopt before all of them.
// Ownership: shared by the request and by what runs for it; keeps the grammar alive.
// Errors:    a choice that has failed stays so: its View carries the status.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/concurrency/mutex.h"
#include "common/constraint/compiled_grammar.h"
#include "common/constraint/constraint_spec.h"

namespace baton::worker {

class RequestConstraint;

// One choice.
class OutputConstraint {
 public:
  enum class State : uint8_t { kPending, kReady, kFailed };
  struct View {
    State state = State::kPending;
    // kReady: what may be drawn; empty: everything. Valid until the next Begin that is true.
    absl::Span<const uint32_t> mask = {};
    absl::Status status = {};
  };

  explicit OutputConstraint(const RequestConstraint& owner) : owner_(owner) {}

  // Whether the mask behind `output` is yet to be computed: then the caller sees to it that Advance
  // is called.
  bool Begin(absl::Span<const TokenId> output);
  void Advance();
  View Look(size_t output_size) const;

  // Consumes output that an earlier worker drew. INVALID_ARGUMENT if it does not fit.
  absl::Status Resume(absl::Span<const TokenId> output);

 private:
  // Consumes what the marker in front of the constraint leaves over.
  absl::Status Consume(absl::Span<const TokenId> tokens);
  bool EndsWithMarker() const;
  absl::Status ComputeMask();

  const RequestConstraint& owner_;

  mutable Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kReady;  // of the mask behind `size_` tokens
  size_t size_ ABSL_GUARDED_BY(mutex_) = 0;
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);

  // Of whoever runs Advance; of the executor's thread otherwise.
  std::vector<TokenId> pending_;
  std::vector<TokenId> tail_;  // the last tokens in front of the constraint
  bool started_ = false;
  Matcher matcher_;
  std::vector<uint32_t> mask_;
  size_t consumed_ = 0;
};

class RequestConstraint : public std::enable_shared_from_this<RequestConstraint> {
 public:
  RequestConstraint(ConstraintSpec spec, int32_t choices);

  // `vocabulary` outlives this.
  void Adopt(std::shared_ptr<const CompiledGrammar> grammar, const TokenVocabulary& vocabulary);

  const ConstraintSpec& spec() const { return spec_; }
  const CompiledGrammar& grammar() const { return *grammar_; }
  const TokenVocabulary& vocabulary() const { return *vocabulary_; }

  // Whether the output ends with this token.
  bool IsEnd(TokenId token) const;

  // REQUIRES: 0 <= index < choices.
  OutputConstraint& choice(int32_t index) { return *choices_[static_cast<size_t>(index)]; }

 private:
  const ConstraintSpec spec_;
  std::shared_ptr<const CompiledGrammar> grammar_;
  const TokenVocabulary* vocabulary_ = nullptr;
  std::vector<std::unique_ptr<OutputConstraint>> choices_;
};

}  // namespace baton::worker
