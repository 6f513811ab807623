#include "router/membership/worker_table.h"

#include "common/kv/block_hash.h"
#include "gtest/gtest.h"
#include "tests/fakes/fake_clock.h"

namespace baton::router {
namespace {

using Hashes = std::vector<uint64_t>;

v1::WatchFrame Hello(const std::string& id = "w") {
  v1::WatchFrame frame;
  v1::WorkerDescription& worker = *frame.mutable_hello()->mutable_worker();
  worker.set_worker_id(id);
  worker.set_epoch(77);
  worker.set_block_hash_scheme(std::string(kBlockHashScheme));
  worker.set_block_size(64);
  worker.set_block_count(100);
  worker.mutable_model()->set_name("llama");
  worker.mutable_model()->add_aliases("alias");
  worker.mutable_model()->set_max_model_len(4096);
  return frame;
}

v1::WatchFrame SnapshotChunk(uint64_t seq, const Hashes& hashes, bool last) {
  v1::WatchFrame frame;
  frame.mutable_snapshot()->set_as_of_seq(seq);
  for (const uint64_t hash : hashes) frame.mutable_snapshot()->add_hashes(hash);
  frame.mutable_snapshot()->set_last(last);
  return frame;
}

v1::WatchFrame Blocks(uint64_t seq, const Hashes& stored, const Hashes& removed) {
  v1::WatchFrame frame;
  frame.mutable_blocks()->set_seq(seq);
  for (const uint64_t hash : stored) frame.mutable_blocks()->add_stored(hash);
  for (const uint64_t hash : removed) frame.mutable_blocks()->add_removed(hash);
  return frame;
}

class WorkerTableTest : public testing::Test {
 protected:
  void Join(const std::string& address) {
    ASSERT_TRUE(table_.Apply(address, Hello(address)).ok());
    ASSERT_TRUE(table_.Apply(address, SnapshotChunk(5, {1, 2}, false)).ok());
    ASSERT_TRUE(table_.Apply(address, SnapshotChunk(5, {3}, true)).ok());
  }

  uint32_t Matched(const Hashes& chain, uint32_t slot) const {
    return index_.Match(chain, slot + 1)[slot];
  }

  FakeClock clock_;
  PrefixIndex index_{1000};
  Reservations reservations_{clock_, std::chrono::seconds(5), 1};
  WorkerTable table_{index_, reservations_};
};

TEST_F(WorkerTableTest, AWorkerIsReadyWhenItsSnapshotIsComplete) {
  ASSERT_TRUE(table_.Apply("a:1", Hello()).ok());
  ASSERT_TRUE(table_.Apply("a:1", SnapshotChunk(5, {1, 2}, false)).ok());
  EXPECT_EQ(table_.Snapshot()->workers[0].state, WorkerState::kSyncing);
  ASSERT_TRUE(table_.Apply("a:1", SnapshotChunk(5, {3}, true)).ok());
  const WorkerView view = table_.Snapshot()->workers[0];
  EXPECT_EQ(view.state, WorkerState::kReady);
  EXPECT_EQ(view.address, "a:1");
  EXPECT_EQ(view.epoch.value(), 77u);
  EXPECT_TRUE(view.Serves("llama") && view.Serves("alias") && !view.Serves("gpt"));
  EXPECT_EQ(Matched({1, 2, 3}, view.slot), 3u);
}

TEST_F(WorkerTableTest, ChangesApplyInOrderAndOldOnesAreInTheSnapshot) {
  Join("a:1");
  EXPECT_TRUE(table_.Apply("a:1", Blocks(4, {}, {1})).ok());  // before the snapshot: ignored
  EXPECT_EQ(Matched({1, 2, 3}, 0), 3u);
  EXPECT_TRUE(table_.Apply("a:1", Blocks(6, {4}, {})).ok());
  EXPECT_TRUE(table_.Apply("a:1", Blocks(7, {}, {3, 4})).ok());
  EXPECT_EQ(Matched({1, 2, 3}, 0), 2u);
  v1::WatchFrame cleared = Blocks(8, {9}, {});
  cleared.mutable_blocks()->set_cleared(true);
  EXPECT_TRUE(table_.Apply("a:1", cleared).ok());
  EXPECT_EQ(Matched({1}, 0), 0u);
  EXPECT_EQ(Matched({9}, 0), 1u);
}

TEST_F(WorkerTableTest, AGapIsAborted) {
  Join("a:1");
  EXPECT_EQ(table_.Apply("a:1", Blocks(7, {4}, {})).code(), absl::StatusCode::kAborted);
}

TEST_F(WorkerTableTest, FramesOutOfStepAreAborted) {
  EXPECT_EQ(table_.Apply("a:1", Blocks(1, {}, {})).code(), absl::StatusCode::kAborted);
  ASSERT_TRUE(table_.Apply("a:1", Hello()).ok());
  EXPECT_EQ(table_.Apply("a:1", Hello()).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(table_.Apply("a:1", Blocks(1, {}, {})).code(), absl::StatusCode::kAborted);
  ASSERT_TRUE(table_.Apply("a:1", SnapshotChunk(0, {}, true)).ok());
  EXPECT_EQ(table_.Apply("a:1", SnapshotChunk(0, {}, true)).code(), absl::StatusCode::kAborted);
}

TEST_F(WorkerTableTest, AnotherHashSchemeIsRefused) {
  v1::WatchFrame hello = Hello();
  hello.mutable_hello()->mutable_worker()->set_block_hash_scheme("other/9");
  EXPECT_EQ(table_.Apply("a:1", hello).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(table_.Snapshot()->workers.empty());
}

TEST_F(WorkerTableTest, LoadFramesEndReservations) {
  Join("a:1");
  const uint64_t first = reservations_.Add(0, {.prefill_tokens = 10, .blocks = 1, .requests = 1});
  const uint64_t second = reservations_.Add(0, {.prefill_tokens = 10, .blocks = 1, .requests = 1});
  v1::WatchFrame frame;
  frame.mutable_load()->set_running(3);
  frame.mutable_load()->add_admitted_leases(first);
  frame.mutable_load()->add_finished_leases(second);
  frame.mutable_load()->add_finished_leases(9999);
  ASSERT_TRUE(table_.Apply("a:1", frame).ok());
  EXPECT_EQ(reservations_.PendingOf(0).requests, 0u);
  EXPECT_EQ(table_.Snapshot()->workers[0].load.running, 3u);
}

TEST_F(WorkerTableTest, DrainingIsSeenAndSurvivesLoad) {
  Join("a:1");
  v1::WatchFrame drain;
  drain.mutable_drain()->set_reason("rollout");
  ASSERT_TRUE(table_.Apply("a:1", drain).ok());
  v1::WatchFrame load;
  load.mutable_load()->set_running(1);
  ASSERT_TRUE(table_.Apply("a:1", load).ok());
  EXPECT_EQ(table_.Snapshot()->workers[0].state, WorkerState::kDraining);
  EXPECT_EQ(table_.CountOf(WorkerState::kDraining), 1);
}

TEST_F(WorkerTableTest, ASlotIsCleanWhenItIsUsedAgain) {
  Join("a:1");
  Join("b:1");
  reservations_.Add(0, {.prefill_tokens = 10, .blocks = 1, .requests = 1});
  table_.Remove("a:1");
  table_.Remove("a:1");  // idempotent
  EXPECT_EQ(Matched({1, 2, 3}, 0), 0u);
  EXPECT_EQ(Matched({1, 2, 3}, 1), 3u);
  EXPECT_EQ(reservations_.PendingOf(0).requests, 0u);
  ASSERT_TRUE(table_.Apply("c:1", Hello("c")).ok());
  EXPECT_EQ(table_.Snapshot()->workers[1].slot, 0u);
  EXPECT_EQ(table_.Snapshot()->slot_count, 2u);
}

TEST_F(WorkerTableTest, GroupsAreIndexedByTheirWindow) {
  v1::WatchFrame hello = Hello();
  for (const uint32_t window : {0u, 100u}) {
    v1::KvGroup& group = *hello.mutable_hello()->mutable_worker()->add_kv_groups();
    group.set_window(window);
    group.set_parts(1 + window / 50);
  }
  ASSERT_TRUE(table_.Apply("a:1", hello).ok());
  ASSERT_TRUE(table_.Apply("a:1", SnapshotChunk(5, {1, 2, 3}, false)).ok());
  v1::WatchFrame windowed = SnapshotChunk(5, {2}, true);
  windowed.mutable_snapshot()->set_group(1);
  ASSERT_TRUE(table_.Apply("a:1", windowed).ok());
  const std::vector<uint32_t> windows = {100};
  const auto usable = [&] {
    return index_.MatchWindows(std::vector<uint64_t>{1, 2, 3},
                               {.slot = 0, .block_size = 64, .windows = windows, .most = 3});
  };
  EXPECT_EQ(Matched({1, 2, 3}, 0), 3u);
  EXPECT_EQ(usable(), 0u) << "2 blocks end behind 1 and 2";
  v1::WatchFrame change = Blocks(6, {}, {3});
  v1::WatchFrame::GroupBlocks& group = *change.mutable_blocks()->add_groups();
  group.set_group(1);
  group.add_stored(1);
  ASSERT_TRUE(table_.Apply("a:1", change).ok());
  EXPECT_EQ(Matched({1, 2, 3}, 0), 2u);
  EXPECT_EQ(usable(), 2u);
  group.set_group(2);
  change.mutable_blocks()->set_seq(7);
  EXPECT_EQ(table_.Apply("a:1", change).code(), absl::StatusCode::kAborted);
  const WorkerView view = table_.Snapshot()->workers[0];
  EXPECT_EQ(view.BlocksFor(640), 10u + 3 * 3u);
}

}  // namespace
}  // namespace baton::router
