// The loop with its thread: what is told to whom, cancellation, deadlines, failures, the end.
#include "worker/engine/engine_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "common/base/status.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_executor.h"
#include "tests/unit/worker/engine/scheduler_fixture.h"

namespace baton::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Collects what a peer is told; other threads wait for it.
class RecordingPeer final : public EnginePeer {
 public:
  struct Call {
    std::vector<TokenId> tokens;
    std::vector<FinishReason> finishes;
    std::vector<absl::Status> failures;
    int accepted = 0;
    int ended = 0;
  };

  void OnStep(StepEvents& events) override {
    std::lock_guard lock(mutex_);
    ++steps_;
    for (auto& event : events.accepted) ++calls_[event.request->call].accepted;
    for (auto& event : events.tokens) {
      calls_[event.request->call].tokens.push_back(event.sampled.token);
    }
    for (auto& event : events.finished) {
      calls_[event.request->call].finishes.push_back(event.reason);
    }
    for (auto& event : events.failed) calls_[event.request->call].failures.push_back(event.status);
    for (const auto* request : events.ended) ++calls_[request->call].ended;
    changed_.notify_all();
  }

  template <typename Condition>
  void WaitFor(Condition condition) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return condition(calls_); });
  }
  Call WaitForEnd(uint64_t call) {
    WaitFor([&](auto& calls) { return calls[call].ended > 0; });
    std::lock_guard lock(mutex_);
    return calls_[call];
  }
  int steps() {
    std::lock_guard lock(mutex_);
    return steps_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, Call> calls_;
  int steps_ = 0;
};

class RecordingObserver final : public EngineObserver {
 public:
  void OnStep(const StepReport& report) override {
    std::lock_guard lock(mutex_);
    load_ = report.load;
    admitted_.insert(admitted_.end(), report.admitted_leases.begin(), report.admitted_leases.end());
    finished_.insert(finished_.end(), report.finished_leases.begin(), report.finished_leases.end());
    changed_.notify_all();
  }
  void OnKvEvents(const KvEventBatch& batch) override {
    std::lock_guard lock(mutex_);
    last_seq_ = batch.seq;
    for (BlockHash hash : batch.groups[0].stored) mirror_.insert(hash);
    for (BlockHash hash : batch.groups[0].removed) mirror_.erase(hash);
  }
  void OnKvSnapshot(const KvSnapshot& snapshot) override {
    std::lock_guard lock(mutex_);
    EXPECT_EQ(snapshot.as_of_seq, last_seq_);
    const std::vector<BlockHash>& resident = snapshot.groups[0];
    EXPECT_EQ(std::set<BlockHash>(resident.begin(), resident.end()), mirror_);
    ++snapshots_;
    changed_.notify_all();
  }

  template <typename Condition>
  void WaitFor(Condition condition) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return condition(*this); });
  }

  EngineLoad load_;
  std::vector<uint64_t> admitted_, finished_;
  std::set<BlockHash> mirror_;
  uint64_t last_seq_ = 0;
  int snapshots_ = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class EngineLoopTest : public ::testing::Test {
 protected:
  EngineLoopTest()
      : executor_({}),
        engine_(
            {.scheduler = ConfigOf({}), .limits = {.max_requests = 64, .max_prompt_tokens = 4096}},
            executor_, clock_, {&observer_}) {}

  // Submits and returns the key; the call number is the key's.
  RequestKey Submit(int32_t prompt_tokens, int32_t max_tokens,
                    std::shared_ptr<EnginePeer> peer = nullptr) {
    const RequestKey key = engine_.NewKey();
    GenerationRequest request = RequestOf(key.value(), Counted(3, prompt_tokens), max_tokens);
    request.params.ignore_eos = true;
    request.call = key.value();
    request.lease = 1000 + key.value();
    request.peer = peer != nullptr ? std::move(peer) : peer_;
    EXPECT_TRUE(engine_.Submit(std::move(request)).ok());
    return key;
  }

  FakeClock clock_;
  FakeExecutor executor_;
  RecordingObserver observer_;
  std::shared_ptr<RecordingPeer> peer_ = std::make_shared<RecordingPeer>();
  EngineLoop engine_;
};

TEST_F(EngineLoopTest, GeneratesAndReports) {
  const RequestKey key = Submit(10, 5);
  const RecordingPeer::Call call = peer_->WaitForEnd(key.value());
  GenerationRequest same = RequestOf(key.value(), Counted(3, 10), 5);
  same.params.ignore_eos = true;
  EXPECT_EQ(call.tokens, Alone(same, 0, 128));
  EXPECT_THAT(call.finishes, ElementsAre(FinishReason::kLength));
  EXPECT_EQ(call.accepted, 1);
  observer_.WaitFor([](auto& o) { return !o.finished_.empty(); });
  EXPECT_THAT(observer_.admitted_, ElementsAre(1001));
  EXPECT_THAT(observer_.finished_, ElementsAre(1001));
  EXPECT_TRUE(engine_.WaitUntilIdle(clock_.Now() + std::chrono::hours(1)));
}

TEST_F(EngineLoopTest, OneCallPerStepAndPeer) {
  executor_.CloseGate();
  auto other = std::make_shared<RecordingPeer>();
  Submit(4, 50);
  executor_.WaitForBegun(1);  // the rest waits for the second step
  for (int i = 0; i < 3; ++i) Submit(4, 3);
  Submit(4, 2, other);
  executor_.Permit(2);
  executor_.WaitForBegun(3);
  EXPECT_EQ(peer_->steps(), 2) << "four requests, one call per step";
  EXPECT_EQ(other->steps(), 1);
  executor_.OpenGate();
}

TEST_F(EngineLoopTest, ACancelledRequestIsNamedByNoFurtherStep) {
  executor_.CloseGate();
  const RequestKey key = Submit(6, 100);
  executor_.Permit(3);
  executor_.WaitForBegun(4);  // the fourth step is under way
  engine_.Cancel(key, Cancelled("left"));
  executor_.OpenGate();
  const RecordingPeer::Call call = peer_->WaitForEnd(key.value());
  EXPECT_THAT(call.finishes, ElementsAre(FinishReason::kCancelled));
  EXPECT_LE(call.tokens.size(), 4u);
  ASSERT_TRUE(engine_.WaitUntilIdle(clock_.Now() + std::chrono::hours(1)));
  EXPECT_EQ(executor_.begun_count(), 4);
  observer_.WaitFor([](auto& o) { return o.load_.blocks_active == 0; });
}

TEST_F(EngineLoopTest, DeadlinesFailTheRequest) {
  executor_.CloseGate();
  const RequestKey key = engine_.NewKey();
  GenerationRequest request = RequestOf(key.value(), Counted(0, 5), 100);
  request.params.ignore_eos = true;
  request.call = key.value();
  request.peer = peer_;
  request.deadline = clock_.Now() + std::chrono::seconds(5);
  ASSERT_TRUE(engine_.Submit(std::move(request)).ok());
  executor_.WaitForBegun(1);
  clock_.Advance(std::chrono::seconds(6));
  executor_.OpenGate();
  const RecordingPeer::Call call = peer_->WaitForEnd(key.value());
  ASSERT_EQ(call.failures.size(), 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(call.failures[0]));
  EXPECT_THAT(call.finishes, IsEmpty());
}

TEST_F(EngineLoopTest, DeadlinesFailAHeldRequestToo) {
  const RequestKey key = engine_.NewKey();
  GenerationRequest request = RequestOf(key.value(), {5}, 100);
  request.call = key.value();
  request.peer = peer_;
  request.held = true;
  request.deadline = clock_.Now() + std::chrono::seconds(5);
  ASSERT_TRUE(engine_.Submit(std::move(request)).ok());
  clock_.Advance(std::chrono::seconds(6));
  const RecordingPeer::Call call = peer_->WaitForEnd(key.value());
  ASSERT_EQ(call.failures.size(), 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(call.failures[0]));
}

// As many as could run at once wait for their constraints, and no time passes.
TEST_F(EngineLoopTest, HeldRequestsKeepNobodyWaiting) {
  std::vector<RequestKey> held;
  for (int32_t i = 0; i < 3 * SchedulerOptions().max_num_seqs; ++i) {
    held.push_back(engine_.NewKey());
    GenerationRequest request = RequestOf(held.back().value(), Counted(3, 1 + i % 9), 4);
    request.params.ignore_eos = true;
    request.call = held.back().value();
    request.peer = peer_;
    request.held = true;
    ASSERT_TRUE(engine_.Submit(std::move(request)).ok());
  }
  const RequestKey plain = Submit(6, 5);
  EXPECT_EQ(peer_->WaitForEnd(plain.value()).tokens.size(), 5u);
  for (const RequestKey key : held) engine_.Release(key);
  for (const RequestKey key : held) {
    EXPECT_EQ(peer_->WaitForEnd(key.value()).tokens.size(), 4u);
  }
}

TEST_F(EngineLoopTest, AFailedStepIsTheRequestsFailureAndTheEngineGoesOn) {
  executor_.FailNext(Internal("injected"));
  const RequestKey failed = Submit(5, 3);
  EXPECT_EQ(peer_->WaitForEnd(failed.value()).failures.size(), 1u);
  const RequestKey fine = Submit(5, 3);
  EXPECT_EQ(peer_->WaitForEnd(fine.value()).tokens.size(), 3u);
}

TEST_F(EngineLoopTest, RefusesAtSubmit) {
  GenerationRequest request = RequestOf(1, Counted(0, 5), 1000);
  request.peer = peer_;
  request.key = engine_.NewKey();
  const absl::Status status = engine_.Submit(std::move(request));
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(Field(status), "sampling.max_tokens");
}

TEST_F(EngineLoopTest, SnapshotsStandForAllBatchesBefore) {
  for (int i = 0; i < 10; ++i) Submit(8 + i, 6);
  for (int i = 0; i < 5; ++i) engine_.RequestKvSnapshot();
  ASSERT_TRUE(engine_.WaitUntilIdle(clock_.Now() + std::chrono::hours(1)));
  engine_.RequestKvSnapshot();
  observer_.WaitFor([](auto& o) { return o.snapshots_ >= 2; });
}

TEST_F(EngineLoopTest, DrainFinishesWhatRunsAndRefusesWhatComes) {
  executor_.CloseGate();
  const RequestKey key = Submit(5, 4);
  executor_.WaitForBegun(1);
  engine_.StopAdmission(Unavailable("draining"));
  GenerationRequest late = RequestOf(99, Counted(0, 5), 1);
  late.key = engine_.NewKey();
  late.peer = peer_;
  EXPECT_TRUE(absl::IsUnavailable(engine_.Submit(std::move(late))));
  EXPECT_FALSE(engine_.WaitUntilIdle(clock_.Now()));
  executor_.OpenGate();
  EXPECT_TRUE(engine_.WaitUntilIdle(clock_.Now() + std::chrono::hours(1)));
  EXPECT_EQ(peer_->WaitForEnd(key.value()).tokens.size(), 4u);
}

TEST_F(EngineLoopTest, StopEndsEverybodyOnce) {
  executor_.CloseGate();
  const RequestKey running = Submit(5, 100);
  executor_.WaitForBegun(1);
  const RequestKey queued = Submit(5, 100);
  std::thread stopper([this] { engine_.Stop(); });
  const auto stopped = [this] {  // as a client would see it
    GenerationRequest late = RequestOf(engine_.NewKey().value(), Counted(0, 5), 1);
    late.peer = std::make_shared<RecordingPeer>();
    return engine_.Submit(std::move(late)).message() == "submit: the worker has stopped";
  };
  while (!stopped()) std::this_thread::yield();
  executor_.Permit(1);
  stopper.join();
  for (const RequestKey key : {running, queued}) {
    const RecordingPeer::Call call = peer_->WaitForEnd(key.value());
    ASSERT_EQ(call.failures.size(), 1u);
    EXPECT_TRUE(absl::IsUnavailable(call.failures[0]));
    EXPECT_EQ(call.ended, 1);
  }
  EXPECT_TRUE(engine_.WaitUntilIdle(clock_.Now()));
}

// Threads that submit and cancel as they like: everybody ends once, nothing is left.
TEST_F(EngineLoopTest, ManyThreadsSubmitAndCancel) {
  std::vector<std::thread> threads;
  std::vector<std::shared_ptr<RecordingPeer>> peers;
  for (int t = 0; t < 4; ++t) {
    peers.push_back(std::make_shared<RecordingPeer>());
    threads.emplace_back([this, peer = peers.back(), t] {
      for (int i = 0; i < 15; ++i) {
        const RequestKey key = Submit(3 + i, 10 + t, peer);
        if (i % 3 == 0) engine_.Cancel(key, Cancelled("left"));
        if (i % 3 == 1) peer->WaitForEnd(key.value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(engine_.WaitUntilIdle(clock_.Now() + std::chrono::hours(1)));
  for (const auto& peer : peers) {
    peer->WaitFor([](auto& calls) { return calls.size() == 15; });
    peer->WaitFor([](auto& calls) {
      for (auto& [number, call] : calls) {
        if (call.ended != 1 || call.finishes.size() != 1) return false;
      }
      return true;
    });
  }
  EXPECT_THAT(observer_.finished_.size(), 60u);
}

}  // namespace
}  // namespace baton::worker
