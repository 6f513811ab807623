// What the engine tells the world after each step: its peers, about their requests; its observers,
// about blocks and load.
//
// Threading: every method here is called on the engine thread and must not block, nor call back
// into the engine except for EngineLoop::Cancel.
// Ownership: references and pointers are valid during the call only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "common/base/ids.h"
#include "worker/engine/generation_request.h"
#include "worker/engine/step_plan.h"
#include "worker/kv/kv_event_log.h"

namespace baton::worker {

enum class FinishReason { kStop, kLength, kCancelled };

// One step's news, in the order in which they are to be told. Every choice ends exactly once: by
// its own Finished, or by its request's Failed, which ends all those that have had no Finished yet.
// There is at least one such choice, and nothing but `ended` follows a Failed.
struct StepEvents {
  struct Accepted {
    const GenerationRequest* request = nullptr;
    int32_t cached_tokens = 0;
  };
  struct Token {
    const GenerationRequest* request = nullptr;
    int32_t choice = 0;  // offset included
    SampledToken sampled;
  };
  // Log-probabilities of consecutive prompt tokens; all of them come before the first token.
  struct Scored {
    const GenerationRequest* request = nullptr;
    int32_t choice = 0;  // the request's first, offset included
    int32_t first_position = 0;
    std::vector<TokenLogprob> logprobs;
  };
  struct Finished {
    const GenerationRequest* request = nullptr;
    int32_t choice = 0;
    FinishReason reason = FinishReason::kStop;
    std::optional<TokenId> stop_token;
    int32_t output_tokens = 0;  // resumed ones included
  };
  struct Failed {
    const GenerationRequest* request = nullptr;
    absl::Status status;
  };

  std::vector<Accepted> accepted;
  std::vector<Scored> scored;
  std::vector<Token> tokens;
  std::vector<Finished> finished;
  std::vector<Failed> failed;
  std::vector<const GenerationRequest*> ended;  // over: nothing more will be told of them

  bool empty() const {
    return accepted.empty() && scored.empty() && tokens.empty() && finished.empty() &&
           failed.empty() && ended.empty();
  }
  void Clear() {
    accepted.clear();
    scored.clear();
    tokens.clear();
    finished.clear();
    failed.clear();
    ended.clear();
  }
};

// Who submitted requests: one session, or one direct call.
class EnginePeer {
 public:
  virtual ~EnginePeer() = default;
  // At most once per step. The events may be moved from.
  virtual void OnStep(StepEvents& events) = 0;
};

// How busy the engine is.
struct EngineLoad {
  int32_t running = 0;  // sequences
  int32_t waiting = 0;
  int32_t parked = 0;                  // held, in nobody's way
  int64_t waiting_prefill_tokens = 0;  // uncomputed prompt tokens, waiting and running
  int32_t blocks_active = 0;
  int32_t blocks_free = 0;
  double step_seconds = 0;  // moving average
};

// Totals since start.
struct EngineCounters {
  uint64_t steps = 0;
  uint64_t failed_steps = 0;
  uint64_t step_tokens = 0;    // computed, prompts and outputs
  uint64_t prompt_tokens = 0;  // of admitted requests
  uint64_t generation_tokens = 0;
  uint64_t prefix_query_tokens = 0;  // looked up at first admission
  uint64_t prefix_hit_tokens = 0;
  uint64_t preemptions = 0;
  uint64_t requests_finished = 0;  // all choices reached their end
  uint64_t requests_cancelled = 0;
  uint64_t requests_failed = 0;
};

// Of a choice that reached its end.
struct ChoiceTimes {
  double queue_seconds = 0;    // from its submission to its first step
  double prefill_seconds = 0;  // from there to its first token
  double decode_seconds = 0;   // from there to its last
  int32_t computed_prompt_tokens = 0;
};

struct StepReport {
  EngineLoad load;
  EngineCounters counters;
  int32_t last_step_tokens = 0;  // 0: no step was run since the last report
  double last_step_seconds = 0;
  absl::Span<const uint64_t> admitted_leases;  // since the last report: counted in `load` now
  absl::Span<const uint64_t> finished_leases;
  absl::Span<const ChoiceTimes> finished_choices;
};

// All resident hashes of each KV group, parents first, after every batch up to `as_of_seq`.
struct KvSnapshot {
  uint64_t as_of_seq = 0;
  std::vector<std::vector<BlockHash>> groups;
};

class EngineObserver {
 public:
  virtual ~EngineObserver() = default;
  virtual void OnStep(const StepReport& report) = 0;
  virtual void OnKvEvents(const KvEventBatch& batch) = 0;
  // The answer to EngineLoop::RequestKvSnapshot; no batch comes between the two.
  virtual void OnKvSnapshot(const KvSnapshot& snapshot) = 0;
};

}  // namespace baton::worker
