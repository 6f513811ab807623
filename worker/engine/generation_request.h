// A request as the engine takes it: validated, tokenised, and with its block hashes computed, so
// that the engine's thread does none of that.
//
// Threading: plain data, moved to the engine thread by Submit; const afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "worker/sampling_params/sampling_params.h"

namespace baton::worker {

class EnginePeer;
class RequestConstraint;  // worker/constraint: carried, never looked into

struct GenerationRequest {
  RequestKey key;          // from EngineLoop::NewKey
  std::string request_id;  // the caller's, for logs

  std::vector<TokenId> prompt;          // resumed output included, as its end
  std::vector<BlockHash> block_hashes;  // of the prompt's full blocks
  BlockHash chain_root;                 // parent of the first of them
  int32_t resumed_tokens = 0;
  std::string sampler_state;  // what the resumed output's last draw left

  SamplingParams params;
  std::shared_ptr<RequestConstraint> constraint = {};
  // The prompt is computed but for its last token, and nothing is drawn, until EngineLoop::Release.
  bool held = false;
  int32_t choices = 1;
  int32_t choice_offset = 0;
  int32_t priority = 0;
  uint64_t lease = 0;  // the router's, reported as admitted and finished
  std::optional<MonotonicTime> deadline = {};
  MonotonicTime submitted_at = {};  // by EngineLoop::Submit

  std::shared_ptr<EnginePeer> peer;  // who hears of it
  uint64_t call = 0;                 // the peer's own number of it
};

}  // namespace baton::worker
