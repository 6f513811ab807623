// What a generation is asked for and what comes out of it: tokens turned into text, per choice.
//
// Threading: plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "baton/v1/inference.pb.h"
#include "common/base/ids.h"
#include "frontend/client/model_context.h"
#include "frontend/stream/repetition.h"
#include "frontend/stream/stop_matcher.h"

namespace baton::frontend {

// Instead of drawing: the likeliest answers, in order.
struct BeamOptions {
  double length_penalty = 1;  // above 0 long answers are preferred
};

// One prompt, and how to go on from it.
struct GenerationSpec {
  std::shared_ptr<const ModelContext> model;
  std::string request_id;
  std::vector<TokenId> prompt;  // not empty
  v1::SamplingParams sampling;
  uint32_t n = 1;
  std::string cache_salt;
  int32_t priority = 0;
  std::shared_ptr<const v1::Constraint> constraint;  // null: none
  std::optional<BeamOptions> beams = {};             // see beam_generation.h

  // Tokens that end the text besides those of `sampling`, and are not named as the reason.
  std::vector<TokenId> quiet_stop_ids;
  std::vector<std::string> stop_strings;
  StopText stop_text = StopText::kDrop;
  RepetitionLimit repetition = {};  // ends a choice, once it has its least number of tokens
  bool skip_special_tokens = true;
  std::vector<TokenId> kept_special_tokens = {};  // shown all the same: markup that is read here
  bool wants_text_ends = false;                   // ChoiceDelta::text_ends
};

enum class EndReason { kStop, kLength, kRepetition, kAbort };

// How a choice ended. `stop` names the stop string or the stop token of the request that was met;
// nothing for the model's own end and for the length.
struct ChoiceEnd {
  EndReason reason = EndReason::kStop;
  std::variant<std::monostate, std::string, TokenId> stop = {};
};

// What is new in one choice. Views are valid during the call that brings them.
struct ChoiceDelta {
  uint32_t choice = 0;
  std::string_view text = {};
  std::span<const TokenId> ids = {};            // also those that have no text yet, or none
  std::span<const size_t> text_ends = {};       // of `ids`: where their text ends; see the spec
  const v1::TokenLogprobs* logprobs = nullptr;  // of `ids`, when asked for
  const ChoiceEnd* end = nullptr;               // set in the choice's last delta
  uint32_t output_tokens = 0;                   // of the choice, `ids` included
};

// Takes what a generation produces. Exactly one of OnDone and OnError comes, last, unless the
// generation is cancelled.
//
// Threading: called on the generation's strand, one call after another. Must not block.
class GenerationObserver {
 public:
  virtual ~GenerationObserver() = default;

  // A worker has taken the request; once, before the first delta.
  virtual void OnStarted(uint32_t cached_tokens) = 0;
  // Log-probabilities of the prompt's tokens after the first, in order, before the first delta;
  // only when they are asked for.
  virtual void OnPromptLogprobs(const v1::TokenLogprobs&) {}
  virtual void OnDelta(const ChoiceDelta& delta) = 0;
  virtual void OnDone() = 0;
  virtual void OnError(const absl::Status& status) = 0;
};

// A generation under way, of whichever kind.
class RunningGeneration {
 public:
  virtual ~RunningGeneration() = default;

  // Stops at the workers, at once; the observer hears no more. From any thread; idempotent.
  virtual void Cancel() = 0;

  // Ends one choice at what it has, as if that were its greatest length; those that have their
  // length in common end together. The last delta, and what is on its way to the strand before it,
  // still come. Nothing for a choice that is over.
  virtual void Cut(uint32_t choice) = 0;
};

}  // namespace baton::frontend
