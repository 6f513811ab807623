// One prompt on its way through workers: routes it, follows its tokens, turns them into text, ends
// its choices at stop strings, and carries it to another worker when its own is lost.
//
// Before a choice has its first token, a failed attempt is simply repeated elsewhere. Afterwards
// the choice is resumed: prompt and generated tokens become the new prompt, `resumed_tokens` says
// how many of them are output, and the seed stays. Random numbers depend on seed and position
// alone, so the text goes on as if nothing had happened. Both are bounded; at the bound the
// observer gets the last error.
//
//   auto generation = Generation::Start(environment, std::move(spec), strand, observer);
//   generation->Cancel();
//
// Threading: all state belongs to the strand; Start and Cancel may be called from any thread.
// Ownership: owned by the events that can still come: a route's callback, a worker's call. Keeps
// its
//            observer until the terminal call.
// Errors:    to the observer: what the router or the worker said; UNAVAILABLE and ABORTED only
// after
//            the last attempt.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "frontend/client/placement_source.h"
#include "frontend/client/worker_calls.h"
#include "frontend/stream/choice_text.h"
#include "frontend/stream/generation_types.h"
#include "frontend/stream/strand.h"
#include "frontend/stream/stream_metrics.h"

namespace baton::frontend {

class Generation : public RunningGeneration, public std::enable_shared_from_this<Generation> {
 public:
  // Shared by all generations; outlives them.
  struct Environment {
    PlacementSource& placements;
    WorkerCalls& workers;
    StreamMetrics& metrics;
  };

  static constexpr int kRetriesMax = 3;     // before the first token
  static constexpr int kMigrationsMax = 3;  // after it

  static std::shared_ptr<Generation> Start(Environment environment, GenerationSpec spec,
                                           std::shared_ptr<Strand> strand,
                                           std::shared_ptr<GenerationObserver> observer);
  ~Generation() override;

  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  void Cancel() override;

  void Cut(uint32_t choice) override;

 private:
  class Leg;

  // One choice and what it has so far.
  struct Choice {
    bool over = false;
    std::vector<TokenId> ids = {};
    ChoiceText text;
    std::string sampler_state = {};
  };

  Generation(Environment environment, GenerationSpec spec, std::shared_ptr<Strand> strand,
             std::shared_ptr<GenerationObserver> observer);

  template <typename Event>
  void Post(Event event);

  // On the strand.
  void StartLeg(uint32_t first_choice, uint32_t choice_count);
  void OnRouted(const std::shared_ptr<Leg>& leg, absl::StatusOr<v1::RouteReply> reply);
  void OnAccepted(Leg& leg, const v1::Accepted& accepted);
  void OnTokens(Leg& leg, const v1::Tokens& tokens, const v1::Finished* finished);
  void OnPromptScored(const v1::Tokens& tokens);
  void OnFinished(Leg& leg, const v1::Finished& finished);
  void OnFailed(const std::shared_ptr<Leg>& leg, const absl::Status& status);

  v1::RouteRequest MakeRouteRequest(const Leg& leg) const;
  v1::GenerateRequest MakeGenerateRequest(const Leg& leg, uint64_t lease) const;
  std::vector<TokenId> PromptOf(const Leg& leg) const;
  ChoiceEnd EndOf(const v1::Finished& finished) const;
  // How many of the new tokens it takes until the choice repeats itself; 0 if it does not.
  size_t TokensToRepetition(Choice& choice, std::span<const TokenId> ids) const;
  bool MayRetry(const absl::Status& status, bool has_tokens) const;
  void Resume(const Leg& leg);
  // Delivers a choice's last delta; ends the generation with its last choice. `leg` may be null:
  // lost already.
  void EndChoice(Leg* leg, ChoiceDelta delta, const ChoiceEnd& end);
  void EndChoiceHere(Leg* leg, uint32_t index, const ChoiceEnd& end);
  void Fail(const absl::Status& status);
  void OnCut(uint32_t index);
  void Release();
  bool done() const { return observer_ == nullptr; }

  // What every token needs stands together: with many streams each line of memory is a cold one.
  const std::shared_ptr<Strand> strand_;
  std::shared_ptr<GenerationObserver> observer_;  // owned by the strand; null: over or cancelled
  std::vector<Choice> choices_;                   // likewise
  const bool watches_repetition_;

  const Environment environment_;
  const GenerationSpec spec_;

  // Owned by the strand.
  std::vector<std::weak_ptr<Leg>> legs_;  // under way; their calls own them
  uint32_t choices_over_ = 0;
  bool started_ = false;
  std::optional<uint64_t> seed_;
  uint32_t prompt_scored_ = 1;  // prompt tokens whose log-probabilities have come, if at all
  std::vector<std::string> excluded_workers_;
  int retries_ = 0;
  int migrations_ = 0;
};

}  // namespace baton::frontend
