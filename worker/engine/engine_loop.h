// Runs the scheduler and the executor on the thread `engine`, and tells everybody what came of it.
//
//   EngineLoop engine(config, executor, RealClock(), {&watch_hub, &metrics});
//   request.key = engine.NewKey();
//   RETURN_IF_ERROR(engine.Submit(std::move(request)));   // news comes to request.peer
//   engine.Cancel(key, Cancelled("the client left"));
//
// Each turn: take what the inbox holds, end what is over its deadline, plan, run, commit, tell.
// A cancelled request is named by at most one further step: the one that runs while it is
// cancelled. Exactly one end is told of every sequence whose Submit was OK; a peer hears of it
// after that Submit has been called, possibly before it has returned.
//
// Threading: public methods are thread-safe. Peers and observers are called on the engine thread.
// Ownership: executor, clock and observers outlive the loop. The destructor stops and joins; what
//            still runs then is failed with UNAVAILABLE first.
// Errors:    Submit: INVALID_ARGUMENT for what can never fit (field named), UNAVAILABLE with a time
//            to retry after when full, draining or stopped; the request is then not taken. A step
//            that the executor fails, fails the requests it named with INTERNAL.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <stop_token>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/concurrency/owned_thread.h"
#include "worker/engine/engine_events.h"
#include "worker/engine/engine_inbox.h"
#include "worker/engine/generation_request.h"
#include "worker/engine/model_executor.h"
#include "worker/engine/request_stopwatch.h"
#include "worker/engine/scheduler.h"

namespace baton::worker {

class EngineLoop {
 public:
  struct Config {
    SchedulerConfig scheduler;
    EngineInbox::Limits limits;
  };

  // REQUIRES: config.scheduler.Validate() is OK.
  EngineLoop(Config config, ModelExecutor& executor, Clock& clock,
             std::vector<EngineObserver*> observers);
  ~EngineLoop();

  EngineLoop(const EngineLoop&) = delete;
  EngineLoop& operator=(const EngineLoop&) = delete;

  // Keys grow; a request that is never submitted may waste one.
  RequestKey NewKey() { return RequestKey(next_key_.fetch_add(1, std::memory_order_relaxed)); }

  absl::Status Submit(GenerationRequest request);
  // CANCELLED ends each open choice as cancelled; any other status fails the request.
  void Cancel(RequestKey key, absl::Status reason) { inbox_.Cancel(key, std::move(reason)); }

  // Ends one choice, offset included, as cancelled; the others go on. A choice without a token yet
  // goes on too.
  void CancelChoice(RequestKey key, int32_t choice) { inbox_.CancelChoice(key, choice); }
  // Lets a request go on that was submitted `held`, once. Ignored if it has ended.
  void Release(RequestKey key) { inbox_.Release(key); }

  // Asks for OnKvSnapshot, soon. Several asked for at once may be one.
  void RequestKvSnapshot() { inbox_.RequestSnapshot(); }

  // The end, in order: refuse what is new; wait for what runs; end it with `reason`; stop.
  void StopAdmission(absl::Status reason) { inbox_.StopAdmission(std::move(reason)); }
  [[nodiscard]] bool WaitUntilIdle(MonotonicTime deadline) {
    return inbox_.WaitUntilNoneAlive(clock_, deadline);
  }
  void CancelAll(absl::Status reason) { inbox_.CancelAll(std::move(reason)); }
  void Stop();

  // Requests whose end has not been told.
  int32_t alive_count() const { return inbox_.alive_count(); }
  // Turns completed. While a request is alive it grows, unless the engine is stuck.
  uint64_t turn_count() const { return turn_count_.load(std::memory_order_relaxed); }
  const SchedulerConfig& scheduler_config() const { return config_.scheduler; }

 private:
  void Run();
  void TakeMail();
  void HandleMail();
  void ExpireDeadlines();
  void RunStep();
  void Tell();
  void TellPeers();
  StepEvents& EventsOf(const GenerationRequest& request);
  void Observe();

  const Config config_;
  ModelExecutor& executor_;
  Clock& clock_;
  const std::vector<EngineObserver*> observers_;
  std::atomic<uint64_t> next_key_{1};
  std::atomic<uint64_t> turn_count_{0};
  EngineInbox inbox_;

  // Engine-thread state.
  struct PeerNews {
    std::shared_ptr<EnginePeer> peer;
    StepEvents events;
  };
  Scheduler scheduler_;
  EngineInbox::Mail mail_;
  bool stalled_ = false;  // there is work, but all of it waits for mail
  std::set<std::pair<MonotonicTime, RequestKey>> deadlines_;
  StepEvents events_;
  std::vector<PeerNews> news_;  // the first news_count_ are in use; the rest keep their memory
  size_t news_count_ = 0;
  absl::flat_hash_map<const EnginePeer*, size_t> news_of_;
  std::vector<uint64_t> admitted_leases_;
  std::vector<uint64_t> finished_leases_;
  RequestStopwatch stopwatch_;
  MonotonicTime step_begin_;  // when the last step was planned
  int32_t last_step_tokens_ = 0;
  double last_step_seconds_ = 0;
  double average_step_seconds_ = 0;

  OwnedThread thread_;
};

}  // namespace baton::worker
