#include "worker/engine/scheduler.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"

namespace baton::worker {

absl::Status SchedulerConfig::Validate() const {
  if (block_size < 1 || block_count < 1 || kv_groups.empty() || policy == nullptr) {
    return InvalidArgument(absl::StrCat("scheduler: block_size=", block_size, " block_count=",
                                        block_count, " kv_groups=", kv_groups.size()));
  }
  if (max_num_seqs < 1 || max_num_batched_tokens < max_num_seqs) {
    return InvalidArgument(absl::StrCat("max_num_batched_tokens=", max_num_batched_tokens,
                                        " must be at least max_num_seqs=", max_num_seqs,
                                        ", which must be at least 1"));
  }
  if (max_model_len < 2 ||
      BlocksMax(kv_groups, block_size, max_model_len, max_num_batched_tokens) > block_count) {
    return InvalidArgument(absl::StrCat("max_model_len=", max_model_len, " does not fit into ",
                                        block_count, " blocks of ", block_size,
                                        " tokens; raise kv_cache_memory_bytes"));
  }
  return absl::OkStatus();
}

absl::Status CheckFits(const SchedulerConfig& config, const GenerationRequest& request) {
  const auto prompt = static_cast<int64_t>(request.prompt.size());
  if (prompt == 0) return WithField(InvalidArgument("prompt is empty"), "prompt");
  if (prompt >= config.max_model_len) {
    return WithField(InvalidArgument(absl::StrCat("prompt has ", prompt,
                                                  " tokens; with at least one of output, at most ",
                                                  config.max_model_len, " fit")),
                     "prompt");
  }
  const int64_t fresh = prompt - request.resumed_tokens;
  if (request.params.max_tokens > 0 && fresh + request.params.max_tokens > config.max_model_len) {
    return WithField(
        InvalidArgument(absl::StrCat("prompt has ", fresh, " tokens and max_tokens is ",
                                     request.params.max_tokens, "; together at most ",
                                     config.max_model_len, " fit")),
        "sampling.max_tokens");
  }
  if (request.choices > config.max_num_seqs) {
    return WithField(InvalidArgument(absl::StrCat("n is ", request.choices, "; at most ",
                                                  config.max_num_seqs, " sequences run at once")),
                     "n");
  }
  return absl::OkStatus();
}

Scheduler::Scheduler(SchedulerConfig config)
    : config_(std::move(config)),
      log_(config_.kv_groups),
      pool_(config_.block_count),
      cache_(pool_, config_.block_size, log_, config_.kv_groups, config_.prefix_key),
      waiting_(ByPolicy{config_.policy}),
      parked_(ByPolicy{config_.policy}) {
  BATON_CHECK(config_.Validate().ok()) << config_.Validate().ToString();
}

Scheduler::~Scheduler() = default;

// ---- requests ----

void Scheduler::Add(GenerationRequest request) {
  BATON_CHECK(CheckFits(config_, request).ok()) << CheckFits(config_, request).ToString();
  const RequestKey key = request.key;
  auto active = std::make_unique<ActiveRequest>(std::move(request));
  active->stop_ids = active->banned_ids = active->request.params.stop_token_ids;
  active->banned_ids.insert(active->banned_ids.end(), config_.end_token_ids.begin(),
                            config_.end_token_ids.end());
  if (!active->request.params.ignore_eos) active->stop_ids = active->banned_ids;
  active->unfinished = active->request.choices;
  active->held = active->request.held;
  Sequence* sequence =
      active->sequences
          .emplace_back(std::make_unique<Sequence>(NextSequenceId(), *active, NewTables()))
          .get();
  StartWaiting(*sequence);
  BATON_CHECK(requests_.emplace(key, std::move(active)).second) << "request=" << key.value();
}

void Scheduler::Release(RequestKey key) {
  const auto entry = requests_.find(key);
  if (entry == requests_.end()) return;
  entry->second->held = false;
  Sequence& sequence = *entry->second->sequences.front();  // it has no forks yet
  if (sequence.state != Sequence::State::kParked) return;
  parked_.erase(&sequence);
  if (!sequence.tables.empty() && sequence.pending_forks + 1 <= FreeSlots()) {
    return StartRunning(sequence);
  }
  sequence.ReleaseBlocks();
  StartWaiting(sequence);
}

bool Scheduler::all_held() const {
  return running_.empty() && waiting_.empty() && !parked_.empty();
}

void Scheduler::End(RequestKey key, absl::Status reason) {
  const auto entry = requests_.find(key);
  if (entry == requests_.end()) return;
  ActiveRequest& active = *entry->second;
  const bool named = under_way_ && std::any_of(active.sequences.begin(), active.sequences.end(),
                                               [](const auto& s) { return s->granted > 0; });
  if (named) {
    if (active.retiring.ok()) active.retiring = std::move(reason);
    return;
  }
  EndRequest(active, reason);
}

void Scheduler::EndAll(const absl::Status& reason) {
  std::vector<RequestKey> keys;
  keys.reserve(requests_.size());
  for (const auto& [key, active] : requests_) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  for (RequestKey key : keys) End(key, reason);
}

void Scheduler::EndChoice(RequestKey key, int32_t choice) {
  const auto entry = requests_.find(key);
  if (entry == requests_.end()) return;
  ActiveRequest& active = *entry->second;
  for (const auto& sequence : active.sequences) {
    const bool meant = active.request.choice_offset + sequence->choice == choice;
    if (!meant || sequence->state == Sequence::State::kEnded) continue;
    if (sequence->pending_forks > 0) return;  // others start from its prompt
    if (under_way_ && sequence->granted > 0) {
      sequence->retiring = true;
      return;
    }
    return CancelSequence(*sequence);
  }
}

void Scheduler::CancelSequence(Sequence& sequence) {
  ActiveRequest& active = sequence.owner;
  events_.finished.push_back({&active.request, active.request.choice_offset + sequence.choice,
                              FinishReason::kCancelled, std::nullopt, sequence.output_count()});
  EndSequence(sequence);
  if (--active.unfinished > 0) return;
  ++counters_.requests_cancelled;
  Retire(active);
}

void Scheduler::EndRequest(ActiveRequest& active, const absl::Status& reason) {
  if (absl::IsCancelled(reason)) {
    CancelChoices(active);
    ++counters_.requests_cancelled;
  } else {
    events_.failed.push_back({&active.request, reason});
    ++counters_.requests_failed;
  }
  for (const auto& sequence : active.sequences) {
    if (sequence->state != Sequence::State::kEnded) EndSequence(*sequence);
  }
  Retire(active);
}

void Scheduler::CancelChoices(ActiveRequest& active) {
  const int32_t offset = active.request.choice_offset;
  for (const auto& sequence : active.sequences) {
    if (sequence->state == Sequence::State::kEnded) continue;
    events_.finished.push_back({&active.request, offset + sequence->choice,
                                FinishReason::kCancelled, std::nullopt, sequence->output_count()});
    for (int32_t fork = 1; fork <= sequence->pending_forks; ++fork) {
      events_.finished.push_back({&active.request, offset + fork, FinishReason::kCancelled,
                                  std::nullopt, sequence->output_count()});
    }
  }
}

// The request is over; it lives on until its last events have been told.
void Scheduler::Retire(ActiveRequest& active) {
  const auto entry = requests_.find(active.request.key);
  BATON_CHECK(entry != requests_.end()) << "request=" << active.request.key.value();
  active.over = true;
  events_.ended.push_back(&active.request);
  ended_.push_back(std::move(entry->second));
  requests_.erase(entry);
}

// Takes a sequence out of whatever list it is in and gives its blocks back.
void Scheduler::EndSequence(Sequence& sequence) {
  if (sequence.state == Sequence::State::kWaiting) {
    waiting_.erase(&sequence);
    waiting_tokens_ -= sequence.size();
  } else if (sequence.state == Sequence::State::kParked) {
    parked_.erase(&sequence);
  } else {
    StopRunning(sequence);
  }
  sequence.state = Sequence::State::kEnded;
  sequence.ReleaseBlocks();
}

// ---- planning ----

const StepPlan& Scheduler::Plan() {
  BATON_CHECK(!under_way_) << "Plan: step " << plan_.step << " is under way";
  budget_ = config_.max_num_batched_tokens;
  score_budget_ = kScoredTokensMax;
  preempted_ = false;
  granted_.clear();
  GrantRunning();
  if (!preempted_ || running_.empty()) Admit();
  BuildPlan();
  under_way_ = !plan_.empty();
  if (!under_way_ && running_.empty() && !waiting_.empty()) FailStalledHead();
  return plan_;
}

// Those that generate first: no prompt, however long, delays them by more than its chunk.
void Scheduler::GrantRunning() {
  order_ = running_;
  std::sort(order_.begin(), order_.end(), ByPolicy{config_.policy});
  for (const bool generating : {true, false}) {
    for (Sequence* sequence : order_) {
      if (budget_ == 0) return;
      if (sequence->state != Sequence::State::kRunning) continue;  // preempted on the way
      if ((sequence->remaining() == 1) == generating) Grant(*sequence);
    }
  }
}

void Scheduler::Grant(Sequence& sequence) {
  const absl::Span<const BlockId> sources = sequence.fork_source.ids();
  if (!sources.empty() && std::all_of(sources.begin(), sources.end(),
                                      [this](BlockId block) { return pool_.exclusive(block); })) {
    sequence.ContinueInForkSource();
  }
  int32_t count = std::min(sequence.computable(), budget_);
  if (sequence.wants_scores()) count = std::min(count, score_budget_);
  if (count == 0) return;  // held, or its scores in a later step
  if (!MakeRoom(sequence, sequence.computed + count)) return;
  sequence.granted = count;
  budget_ -= count;
  if (sequence.wants_scores()) score_budget_ -= count;
  granted_.push_back(&sequence);
}

// Preempts from the end of the policy's order, those that are parked first, until `token_count`
// tokens fit. False if the sequence itself was the last one.
bool Scheduler::MakeRoom(Sequence& sequence, int32_t token_count) {
  while (!sequence.tables.Reserve(token_count)) {
    if (ReclaimParked()) continue;
    Sequence* last = *std::max_element(running_.begin(), running_.end(), ByPolicy{config_.policy});
    Preempt(*last);
    if (last == &sequence) return false;
  }
  return true;
}

// Takes the blocks of the last parked sequence that has any; false if none has. It stays parked.
bool Scheduler::ReclaimParked() {
  for (auto last = parked_.rbegin(); last != parked_.rend(); ++last) {
    if ((*last)->tables.empty()) continue;
    (*last)->ReleaseBlocks();
    return true;
  }
  return false;
}

void Scheduler::Preempt(Sequence& sequence) {
  if (sequence.granted > 0) {
    if (sequence.wants_scores()) score_budget_ += sequence.granted;
    budget_ += std::exchange(sequence.granted, 0);
    std::erase(granted_, &sequence);
  }
  StopRunning(sequence);
  sequence.ReleaseBlocks();
  StartWaiting(sequence);
  ++counters_.preemptions;
  preempted_ = true;
}

void Scheduler::StartWaiting(Sequence& sequence) {
  sequence.state = Sequence::State::kWaiting;
  waiting_.insert(&sequence);
  waiting_tokens_ += sequence.size();
}

void Scheduler::StartRunning(Sequence& sequence) {
  sequence.state = Sequence::State::kRunning;
  running_.push_back(&sequence);
  reserved_slots_ += sequence.pending_forks;
}

void Scheduler::StopRunning(Sequence& sequence) {
  std::erase(running_, &sequence);
  reserved_slots_ -= sequence.pending_forks;
}

void Scheduler::Park(Sequence& sequence) {
  StopRunning(sequence);
  sequence.state = Sequence::State::kParked;
  parked_.insert(&sequence);
}

int32_t Scheduler::FreeSlots() const {
  return config_.max_num_seqs - static_cast<int32_t>(running_.size()) - reserved_slots_;
}

void Scheduler::Admit() {
  while (budget_ > 0 && !waiting_.empty()) {
    if (!TryAdmit(**waiting_.begin())) return;
  }
}

// Admits only what has room for all of its tokens and one more block, so that a long prompt is not
// preempted by its own later chunks; blocks are taken as the chunks come.
bool Scheduler::TryAdmit(Sequence& sequence) {
  if (sequence.pending_forks + 1 > FreeSlots()) return false;
  const absl::Span<const BlockHash> usable =
      sequence.wants_scores() ? absl::Span<const BlockHash>() : sequence.hashes;
  PrefixMatch match = cache_.Lookup(sequence.tokens, usable);
  const int64_t missing =
      sequence.tables.BlocksToAdmit(match, sequence.size(), config_.max_num_batched_tokens);
  const int32_t spare = running_.empty() ? 0 : 1;
  while (missing + spare > pool_.free_count()) {
    if (!ReclaimParked()) return false;
  }
  waiting_.erase(&sequence);
  waiting_tokens_ -= sequence.size();
  sequence.Adopt(std::move(match));
  StartRunning(sequence);
  NoteAdmission(sequence, sequence.computed);
  Grant(sequence);
  if (sequence.computable() == 0) Park(sequence);
  return true;
}

void Scheduler::NoteAdmission(Sequence& sequence, int32_t cached_tokens) {
  ActiveRequest& active = sequence.owner;
  if (std::exchange(active.accepted, true)) return;  // preempted before: no new prompt, no new hit
  counters_.prompt_tokens += static_cast<uint64_t>(sequence.size());
  counters_.prefix_query_tokens += static_cast<uint64_t>(sequence.size());
  counters_.prefix_hit_tokens += static_cast<uint64_t>(cached_tokens);
  events_.accepted.push_back({&active.request, cached_tokens});
}

// Cannot happen while CheckFits holds; if it did, waiting would never end.
void Scheduler::FailStalledHead() {
  ActiveRequest& active = (*waiting_.begin())->owner;
  EndRequest(active, Internal(absl::StrCat(
                         "schedule: stalled head: prompt_tokens=", active.request.prompt.size(),
                         " free_blocks=", pool_.free_count())));
}

void Scheduler::BuildPlan() {
  ++plan_.step;
  plan_.copies.clear();
  plan_.rows.clear();
  plan_.tokens.clear();
  plan_.blocks.clear();
  plan_.samples.clear();
  plan_.scores.clear();
  targets_.clear();
  score_targets_.clear();
  for (Sequence* sequence : granted_) AddRow(*sequence);
}

void Scheduler::AddRow(Sequence& sequence) {
  if (!sequence.fork_source.empty()) AddCopies(sequence);
  const int32_t end = sequence.computed + sequence.granted;
  PlanRow row;
  row.sequence = sequence.id;
  row.first_position = sequence.computed;
  row.token_begin = static_cast<int32_t>(plan_.tokens.size());
  row.token_count = sequence.granted;
  row.block_begin = static_cast<int32_t>(plan_.blocks.size());
  row.block_count = sequence.tables.BlocksFor(end);
  row.logits = end == sequence.size();
  row.all_logits = sequence.wants_scores() && sequence.computed + 1 < sequence.prompt_count;
  plan_.tokens.insert(plan_.tokens.end(), sequence.tokens.begin() + sequence.computed,
                      sequence.tokens.begin() + end);
  for (const BlockTable& table : sequence.tables.tables()) {
    table.AppendTo(row.block_count, plan_.blocks);
  }
  plan_.rows.push_back(row);
  const auto index = static_cast<int32_t>(plan_.rows.size()) - 1;
  if (row.all_logits) AddScores(sequence, index);
  if (row.logits) AddSamples(sequence, index);
}

// What a fork shares of its parent's partial blocks goes into its own.
void Scheduler::AddCopies(const Sequence& sequence) {
  const int32_t partial = sequence.computed % config_.block_size;
  const int32_t own = sequence.computed / config_.block_size;
  const absl::Span<const BlockId> sources = sequence.fork_source.ids();
  for (size_t i = 0; i < sources.size(); ++i) {
    plan_.copies.push_back({sources[i], sequence.tables.tables()[i].At(own), partial});
  }
}

// The run's logits score the tokens after its own, as far as these are prompt.
void Scheduler::AddScores(Sequence& sequence, int32_t row) {
  const int32_t begin = sequence.computed + 1;
  const int32_t end = std::min(begin + sequence.granted, sequence.prompt_count);
  ScoreRequest score;
  score.row = row;
  score.params = &sequence.owner.request.params;
  score.tokens = absl::MakeConstSpan(sequence.tokens)
                     .subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  score.first_position = begin;
  plan_.scores.push_back(score);
  score_targets_.push_back(&sequence);
}

// One draw for the sequence, and one for each choice that starts from its prompt.
void Scheduler::AddSamples(Sequence& sequence, int32_t row) {
  const ActiveRequest& active = sequence.owner;
  for (int32_t fork = 0; fork <= sequence.pending_forks; ++fork) {
    const int32_t choice = sequence.choice + fork;
    SampleRequest sample;
    sample.row = row;
    sample.sequence = sequence.id;
    sample.params = &active.request.params;
    sample.choice = active.request.choice_offset + choice;
    sample.output_position = sequence.output_count();
    sample.history = sequence.tokens;
    sample.prompt_count = sequence.prompt_count;
    sample.stop_ids = active.banned_ids;
    sample.state = sequence.sampler_state;
    sample.constraint = active.request.constraint.get();
    sample.constraint_choice = choice;
    plan_.samples.push_back(sample);
    targets_.push_back({&sequence, choice});
  }
}

// ---- results ----

void Scheduler::Commit(StepResult result) {
  BATON_CHECK(under_way_ && result.samples.size() == targets_.size())
      << "Commit: samples=" << result.samples.size() << " expected=" << targets_.size();
  BATON_CHECK(result.scores.size() == score_targets_.size())
      << "Commit: scores=" << result.scores.size() << " expected=" << score_targets_.size();
  under_way_ = false;
  ++counters_.steps;
  counters_.step_tokens += plan_.tokens.size();
  AdvanceGranted(result);
  for (size_t i = 0; i < score_targets_.size(); ++i) {
    TakeScores(*score_targets_[i], plan_.scores[i].first_position, std::move(result.scores[i]));
  }
  // Forks before their parents go on: they start from the prompt as it is now.
  for (const bool forks : {true, false}) {
    for (size_t i = 0; i < targets_.size(); ++i) {
      const SampleTarget& target = targets_[i];
      if ((target.choice != target.sequence->choice) == forks) {
        TakeSample(target, std::move(result.samples[i]));
      }
    }
  }
  EndRetiring();
}

// A row whose draw was deferred comes again, with its last token only.
void Scheduler::AdvanceGranted(const StepResult& result) {
  for (size_t i = 0; i < targets_.size(); ++i) {
    Sequence& sequence = *targets_[i].sequence;
    sequence.deferred =
        sequence.deferred || result.samples[i].outcome == SampledToken::Outcome::kDeferred;
  }
  for (Sequence* sequence : granted_) {
    sequence->fork_source.Reset();
    const int32_t again = std::exchange(sequence->deferred, false) ? 1 : 0;
    sequence->Advance(std::exchange(sequence->granted, 0) - again, cache_);
    if (sequence->owner.held && sequence->computable() == 0) Park(*sequence);
  }
}

void Scheduler::CommitFailure(const absl::Status& status) {
  BATON_CHECK(under_way_) << "CommitFailure: no step is under way";
  under_way_ = false;
  ++counters_.failed_steps;
  for (Sequence* sequence : granted_) sequence->granted = 0;
  for (Sequence* sequence : granted_) {
    ActiveRequest& active = sequence->owner;
    if (!active.over) EndRequest(active, active.retiring.ok() ? status : active.retiring);
  }
}

// After a preemption some come again: those are not told twice.
void Scheduler::TakeScores(Sequence& sequence, int32_t first_position,
                           std::vector<TokenLogprob> logprobs) {
  const ActiveRequest& active = sequence.owner;
  const int32_t end = first_position + static_cast<int32_t>(logprobs.size());
  if (!active.retiring.ok() || end <= sequence.scored) return;
  logprobs.erase(logprobs.begin(), logprobs.begin() + (sequence.scored - first_position));
  events_.scored.push_back({&active.request, active.request.choice_offset + sequence.choice,
                            std::exchange(sequence.scored, end), std::move(logprobs)});
}

void Scheduler::TakeSample(const SampleTarget& target, SampledToken sampled) {
  Sequence& sequence = *target.sequence;
  if (sequence.retiring || !sequence.owner.retiring.ok()) return;
  if (sampled.outcome == SampledToken::Outcome::kDeferred) return;
  if (sampled.outcome == SampledToken::Outcome::kFailed) {
    sequence.owner.retiring = sampled.status;
    return;
  }
  if (target.choice != sequence.choice) {
    Fork(sequence, target.choice, std::move(sampled));
  } else {
    reserved_slots_ -= std::exchange(sequence.pending_forks, 0);
    AppendToken(sequence, std::move(sampled));
  }
}

void Scheduler::Fork(Sequence& parent, int32_t choice, SampledToken sampled) {
  Sequence& fork = *parent.owner.sequences.emplace_back(
      std::make_unique<Sequence>(NextSequenceId(), parent, choice, NewTables()));
  running_.push_back(&fork);
  AppendToken(fork, std::move(sampled));
}

void Scheduler::AppendToken(Sequence& sequence, SampledToken sampled) {
  ActiveRequest& active = sequence.owner;
  const TokenId token = sampled.token;
  const bool complete = sampled.outcome == SampledToken::Outcome::kDrawnLast;
  const int32_t choice = active.request.choice_offset + sequence.choice;
  sequence.Append(token);
  sequence.sampler_state = sampled.state;
  ++counters_.generation_tokens;
  events_.tokens.push_back({&active.request, choice, std::move(sampled)});
  const std::optional<FinishReason> reason =
      complete ? FinishReason::kStop : EndOf(sequence, token);
  if (!reason.has_value()) return;
  events_.finished.push_back(
      {&active.request, choice, *reason,
       *reason == FinishReason::kStop ? std::optional<TokenId>(token) : std::nullopt,
       sequence.output_count()});
  EndSequence(sequence);
  if (--active.unfinished > 0) return;
  ++counters_.requests_finished;
  Retire(active);
}

std::optional<FinishReason> Scheduler::EndOf(const Sequence& sequence, TokenId token) const {
  const ActiveRequest& active = sequence.owner;
  const SamplingParams& params = active.request.params;
  const auto& stop_ids = active.stop_ids;
  if (sequence.output_count() > params.min_tokens &&
      std::find(stop_ids.begin(), stop_ids.end(), token) != stop_ids.end()) {
    return FinishReason::kStop;
  }
  if (params.max_tokens > 0 && sequence.output_count() >= params.max_tokens) {
    return FinishReason::kLength;
  }
  if (sequence.size() >= config_.max_model_len) return FinishReason::kLength;
  return std::nullopt;
}

void Scheduler::EndRetiring() {
  for (Sequence* sequence : granted_) {
    ActiveRequest& active = sequence->owner;
    if (active.over) continue;
    if (!active.retiring.ok()) {
      EndRequest(active, active.retiring);
    } else if (sequence->retiring) {
      CancelSequence(*sequence);
    }
  }
}

// ---- reports ----

void Scheduler::TakeEvents(StepEvents& events) {
  events.Clear();
  std::swap(events, events_);
  told_ended_.clear();
  std::swap(told_ended_, ended_);
}

KvSnapshot Scheduler::SnapshotKv() const {
  KvSnapshot snapshot;
  snapshot.as_of_seq = log_.head_seq();
  for (size_t group = 0; group < config_.kv_groups.size(); ++group) {
    snapshot.groups.push_back(cache_.Resident(static_cast<int32_t>(group)));
  }
  return snapshot;
}

EngineLoad Scheduler::load() const {
  EngineLoad load;
  load.running = static_cast<int32_t>(running_.size());
  load.waiting = static_cast<int32_t>(waiting_.size());
  load.parked = static_cast<int32_t>(parked_.size());
  load.waiting_prefill_tokens = waiting_tokens_;
  for (const Sequence* sequence : running_) {
    if (sequence->remaining() > 1) load.waiting_prefill_tokens += sequence->remaining();
  }
  load.blocks_active = pool_.held_count();
  load.blocks_free = pool_.free_count();
  return load;
}

void Scheduler::CheckIntegrity() const {
  pool_.CheckIntegrity();
  cache_.CheckIntegrity();
  size_t live = 0;
  int64_t waiting_tokens = 0;
  int32_t reserved = 0;
  for (const auto& [key, active] : requests_) {
    for (const auto& sequence : active->sequences) {
      if (sequence->state == Sequence::State::kEnded) continue;
      ++live;
      if (sequence->state == Sequence::State::kRunning) {
        reserved += sequence->pending_forks;
      } else if (sequence->state == Sequence::State::kParked) {
        BATON_CHECK(active->held && sequence->granted == 0) << "parked, but not held";
      } else {
        waiting_tokens += sequence->size();
        BATON_CHECK(sequence->tables.empty()) << "waiting with blocks";
      }
    }
  }
  BATON_CHECK(live == running_.size() + waiting_.size() + parked_.size()) << "sequences=" << live;
  BATON_CHECK(waiting_tokens == waiting_tokens_) << "waiting_tokens=" << waiting_tokens_;
  BATON_CHECK(reserved == reserved_slots_) << "reserved_slots=" << reserved_slots_;
  BATON_CHECK(FreeSlots() >= 0) << "running=" << running_.size();
  if (requests_.empty()) {
    BATON_CHECK(pool_.held_count() == 0) << "idle with blocks: held=" << pool_.held_count();
  }
}

}  // namespace baton::worker
