#include "frontend/stream/generation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

ChoiceEnd RepetitionEnd() {
  return {.reason = EndReason::kRepetition, .stop = std::string("repetition_detected")};
}

absl::Status StatusOfReject(const v1::RouteReply::Reject& reject) {
  const std::chrono::milliseconds retry_after(reject.retry_after_ms() > 0 ? reject.retry_after_ms()
                                                                          : 1000);
  switch (reject.code()) {
    case v1::RouteReply::Reject::CODE_MODEL_NOT_FOUND:
      // The catalog knew it when the request came: its workers are lost, perhaps for a moment.
      return WithRetryAfter(Unavailable(reject.message()), retry_after);
    case v1::RouteReply::Reject::CODE_TOO_LONG:
      return InvalidArgument(reject.message());
    default:
      return WithRetryAfter(Unavailable(reject.message()), retry_after);
  }
}

}  // namespace

// One attempt: some choices of the generation at one worker. Hands the worker's events to the
// strand.
class Generation::Leg : public WorkerCallListener, public std::enable_shared_from_this<Leg> {
 public:
  Leg(std::shared_ptr<Generation> generation, uint32_t first_choice, uint32_t choice_count)
      : first_choice(first_choice),
        choice_count(choice_count),
        generation_(std::move(generation)) {}

  void OnAccepted(v1::Accepted accepted) override {
    Post(
        [accepted = std::move(accepted)](Generation& g, Leg& leg) { g.OnAccepted(leg, accepted); });
  }
  void OnTokens(v1::Tokens&& tokens, std::optional<v1::Finished>&& finished) override {
    const auto now = [&] {
      if (!over && !generation_->done()) OnTokensNow(tokens, finished);
    };
    if (generation_->strand_->TryRun(now)) return;  // nearly always: nothing is copied
    Post([tokens = std::move(tokens), finished = std::move(finished)](Generation&, Leg& leg) {
      leg.OnTokensNow(tokens, finished);
    });
  }
  void OnFinished(v1::Finished finished) override {
    Post(
        [finished = std::move(finished)](Generation& g, Leg& leg) { g.OnFinished(leg, finished); });
  }
  void OnFailed(absl::Status status) override {
    Post([status = std::move(status)](Generation& g, Leg& leg) {
      g.OnFailed(leg.shared_from_this(), status);
    });
  }

  // The choice that a worker's number means: a leg of one choice has only that one.
  uint32_t ChoiceOf(uint32_t number) const { return choice_count == 1 ? first_choice : number; }
  bool Covers(uint32_t choice) const {
    return choice >= first_choice && choice - first_choice < choice_count;
  }

  const uint32_t first_choice;
  const uint32_t choice_count;

  // Owned by the generation's strand.
  bool over = false;
  uint32_t choices_over = 0;
  std::string worker_id;
  uint64_t lease = 0;  // what the router holds for us until the worker accepts
  std::shared_ptr<WorkerCall> call;

 private:
  void OnTokensNow(const v1::Tokens& tokens, const std::optional<v1::Finished>& finished) {
    generation_->OnTokens(*this, tokens, finished.has_value() ? &*finished : nullptr);
  }

  template <typename Event>
  void Post(Event event) {
    generation_->Post([self = shared_from_this(), event = std::move(event)] {
      if (!self->over && !self->generation_->done()) event(*self->generation_, *self);
    });
  }

  const std::shared_ptr<Generation> generation_;
};

template <typename Event>
void Generation::Post(Event event) {
  // The strand is kept alive past the event, which may drop the last reference to this.
  const std::shared_ptr<Strand> strand = strand_;
  strand->Run(std::move(event));
}

std::shared_ptr<Generation> Generation::Start(Environment environment, GenerationSpec spec,
                                              std::shared_ptr<Strand> strand,
                                              std::shared_ptr<GenerationObserver> observer) {
  std::shared_ptr<Generation> generation(
      new Generation(environment, std::move(spec), std::move(strand), std::move(observer)));
  generation->Post([generation] {
    if (!generation->done()) generation->StartLeg(0, generation->spec_.n);
  });
  return generation;
}

Generation::Generation(Environment environment, GenerationSpec spec, std::shared_ptr<Strand> strand,
                       std::shared_ptr<GenerationObserver> observer)
    : strand_(std::move(strand)),
      observer_(std::move(observer)),
      watches_repetition_(spec.repetition.pattern_max > 0),
      environment_(environment),
      spec_(std::move(spec)) {
  BATON_CHECK(spec_.n > 0 && !spec_.prompt.empty())
      << "generation: n=" << spec_.n << " prompt_tokens=" << spec_.prompt.size();
  choices_.reserve(spec_.n);
  for (uint32_t i = 0; i < spec_.n; ++i) choices_.push_back({.text = ChoiceText(spec_)});
  if (spec_.sampling.has_seed()) seed_ = spec_.sampling.seed();
  environment_.metrics.active_generations.Add(1);
}

Generation::~Generation() {
  choices_.clear();  // they refer to the spec, which dies before them
  environment_.metrics.active_generations.Add(-1);
}

void Generation::Cancel() {
  Post([self = shared_from_this()] { self->Release(); });
}

void Generation::Cut(uint32_t choice) {
  Post([self = shared_from_this(), choice] {
    if (!self->done() && !self->choices_[choice].over) self->OnCut(choice);
  });
}

void Generation::OnCut(uint32_t index) {
  std::shared_ptr<Leg> at;
  for (const std::weak_ptr<Leg>& weak : legs_) {
    const std::shared_ptr<Leg> leg = weak.lock();
    if (leg != nullptr && !leg->over && leg->Covers(index)) at = leg;
  }
  EndChoiceHere(at.get(), index, {.reason = EndReason::kLength});
  if (at != nullptr && !at->over && at->call != nullptr) at->call->CancelChoice(index);
}

void Generation::StartLeg(uint32_t first_choice, uint32_t choice_count) {
  auto leg = std::make_shared<Leg>(shared_from_this(), first_choice, choice_count);
  legs_.push_back(leg);
  environment_.placements.Route(
      MakeRouteRequest(*leg), [self = shared_from_this(), leg](absl::StatusOr<v1::RouteReply> r) {
        self->Post(
            [self, leg, reply = std::move(r)]() mutable { self->OnRouted(leg, std::move(reply)); });
      });
}

std::vector<TokenId> Generation::PromptOf(const Leg& leg) const {
  std::vector<TokenId> prompt = spec_.prompt;
  const std::vector<TokenId>& resumed = choices_[leg.first_choice].ids;
  prompt.insert(prompt.end(), resumed.begin(), resumed.end());
  return prompt;
}

v1::RouteRequest Generation::MakeRouteRequest(const Leg& leg) const {
  const std::vector<TokenId> prompt = PromptOf(leg);
  v1::RouteRequest request;
  request.set_request_id(spec_.request_id);
  request.set_model(spec_.model->routed_name);
  request.set_prompt_tokens(static_cast<uint32_t>(prompt.size()));
  const uint32_t resumed = static_cast<uint32_t>(prompt.size() - spec_.prompt.size());
  const uint32_t max_tokens = spec_.sampling.max_tokens();
  request.set_max_new_tokens(max_tokens > resumed ? max_tokens - resumed : 0);
  request.set_sequences(leg.choice_count);
  request.set_priority(spec_.priority);
  for (const BlockHash hash : spec_.model->HashPrompt(prompt, spec_.cache_salt)) {
    request.add_block_hashes(hash.value());
  }
  for (const std::string& worker : excluded_workers_) request.add_excluded_workers(worker);
  return request;
}

v1::GenerateRequest Generation::MakeGenerateRequest(const Leg& leg, uint64_t lease) const {
  const Choice& choice = choices_[leg.first_choice];
  const std::vector<TokenId> prompt = PromptOf(leg);
  v1::GenerateRequest request;
  request.set_request_id(spec_.request_id);
  request.set_model(spec_.model->routed_name);
  request.mutable_tokens()->mutable_ids()->Add(prompt.begin(), prompt.end());
  *request.mutable_sampling() = spec_.sampling;
  for (const TokenId id : spec_.quiet_stop_ids) request.mutable_sampling()->add_stop_token_ids(id);
  if (prompt_scored_ >= spec_.prompt.size()) request.mutable_sampling()->clear_prompt_logprobs();
  if (seed_.has_value()) request.mutable_sampling()->set_seed(*seed_);
  request.set_n(leg.choice_count);
  request.set_lease(lease);
  request.set_cache_salt(spec_.cache_salt);
  request.set_priority(spec_.priority);
  request.set_resumed_tokens(static_cast<uint32_t>(choice.ids.size()));
  request.set_sampler_state(choice.sampler_state);
  request.set_choice_offset(leg.first_choice);
  if (spec_.constraint != nullptr) *request.mutable_constraint() = *spec_.constraint;
  return request;
}

void Generation::OnRouted(const std::shared_ptr<Leg>& leg, absl::StatusOr<v1::RouteReply> reply) {
  const bool placed = reply.ok() && reply->has_placement();
  if (done() || leg->over) {
    if (placed) environment_.placements.Abandon(reply->placement().lease());
    return;
  }
  if (!reply.ok()) return Fail(reply.status());
  if (!placed) return Fail(StatusOfReject(reply->reject()));
  const v1::RouteReply::Placement& placement = reply->placement();
  leg->worker_id = placement.decode().worker_id();
  leg->lease = placement.lease();
  leg->call = environment_.workers.Submit(placement.decode(),
                                          MakeGenerateRequest(*leg, placement.lease()), leg);
}

void Generation::OnAccepted(Leg& leg, const v1::Accepted& accepted) {
  leg.lease = 0;  // the worker reports the load itself from here on
  if (!seed_.has_value()) seed_ = accepted.seed();
  if (std::exchange(started_, true)) return;
  observer_->OnStarted(accepted.cached_tokens());
}

// A repeated attempt scores the prompt again, maybe in other portions.
void Generation::OnPromptScored(const v1::Tokens& tokens) {
  const v1::TokenLogprobs& all = tokens.prompt_logprobs();
  const auto count = static_cast<uint32_t>(all.sampled_size());
  const uint32_t begin = tokens.prompt_begin();
  if (begin > prompt_scored_ || begin + count <= prompt_scored_) return;
  const auto skip = static_cast<int>(prompt_scored_ - begin);
  prompt_scored_ = begin + count;
  if (skip == 0) return observer_->OnPromptLogprobs(all);
  v1::TokenLogprobs rest = all;
  const int top_skip = skip * static_cast<int>(all.top_count());
  rest.mutable_sampled()->erase(rest.sampled().begin(), rest.sampled().begin() + skip);
  rest.mutable_rank()->erase(rest.rank().begin(), rest.rank().begin() + skip);
  rest.mutable_top_ids()->erase(rest.top_ids().begin(), rest.top_ids().begin() + top_skip);
  rest.mutable_top()->erase(rest.top().begin(), rest.top().begin() + top_skip);
  observer_->OnPromptLogprobs(rest);
}

void Generation::OnTokens(Leg& leg, const v1::Tokens& tokens, const v1::Finished* finished) {
  if (tokens.has_prompt_logprobs()) OnPromptScored(tokens);
  if (tokens.ids().empty()) {
    if (finished != nullptr) OnFinished(leg, *finished);
    return;
  }
  const uint32_t index = leg.ChoiceOf(tokens.choice());
  // A choice that is over was ended here by a stop string; the worker has not heard yet.
  if (!leg.Covers(index) || choices_[index].over) return;
  Choice& choice = choices_[index];

  const bool worker_is_done = finished != nullptr;
  const bool is_last = worker_is_done && finished->reason() != v1::FINISH_REASON_CANCELLED;
  std::span<const TokenId> ids(tokens.ids().data(), static_cast<size_t>(tokens.ids_size()));
  // The worker's own end goes before a repetition at the same token.
  const size_t to_repetition = watches_repetition_ ? TokensToRepetition(choice, ids) : 0;
  const bool repeats = to_repetition > 0 && !(is_last && to_repetition == ids.size());
  if (repeats) {
    ids = ids.first(to_repetition);
    finished = nullptr;
  }
  // A stop token is output, but no text, unless the client wants to see it.
  const bool hide_last = finished != nullptr && finished->has_stop_token() && !ids.empty() &&
                         ids.back() == finished->stop_token() && spec_.stop_text == StopText::kDrop;
  const ChoiceText::Output out =
      choice.text.Push(ids.first(ids.size() - (hide_last ? 1 : 0)), choice.ids.size());
  const std::span<const TokenId> used = out.matched != nullptr ? ids.first(out.tokens_used) : ids;
  choice.ids.insert(choice.ids.end(), used.begin(), used.end());
  if (!tokens.sampler_state().empty()) choice.sampler_state = tokens.sampler_state();

  ChoiceDelta delta{.choice = index,
                    .text = out.text,
                    .ids = used,
                    .text_ends = out.text_ends,
                    .logprobs = tokens.has_logprobs() ? &tokens.logprobs() : nullptr};
  if (out.matched != nullptr) {
    EndChoice(&leg, delta, {.reason = EndReason::kStop, .stop = *out.matched});
  } else if (repeats || is_last) {
    std::string text(out.text);  // Flush ends the life of what Push returned
    text += choice.text.Flush();
    delta.text = text;
    EndChoice(&leg, delta, repeats ? RepetitionEnd() : EndOf(*finished));
  } else {
    delta.output_tokens = static_cast<uint32_t>(choice.ids.size());
    observer_->OnDelta(delta);
    if (finished != nullptr) return OnFinished(leg, *finished);
  }
  // The worker would compute on for nobody; its last choice is ended by the call's own end.
  if (choice.over && !leg.over && !worker_is_done) leg.call->CancelChoice(index);
}

size_t Generation::TokensToRepetition(Choice& choice, std::span<const TokenId> ids) const {
  const size_t before = choice.ids.size();
  size_t found = 0;
  for (size_t i = 0; i < ids.size() && found == 0; ++i) {
    choice.ids.push_back(ids[i]);
    if (choice.ids.size() < spec_.sampling.min_tokens()) continue;
    if (EndsInRepetition(choice.ids, spec_.repetition)) found = i + 1;
  }
  choice.ids.resize(before);
  return found;
}

void Generation::OnFinished(Leg& leg, const v1::Finished& finished) {
  const uint32_t index = leg.ChoiceOf(finished.choice());
  if (!leg.Covers(index) || choices_[index].over) return;
  if (finished.reason() == v1::FINISH_REASON_CANCELLED) {
    // Not by us: the worker gives its requests up, as when it drains.
    return OnFailed(leg.shared_from_this(), Unavailable("worker: it cancelled the request"));
  }
  EndChoiceHere(&leg, index, EndOf(finished));
}

ChoiceEnd Generation::EndOf(const v1::Finished& finished) const {
  if (finished.reason() == v1::FINISH_REASON_LENGTH) return {.reason = EndReason::kLength};
  ChoiceEnd end{.reason = EndReason::kStop};
  const bool is_own_end =
      !spec_.sampling.ignore_eos() && finished.stop_token() == spec_.model->eos_id;
  if (finished.has_stop_token() && !is_own_end &&
      std::ranges::count(spec_.sampling.stop_token_ids(), finished.stop_token()) > 0) {
    end.stop = finished.stop_token();
  }
  return end;
}

void Generation::EndChoiceHere(Leg* leg, uint32_t index, const ChoiceEnd& end) {
  const std::string text(choices_[index].text.Flush());
  EndChoice(leg, {.choice = index, .text = text}, end);
}

void Generation::EndChoice(Leg* leg, ChoiceDelta delta, const ChoiceEnd& end) {
  Choice& choice = choices_[delta.choice];
  choice.over = true;
  delta.end = &end;
  delta.output_tokens = static_cast<uint32_t>(choice.ids.size());
  observer_->OnDelta(delta);
  ++choices_over_;
  if (leg != nullptr && ++leg->choices_over == leg->choice_count) {
    leg->over = true;
    if (leg->call != nullptr) leg->call->Cancel();  // ends what a stop string made pointless
  }
  if (choices_over_ < spec_.n) return;
  const std::shared_ptr<GenerationObserver> observer = observer_;
  Release();
  observer->OnDone();
}

bool Generation::MayRetry(const absl::Status& status, bool has_tokens) const {
  const bool lost = absl::IsUnavailable(status) || absl::IsAborted(status);
  if (has_tokens) return lost && migrations_ < kMigrationsMax;
  const bool elsewhere = lost || absl::IsResourceExhausted(status) || absl::IsInternal(status) ||
                         absl::IsUnknown(status);
  return elsewhere && retries_ < kRetriesMax;
}

void Generation::OnFailed(const std::shared_ptr<Leg>& leg, const absl::Status& status) {
  leg->over = true;
  // One choice may have failed alone: the others must not run on beside their resumed copies.
  if (leg->call != nullptr) leg->call->Cancel();
  if (leg->lease != 0) environment_.placements.Abandon(std::exchange(leg->lease, 0));
  std::erase_if(legs_, [&leg](const std::weak_ptr<Leg>& other) { return other.lock() == leg; });
  size_t tokens = 0;
  for (uint32_t i = 0; i < leg->choice_count; ++i) {
    const Choice& choice = choices_[leg->first_choice + i];
    tokens += choice.over ? 0 : choice.ids.size();
  }
  const bool has_tokens = tokens > 0 || leg->choices_over > 0;
  if (!MayRetry(status, has_tokens)) return Fail(status);

  // A stale epoch is the router's view being late: the worker itself may be well.
  if (!absl::IsAborted(status) && !leg->worker_id.empty()) {
    excluded_workers_.push_back(leg->worker_id);
  }
  if (!has_tokens) {
    ++retries_;
    environment_.metrics.retries_total.Increment();
    StartLeg(leg->first_choice, leg->choice_count);
    return;
  }
  ++migrations_;
  environment_.metrics.migrations_total.Increment();
  environment_.metrics.migrated_tokens_total.Add(static_cast<double>(tokens));
  Resume(*leg);
}

void Generation::Resume(const Leg& leg) {
  for (uint32_t i = 0; i < leg.choice_count && !done(); ++i) {
    const uint32_t index = leg.first_choice + i;
    const Choice& choice = choices_[index];
    if (choice.over) continue;
    // Lost between the last token and the word that it was the last.
    const uint32_t max_tokens = spec_.sampling.max_tokens();
    if (max_tokens > 0 && choice.ids.size() >= max_tokens) {
      EndChoiceHere(nullptr, index, {.reason = EndReason::kLength});
      continue;
    }
    StartLeg(index, 1);
  }
}

void Generation::Fail(const absl::Status& status) {
  const std::shared_ptr<GenerationObserver> observer = observer_;
  environment_.metrics.lost_total.Increment();
  Release();
  observer->OnError(status);
}

void Generation::Release() {
  observer_ = nullptr;
  for (const std::weak_ptr<Leg>& weak : std::exchange(legs_, {})) {
    const std::shared_ptr<Leg> leg = weak.lock();
    if (leg == nullptr || std::exchange(leg->over, true)) continue;
    if (leg->call != nullptr) leg->call->Cancel();
  }
}

}  // namespace baton::frontend
