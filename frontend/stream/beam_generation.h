// A generation that searches for the likeliest answers instead of drawing them: from the outside a
// Generation whose choices are the best beams, all of them delivered at the end.
//
// Every step is a generation of one token per beam, at whichever worker has the beginning in its
// cache; what is lost with a worker is asked again elsewhere, as for any other.
//
//   auto generation = BeamGeneration::Start(environment, clock, std::move(spec), strand, observer);
//
// Threading: all state belongs to the strand; Start and Cancel may be called from any thread.
// Ownership: owned by the step's generations. Keeps its observer until the terminal call.
// Errors:    those of the steps; DEADLINE_EXCEEDED after kTimeMax.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "frontend/stream/beam_search.h"
#include "frontend/stream/generation.h"
#include "frontend/stream/generation_types.h"
#include "frontend/stream/strand.h"

namespace baton::frontend {

class BeamGeneration : public RunningGeneration,
                       public std::enable_shared_from_this<BeamGeneration> {
 public:
  static constexpr Duration kTimeMax = std::chrono::minutes(10);

  // REQUIRES: spec.beams; its `n` is how many beams are followed and delivered.
  static std::shared_ptr<BeamGeneration> Start(Generation::Environment environment, Clock& clock,
                                               GenerationSpec spec, std::shared_ptr<Strand> strand,
                                               std::shared_ptr<GenerationObserver> observer);

  void Cancel() override;
  // All beams are as long as the search is: each of them ends.
  void Cut(uint32_t choice) override;

 private:
  class StepObserver;

  BeamGeneration(Generation::Environment environment, Clock& clock, GenerationSpec spec,
                 std::shared_ptr<Strand> strand, std::shared_ptr<GenerationObserver> observer);

  // On the strand.
  void StartStep();
  void OnStarted(uint32_t cached_tokens);
  void OnStepOver();
  void OnError(const absl::Status& status);
  void Deliver();
  void Release();
  GenerationSpec StepSpec(size_t beam) const;
  bool done() const { return observer_ == nullptr; }

  const Generation::Environment environment_;
  Clock& clock_;
  const GenerationSpec spec_;
  const std::shared_ptr<Strand> strand_;
  const MonotonicTime deadline_;

  // Owned by the strand.
  std::shared_ptr<GenerationObserver> observer_;  // null: over or cancelled
  BeamSearch search_;
  std::vector<v1::TokenLogprobs> next_;  // of this step, by beam
  size_t beams_left_ = 0;                // of this step
  std::vector<std::weak_ptr<Generation>> generations_;
  bool started_ = false;
};

}  // namespace baton::frontend
