#include "worker/engine/engine_loop.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "common/base/check.h"
#include "common/base/status.h"

namespace baton::worker {
namespace {

// Weight of the newest step in the moving average.
constexpr double kNewStepWeight = 0.1;
constexpr Duration kHeldWait = std::chrono::seconds(1);

}  // namespace

EngineLoop::EngineLoop(Config config, ModelExecutor& executor, Clock& clock,
                       std::vector<EngineObserver*> observers)
    : config_(std::move(config)),
      executor_(executor),
      clock_(clock),
      observers_(std::move(observers)),
      inbox_(config_.limits),
      scheduler_(config_.scheduler),
      thread_("engine", [this](std::stop_token) { Run(); }) {}

EngineLoop::~EngineLoop() { Stop(); }

void EngineLoop::Stop() {
  inbox_.Close();
  thread_.Join();
}

absl::Status EngineLoop::Submit(GenerationRequest request) {
  BATON_CHECK(request.peer != nullptr) << "submit: no peer";
  if (absl::Status fits = CheckFits(config_.scheduler, request); !fits.ok()) return fits;
  request.submitted_at = clock_.Now();
  return inbox_.Submit(std::move(request));
}

void EngineLoop::Run() {
  while (true) {
    TakeMail();
    HandleMail();
    if (mail_.closed) break;
    ExpireDeadlines();
    stalled_ = false;
    if (scheduler_.has_work()) RunStep();
    Tell();
    if (mail_.snapshot) {
      const KvSnapshot snapshot = scheduler_.SnapshotKv();
      for (EngineObserver* observer : observers_) observer->OnKvSnapshot(snapshot);
    }
    turn_count_.fetch_add(1, std::memory_order_relaxed);
  }
  scheduler_.EndAll(Unavailable("the worker has stopped"));
  Tell();
  scheduler_.CheckIntegrity();
}

// All that is held waits for mail, but not beyond deadlines, and the turns go on: nobody may take
// the engine for stuck because a grammar takes long.
void EngineLoop::TakeMail() {
  if (!stalled_) return inbox_.Take(/*wait=*/!scheduler_.has_work(), mail_);
  MonotonicTime wake = clock_.Now() + kHeldWait;
  if (!deadlines_.empty()) wake = std::min(wake, deadlines_.begin()->first);
  inbox_.TakeBefore(clock_, wake, mail_);
}

void EngineLoop::HandleMail() {
  for (GenerationRequest& request : mail_.submitted) {
    if (request.deadline.has_value()) deadlines_.emplace(*request.deadline, request.key);
    if (request.lease != 0) admitted_leases_.push_back(request.lease);
    scheduler_.Add(std::move(request));
  }
  mail_.submitted.clear();
  for (auto& [key, choice] : mail_.cancelled_choices) scheduler_.EndChoice(key, choice);
  for (const RequestKey key : mail_.released) scheduler_.Release(key);
  for (auto& [key, reason] : mail_.cancelled) scheduler_.End(key, std::move(reason));
  if (mail_.cancel_all.has_value()) scheduler_.EndAll(*mail_.cancel_all);
}

void EngineLoop::ExpireDeadlines() {
  if (deadlines_.empty()) return;
  const MonotonicTime now = clock_.Now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const RequestKey key = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    scheduler_.End(key, DeadlineExceeded("generate: the deadline has passed"));
  }
}

void EngineLoop::RunStep() {
  step_begin_ = clock_.Now();
  const StepPlan& plan = scheduler_.Plan();
  if (plan.empty()) {
    stalled_ = scheduler_.all_held();
    return;
  }
  const MonotonicTime begin = clock_.Now();
  absl::Status status = executor_.Begin(plan);
  absl::StatusOr<StepResult> result = status.ok() ? executor_.Finish() : status;
  last_step_seconds_ = ToSeconds(clock_.Now() - begin);
  last_step_tokens_ = static_cast<int32_t>(plan.tokens.size());
  average_step_seconds_ =
      average_step_seconds_ == 0
          ? last_step_seconds_
          : average_step_seconds_ + kNewStepWeight * (last_step_seconds_ - average_step_seconds_);
  if (result.ok()) {
    scheduler_.Commit(*std::move(result));
  } else {
    scheduler_.CommitFailure(Annotate(result.status(), "run step"));
  }
}

void EngineLoop::Tell() {
  scheduler_.TakeEvents(events_);
  if (!events_.empty()) stopwatch_.OnStep(events_, step_begin_, clock_.Now());
  for (const GenerationRequest* request : events_.ended) {
    if (request->lease != 0) finished_leases_.push_back(request->lease);
    if (request->deadline.has_value()) deadlines_.erase({*request->deadline, request->key});
  }
  TellPeers();
  Observe();
  for (const GenerationRequest* request : events_.ended) inbox_.Ended(request->key);
}

StepEvents& EngineLoop::EventsOf(const GenerationRequest& request) {
  const auto [entry, fresh] = news_of_.try_emplace(request.peer.get(), news_count_);
  if (fresh) {
    if (news_count_ == news_.size()) news_.emplace_back();
    news_[news_count_++].peer = request.peer;
  }
  return news_[entry->second].events;
}

void EngineLoop::TellPeers() {
  if (events_.empty()) return;
  for (auto& event : events_.accepted) EventsOf(*event.request).accepted.push_back(event);
  for (auto& event : events_.scored) EventsOf(*event.request).scored.push_back(std::move(event));
  for (auto& event : events_.tokens) EventsOf(*event.request).tokens.push_back(std::move(event));
  for (auto& event : events_.finished) EventsOf(*event.request).finished.push_back(event);
  for (auto& event : events_.failed) EventsOf(*event.request).failed.push_back(std::move(event));
  for (const auto* request : events_.ended) EventsOf(*request).ended.push_back(request);
  for (size_t i = 0; i < news_count_; ++i) {
    news_[i].peer->OnStep(news_[i].events);
    news_[i].events.Clear();
    news_[i].peer.reset();
  }
  news_count_ = 0;
  news_of_.clear();
}

void EngineLoop::Observe() {
  if (const std::optional<KvEventBatch> batch = scheduler_.SealKvEvents()) {
    for (EngineObserver* observer : observers_) observer->OnKvEvents(*batch);
  }
  const std::vector<ChoiceTimes> finished_choices = stopwatch_.TakeFinished();
  StepReport report;
  report.load = scheduler_.load();
  report.load.step_seconds = average_step_seconds_;
  report.counters = scheduler_.counters();
  report.last_step_tokens = std::exchange(last_step_tokens_, 0);
  report.last_step_seconds = last_step_seconds_;
  report.admitted_leases = admitted_leases_;
  report.finished_leases = finished_leases_;
  report.finished_choices = finished_choices;
  for (EngineObserver* observer : observers_) observer->OnStep(report);
  admitted_leases_.clear();
  finished_leases_.clear();
}

}  // namespace baton::worker
