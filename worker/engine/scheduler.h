// Decides what each engine step computes: a pure state machine without thread, clock or device.
//
//   scheduler.Add(std::move(request));
//   const StepPlan& plan = scheduler.Plan();
//   if (!plan.empty()) scheduler.Commit(result_of(plan));
//   scheduler.TakeEvents(events);
//
// One token budget per step and no phases. Every running sequence wants the tokens that have no
// keys and values yet: one when it generates, many when its prompt is new or was preempted. Those
// that generate are served first, then those with more to compute; what is left of the budget
// admits waiting ones in the policy's order, up to the first that does not fit. When blocks run
// out, the last running sequence by the policy gives all of its own back and is computed again
// later; nobody is admitted in such a step, unless nobody is left running.
//
// A held request is parked as soon as all that it may compute is computed: it takes no place among
// the running ones, and keeps its blocks only until somebody else wants them.
//
// A prompt whose log-probabilities are wanted is computed whole, without the cache, in chunks of
// kScoredTokensMax, for each of its tokens takes a row of logits.
//
// Termination: what can never fit is refused by CheckFits, so the first sequence by the policy can
// always run to its end, if need be alone. Should the first waiting one not be admitted although
// nothing runs, it is failed rather than waited for.
//
// Threading: thread-compatible; the engine thread's.
// Ownership: owns requests, sequences and their blocks. The plan lives until the next Plan, the
// pointers in taken events until the next TakeEvents.
// Errors:    a failed step fails the requests that it named and nobody else.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "worker/engine/engine_events.h"
#include "worker/engine/generation_request.h"
#include "worker/engine/scheduling_policy.h"
#include "worker/engine/sequence.h"
#include "worker/engine/step_plan.h"
#include "worker/kv/block_pool.h"
#include "worker/kv/kv_event_log.h"
#include "worker/kv/kv_group.h"
#include "worker/kv/prefix_cache.h"

namespace baton::worker {

struct SchedulerConfig {
  int32_t block_size = 64;
  int32_t block_count = 0;
  KvGroups kv_groups = {KvGroup{}};
  uint64_t prefix_key = 0;             // of the cache's checks: best one that nobody can guess
  int32_t max_model_len = 0;           // prompt and output; at most what the blocks hold
  int32_t max_num_seqs = 64;           // running at once
  int32_t max_num_batched_tokens = 0;  // per step; at least max_num_seqs
  std::vector<TokenId> end_token_ids;  // the model's own
  SchedulingPolicy policy = nullptr;

  absl::Status Validate() const;
};

// Refuses, naming the field, what no idle engine of this configuration could ever finish.
absl::Status CheckFits(const SchedulerConfig& config, const GenerationRequest& request);

class Scheduler {
 public:
  static constexpr int32_t kScoredTokensMax = 128;  // per step

  // REQUIRES: config.Validate() is OK.
  explicit Scheduler(SchedulerConfig config);
  ~Scheduler();

  // REQUIRES: CheckFits is OK; the key is new and greater than all before.
  void Add(GenerationRequest request);

  // Lets a held request go on: at once where there is a place, else in its turn. Unknown keys are
  // ignored.
  void Release(RequestKey key);

  // Ends a request: CANCELLED by a Finished event per open choice, else by one Failed. If the step
  // under way names it, that happens when the step is committed. Unknown keys are ignored.
  void End(RequestKey key, absl::Status reason);
  void EndAll(const absl::Status& reason);
  // Ends one choice, offset included, by a Finished event, likewise. Ignored unless the choice has
  // a token and goes on.
  void EndChoice(RequestKey key, int32_t choice);

  // Chooses the next step. Empty when there is nothing to do. REQUIRES: none is under way.
  const StepPlan& Plan();

  // Takes the results of the plan. REQUIRES: one sample for each of the plan's.
  void Commit(StepResult result);
  // The step failed: nothing of it was computed.
  void CommitFailure(const absl::Status& status);

  // Moves what has happened since the last call into `events`.
  void TakeEvents(StepEvents& events);
  // What has changed in the prefix cache since the last call.
  std::optional<KvEventBatch> SealKvEvents() { return log_.Seal(); }
  // REQUIRES: the changes are sealed.
  KvSnapshot SnapshotKv() const;

  bool has_work() const { return !requests_.empty(); }
  // Whether nothing can be done before a Release or an End.
  bool all_held() const;
  EngineLoad load() const;
  const EngineCounters& counters() const { return counters_; }
  const SchedulerConfig& config() const { return config_; }

  // O(blocks + sequences). For tests, and when the engine is idle.
  void CheckIntegrity() const;

 private:
  struct ByPolicy {
    SchedulingPolicy before;
    bool operator()(const Sequence* a, const Sequence* b) const { return before(a->key, b->key); }
  };
  // Whom the sample of the same index in the plan is for.
  struct SampleTarget {
    Sequence* sequence = nullptr;
    int32_t choice = 0;
  };

  void GrantRunning();
  void Grant(Sequence& sequence);
  bool MakeRoom(Sequence& sequence, int32_t token_count);
  bool ReclaimParked();
  void Preempt(Sequence& sequence);
  void StartWaiting(Sequence& sequence);
  void StartRunning(Sequence& sequence);
  void StopRunning(Sequence& sequence);
  void Park(Sequence& sequence);
  void Admit();
  bool TryAdmit(Sequence& sequence);
  void NoteAdmission(Sequence& sequence, int32_t cached_tokens);
  void FailStalledHead();
  int32_t FreeSlots() const;
  KvTables NewTables() { return KvTables(pool_, config_.block_size, config_.kv_groups); }

  void BuildPlan();
  void AddRow(Sequence& sequence);
  void AddCopies(const Sequence& sequence);
  void AddScores(Sequence& sequence, int32_t row);
  void AddSamples(Sequence& sequence, int32_t row);

  void TakeScores(Sequence& sequence, int32_t first_position, std::vector<TokenLogprob> logprobs);
  void AdvanceGranted(const StepResult& result);
  void TakeSample(const SampleTarget& target, SampledToken sampled);
  void Fork(Sequence& parent, int32_t choice, SampledToken sampled);
  void AppendToken(Sequence& sequence, SampledToken sampled);
  std::optional<FinishReason> EndOf(const Sequence& sequence, TokenId token) const;
  void EndSequence(Sequence& sequence);
  void EndRequest(ActiveRequest& active, const absl::Status& reason);
  void CancelChoices(ActiveRequest& active);
  void CancelSequence(Sequence& sequence);
  void Retire(ActiveRequest& active);
  void EndRetiring();
  SequenceId NextSequenceId() { return SequenceId(++last_sequence_id_); }

  const SchedulerConfig config_;
  KvEventLog log_;
  BlockPool pool_;
  PrefixCache cache_;

  absl::flat_hash_map<RequestKey, std::unique_ptr<ActiveRequest>> requests_;
  std::set<Sequence*, ByPolicy> waiting_;
  std::vector<Sequence*> running_;        // in order of admission
  std::set<Sequence*, ByPolicy> parked_;  // until Release
  int32_t reserved_slots_ = 0;            // for the forks of running sequences
  int64_t waiting_tokens_ = 0;
  uint64_t last_sequence_id_ = 0;

  // The plan under way.
  bool under_way_ = false;
  bool preempted_ = false;
  int32_t budget_ = 0;
  int32_t score_budget_ = 0;
  StepPlan plan_;
  std::vector<Sequence*> granted_;
  std::vector<SampleTarget> targets_;
  std::vector<Sequence*> score_targets_;
  std::vector<Sequence*> order_;  // workspace of GrantRunning

  StepEvents events_;
  std::vector<std::unique_ptr<ActiveRequest>> ended_;       // named by events_
  std::vector<std::unique_ptr<ActiveRequest>> told_ended_;  // named by the events taken last
  EngineCounters counters_;
};

}  // namespace baton::worker
