// One choice of a request while it is being generated: its tokens, its blocks, how far it is.
//
// Threading: owned by the engine thread.
// Ownership: holds references to blocks; the scheduler owns it through its request.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/engine/generation_request.h"
#include "worker/engine/scheduling_policy.h"
#include "worker/kv/block_pool.h"
#include "worker/kv/kv_tables.h"
#include "worker/kv/prefix_cache.h"

namespace baton::worker {

struct ActiveRequest;

class Sequence {
 public:
  // Parked: of a held request, with nothing to compute before its Release.
  enum class State { kWaiting, kRunning, kParked, kEnded };

  // The first sequence of a request.
  Sequence(SequenceId id, ActiveRequest& owner, KvTables tables);
  // A fork of `parent` right after its prompt was computed: shares the full blocks, and holds the
  // last, partial ones until their copies have run.
  Sequence(SequenceId id, const Sequence& parent, int32_t choice, KvTables tables);

  // Tokens without keys and values yet.
  int32_t remaining() const { return size() - computed; }
  // Of those, what may be computed now: a held request waits with its last one.
  int32_t computable() const;
  int32_t size() const { return static_cast<int32_t>(tokens.size()); }
  int32_t output_count() const { return size() - prompt_count; }

  // The prompt has tokens whose log-probabilities are wanted and not told yet.
  bool wants_scores() const;

  // Appends a drawn token, and the hash of a block that it fills.
  void Append(TokenId token);

  // Takes over what the cache has of the tokens.
  void Adopt(PrefixMatch match);

  // A fork whose parent is gone needs no copy: the parent's partial blocks become its own.
  // REQUIRES: nobody else holds fork_source.
  void ContinueInForkSource() { tables.ContinueIn(std::move(fork_source)); }

  // Counts `count` tokens as computed, publishes the blocks that are full now, which may exchange
  // them for equal ones, and gives back those that are out of sight. REQUIRES: no step is under
  // way.
  void Advance(int32_t count, PrefixCache& cache);

  // Gives all blocks back; the tokens stay, and are computed again.
  void ReleaseBlocks();

  const SequenceId id;
  ActiveRequest& owner;
  const int32_t choice;        // without the request's offset
  const int32_t prompt_count;  // without resumed output
  const SchedulingKey key;

  State state = State::kWaiting;
  std::vector<TokenId> tokens;
  std::vector<BlockHash> hashes;  // of the full blocks of `tokens`
  KvTables tables;
  int32_t computed = 0;
  int32_t granted = 0;        // by the plan under way
  bool deferred = false;      // its last token comes again
  int32_t pending_forks = 0;  // choices that will start from this one's prompt
  bool retiring = false;      // to be cancelled as soon as no step names it
  BlockLease fork_source;  // the parent's partial block of each table; empty once copied or taken
  std::string sampler_state;  // what its last draw left
  int32_t scored = 1;         // prompt tokens whose log-probabilities were told, if they are wanted
};

// A request and its sequences.
struct ActiveRequest {
  explicit ActiveRequest(GenerationRequest request_in) : request(std::move(request_in)) {}

  const GenerationRequest request;
  std::vector<TokenId> stop_ids;    // every id that ends a sequence of it
  std::vector<TokenId> banned_ids;  // until min_tokens are out: also the ends that are ignored
  std::vector<std::unique_ptr<Sequence>> sequences;
  int32_t unfinished = 0;
  bool accepted = false;
  bool held = false;
  bool over = false;
  absl::Status retiring;  // not OK: to be ended as soon as no step names it
};

}  // namespace baton::worker
