// What one engine step computes, and what it found: the data between the scheduler and whoever
// runs the model.
//
// Arrays are flat and concatenated, so that a plan is one small message to the other ranks of a
// tensor-parallel worker: they need everything but `samples` and `scores`, which only rank 0 reads.
//
// Threading: plain data, handed from the engine thread to the executor and back.
// Ownership: the spans and pointers in `samples` and `scores` stay valid until the step's result is
// taken.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/sampling_params/sampling_params.h"

namespace baton::worker {

class RequestConstraint;  // worker/constraint: nothing of it is known here

// Copies the first `token_count` tokens' keys and values of a block, in every layer, before any
// row of the step runs: a fork's own copy of its parent's last, partial block.
struct BlockCopy {
  BlockId from = {};
  BlockId to = {};
  int32_t token_count = 0;
};

// A run of consecutive tokens of one sequence. Its keys and values are written to the sequence's
// blocks; attention sees positions [0, position] of the same blocks, or as many of them as its
// layer's window has.
//
// A sequence has as many tables as the parts of ExecutorInfo::kv_groups: their blocks follow each
// other, `block_count` of each table, kNoBlock where a window has left one behind.
struct PlanRow {
  SequenceId sequence = {};
  int32_t first_position = 0;  // of the run's first token in its sequence
  int32_t token_begin = 0;     // into StepPlan::tokens
  int32_t token_count = 0;
  int32_t block_begin = 0;  // into StepPlan::blocks: the tables, each from position 0 on
  int32_t block_count = 0;  // of each table; covers first_position + token_count positions
  bool logits = false;      // of the run's last token
  bool all_logits = false;  // of all of them
};

// One token to draw from the logits of a row. Several sequences may draw from the same row: the
// choices of one prompt do, for their first token.
struct SampleRequest {
  int32_t row = 0;  // into StepPlan::rows; that row has `logits`
  SequenceId sequence = {};
  const SamplingParams* params = nullptr;
  int32_t choice = 0;                      // index of the sequence in its request: part of the key
  int32_t output_position = 0;             // 0 for the first output token
  absl::Span<const TokenId> history = {};  // prompt and output so far
  int32_t prompt_count = 0;                // how much of `history` is prompt
  // Banned until min_tokens are out: the request's stop ids and the model's end tokens, also where
  // ignore_eos keeps these from ending the sequence.
  absl::Span<const TokenId> stop_ids = {};
  // What the draw before this one left (SampledToken::state): empty at first, and for samplers
  // whose state is a function of the tokens.
  std::string_view state = {};
  // What the output must match, and which of its choices this is; null: anything.
  RequestConstraint* constraint = nullptr;
  int32_t constraint_choice = 0;
  // One bit per token: what the constraint allows here. Empty: everything. Set by the executor.
  absl::Span<const uint32_t> allowed = {};
};

// Prompt tokens whose log-probabilities are wanted: those of a run, each from the logits of the one
// before it.
struct ScoreRequest {
  int32_t row = 0;  // into StepPlan::rows; that row has `all_logits`
  const SamplingParams* params = nullptr;
  // tokens[i] is scored by the logits of the run's token i.
  absl::Span<const TokenId> tokens = {};
  int32_t first_position = 0;  // of tokens[0] in its sequence
};

struct StepPlan {
  uint64_t step = 0;
  std::vector<BlockCopy> copies;
  std::vector<PlanRow> rows;
  std::vector<TokenId> tokens;
  std::vector<BlockId> blocks;
  std::vector<SampleRequest> samples;
  std::vector<ScoreRequest> scores;

  bool empty() const { return rows.empty() && copies.empty(); }
};

// Log-probabilities of one token, from the raw logits unless the request wants those drawn with.
struct TokenLogprob {
  float sampled = 0;
  int32_t rank = 0;                            // of the sampled token, from 1
  std::vector<std::pair<TokenId, float>> top;  // -infinity: cut before the draw
};

struct SampledToken {
  enum class Outcome : uint8_t {
    kDrawn,
    kDrawnLast,  // the constraint is complete: the sequence ends with this token
    kDeferred,   // nothing was drawn: the row's last token is to be computed again
    kFailed,     // the constraint cannot be followed any further: see `status`
  };

  TokenId token = 0;
  Outcome outcome = Outcome::kDrawn;
  TokenLogprob logprob;  // filled when the request's params ask for it
  std::string state;     // for the sequence's next draw
  absl::Status status;   // kFailed: ends the request
};

// Parallel to StepPlan::samples and StepPlan::scores.
struct StepResult {
  std::vector<SampledToken> samples;
  std::vector<std::vector<TokenLogprob>> scores;
};

}  // namespace baton::worker
