#include "router/plan/route_planner.h"

#include <map>
#include <set>

#include "gtest/gtest.h"
#include "tests/fakes/fake_clock.h"

namespace baton::router {
namespace {

using Hashes = std::vector<uint64_t>;

class RoutePlannerTest : public testing::Test {
 protected:
  RoutePlannerTest() {
    EXPECT_TRUE(RegisterBuiltinPolicies(registry_).ok());
    policy_ = registry_.Create("product").value();
    for (const char* name : {"a", "b", "c"}) {
      WorkerView& worker = cluster_.workers.emplace_back();
      worker.slot = cluster_.slot_count++;
      worker.worker_id = name;
      worker.state = WorkerState::kReady;
      worker.model_names = {"llama", "alias"};
      worker.max_model_len = 4096;
      worker.block_size = 64;
      worker.block_count = 1000;
    }
    query_.model = "llama";
    query_.block_hashes = chain_;
    query_.prompt_tokens = 300;
  }

  RoutePlan Plan() const {
    return RoutePlanner(*policy_, index_, reservations_, options_).Plan(cluster_, query_);
  }

  std::string Chosen() const {
    const RoutePlan plan = Plan();
    const auto* placement = std::get_if<Placement>(&plan.outcome);
    return placement == nullptr ? "" : placement->decode->worker_id;
  }

  RejectCode Rejected() const { return std::get<Rejection>(Plan().outcome).code; }

  PolicyRegistry registry_;
  std::unique_ptr<Policy> policy_;
  FakeClock clock_;
  PrefixIndex index_{1000};
  Reservations reservations_{clock_, std::chrono::seconds(5), 1};
  PlannerOptions options_;
  ClusterSnapshot cluster_;
  const Hashes chain_ = {11, 12, 13, 14};
  RouteQuery query_;
};

TEST_F(RoutePlannerTest, WhatAWindowCannotFollowIsNoMatch) {
  for (WorkerView& worker : cluster_.workers) worker.kv_groups = {{.window = 0}, {.window = 100}};
  index_.Store(0, chain_);
  index_.Store(1, Hashes{11, 12});
  index_.Store(1, Hashes{11, 12}, 100);
  const RoutePlan plan = Plan();
  EXPECT_EQ(plan.candidates[0].matched_blocks, 0u) << "its window has none of them left";
  EXPECT_EQ(plan.candidates[1].matched_blocks, 2u);
  EXPECT_EQ(Chosen(), "b");
}

TEST_F(RoutePlannerTest, TheHolderOfThePrefixWins) {
  index_.Store(1, chain_);
  EXPECT_EQ(Chosen(), "b");
  const RoutePlan plan = Plan();
  const Placement& placement = std::get<Placement>(plan.outcome);
  EXPECT_EQ(placement.matched_blocks, 4u);
  EXPECT_EQ(placement.cost.prefill_tokens, 300u - 4 * 64);
}

TEST_F(RoutePlannerTest, ABusyHolderLosesToAnIdleWorker) {
  index_.Store(1, chain_);
  cluster_.workers[1].load = {.waiting_prefill_tokens = 4000, .blocks_active = 500};
  EXPECT_NE(Chosen(), "b");
}

TEST_F(RoutePlannerTest, ReservationsCountBeforeTheWorkerReports) {
  cluster_.workers.resize(2);
  std::map<std::string, int> placed;
  for (int i = 0; i < 10; ++i) {
    const RoutePlan plan = Plan();
    const Placement& placement = std::get<Placement>(plan.outcome);
    ++placed[placement.decode->worker_id];
    reservations_.Add(placement.decode->slot, placement.cost);
  }
  EXPECT_EQ(placed["a"], 5);
  EXPECT_EQ(placed["b"], 5);
}

TEST_F(RoutePlannerTest, EqualsAreChosenBySeed) {
  std::map<std::string, int> placed;
  for (query_.tie_seed = 0; query_.tie_seed < 300; ++query_.tie_seed) ++placed[Chosen()];
  EXPECT_EQ(placed.size(), 3u);
  for (const auto& [name, count] : placed) EXPECT_GT(count, 60) << name;
  query_.tie_seed = 7;
  EXPECT_EQ(Chosen(), Chosen());
}

TEST_F(RoutePlannerTest, FiltersSayWhy) {
  cluster_.workers[0].state = WorkerState::kDraining;
  cluster_.workers[1].role = WorkerRole::kPrefill;
  const std::vector<std::string> excluded = {"c"};
  query_.excluded_workers = excluded;
  const RoutePlan plan = Plan();
  EXPECT_EQ(plan.candidates[0].excluded_by, "state");
  EXPECT_EQ(plan.candidates[1].excluded_by, "role");
  EXPECT_EQ(plan.candidates[2].excluded_by, "excluded");
  const Rejection& rejection = std::get<Rejection>(plan.outcome);
  EXPECT_EQ(rejection.code, RejectCode::kNoWorker);
  EXPECT_GE(rejection.retry_after, std::chrono::seconds(1));
}

TEST_F(RoutePlannerTest, RejectsUnknownModelsAndAcceptsAliases) {
  query_.model = "gpt";
  EXPECT_EQ(Rejected(), RejectCode::kModelNotFound);
  EXPECT_EQ(std::get<Rejection>(Plan().outcome).retry_after.count(), 0);
  query_.model = "alias";
  EXPECT_NE(Chosen(), "");
  query_.model = "";
  EXPECT_NE(Chosen(), "");
}

TEST_F(RoutePlannerTest, RejectsWhatFitsNowhere) {
  query_.prompt_tokens = 4096;
  EXPECT_EQ(Rejected(), RejectCode::kTooLong);
  cluster_.workers[2].max_model_len = 8192;
  EXPECT_EQ(Chosen(), "c");
  cluster_.workers[2].block_count = 10;
  EXPECT_EQ(Rejected(), RejectCode::kTooLong);
}

TEST_F(RoutePlannerTest, FullQueuesGiveATimeToRetry) {
  options_.waiting_max = 100;
  for (WorkerView& worker : cluster_.workers) worker.load = {.waiting = 100, .step_ms = 50};
  std::set<std::chrono::milliseconds> retry_times;
  for (query_.tie_seed = 0; query_.tie_seed < 20; ++query_.tie_seed) {
    const Rejection rejection = std::get<Rejection>(Plan().outcome);
    EXPECT_EQ(rejection.code, RejectCode::kNoCapacity);
    EXPECT_GE(rejection.retry_after, std::chrono::milliseconds(4000));
    EXPECT_LE(rejection.retry_after, std::chrono::milliseconds(6000));
    retry_times.insert(rejection.retry_after);
  }
  EXPECT_GT(retry_times.size(), 10u);  // not all at once
  cluster_.workers[0].load.waiting = 99;
  EXPECT_EQ(Chosen(), "a");
}

TEST_F(RoutePlannerTest, NoWorkerAtAllIsWorthRetrying) {
  cluster_.workers.clear();
  EXPECT_EQ(Rejected(), RejectCode::kNoWorker);
}

TEST(PolicyRegistryTest, UnknownAndTakenNamesAreErrors) {
  PolicyRegistry registry;
  ASSERT_TRUE(RegisterBuiltinPolicies(registry).ok());
  EXPECT_EQ(RegisterBuiltinPolicies(registry).code(), absl::StatusCode::kAlreadyExists);
  const absl::Status unknown = registry.Create("nope").status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(unknown.message().find("product"), absl::string_view::npos);
}

}  // namespace
}  // namespace baton::router
