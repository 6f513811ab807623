// What every routing policy keeps to. A policy joins by its line in policies.def.
#include <cmath>
#include <limits>
#include <random>

#include "gtest/gtest.h"
#include "router/plan/route_planner.h"
#include "tests/fakes/fake_clock.h"

namespace baton::router {
namespace {

std::vector<std::string> PolicyNames() {
  PolicyRegistry registry;
  EXPECT_TRUE(RegisterBuiltinPolicies(registry).ok());
  return registry.names();
}

class PolicyConformance : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    PolicyRegistry registry;
    ASSERT_TRUE(RegisterBuiltinPolicies(registry).ok());
    policy_ = registry.Create(GetParam()).value();
  }

  static WorkerView RandomWorker(std::mt19937& random) {
    WorkerView worker;
    worker.block_size = 1u << (4 + random() % 4);
    worker.block_count = static_cast<uint32_t>(random() % 100000);
    worker.load = {.running = static_cast<uint32_t>(random() % 1000),
                   .waiting = static_cast<uint32_t>(random() % 1000),
                   .waiting_prefill_tokens = random() % 10'000'000,
                   .blocks_active = static_cast<uint32_t>(random() % 100000),
                   .blocks_free = static_cast<uint32_t>(random() % 100000),
                   .step_ms = static_cast<float>(random() % 1000)};
    return worker;
  }

  std::unique_ptr<Policy> policy_;
};

TEST_P(PolicyConformance, CostsAreFiniteNotNegativeAndRepeatable) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    const WorkerView worker = RandomWorker(random);
    const Candidate candidate = {.worker = &worker,
                                 .matched_blocks = static_cast<uint32_t>(random() % 4000),
                                 .pending = {.prefill_tokens = random() % 100000,
                                             .blocks = random() % 1000,
                                             .requests = static_cast<uint32_t>(random() % 100)}};
    RouteQuery query;
    query.prompt_tokens = static_cast<uint32_t>(random() % 200000);
    query.max_new_tokens = static_cast<uint32_t>(random() % 5000);
    CostTerms terms;
    CostTerms again;
    const double cost = policy_->Cost(candidate, query, terms);
    EXPECT_TRUE(std::isfinite(cost)) << cost;
    EXPECT_GE(cost, 0);
    EXPECT_EQ(cost, policy_->Cost(candidate, query, again));
    EXPECT_EQ(terms, again);
  }
}

TEST_P(PolicyConformance, AWorkerThatHasReportedNothingHasACost) {
  const WorkerView worker;
  const Candidate candidate = {.worker = &worker, .matched_blocks = 0, .pending = {}};
  CostTerms terms;
  EXPECT_TRUE(std::isfinite(policy_->Cost(candidate, RouteQuery(), terms)));
}

TEST_P(PolicyConformance, MoreLoadNeverCostsLess) {
  std::mt19937 random(2);
  for (int i = 0; i < 500; ++i) {
    const WorkerView idle = RandomWorker(random);
    WorkerView busy = idle;
    busy.load.running += 10;
    busy.load.waiting += 10;
    busy.load.waiting_prefill_tokens += 5000;
    busy.load.blocks_active += 100;
    RouteQuery query;
    query.prompt_tokens = 1 + static_cast<uint32_t>(random() % 5000);
    CostTerms terms;
    const double less =
        policy_->Cost({.worker = &idle, .matched_blocks = 0, .pending = {}}, query, terms);
    const double more =
        policy_->Cost({.worker = &busy, .matched_blocks = 0, .pending = {}}, query, terms);
    EXPECT_LE(less, more);
  }
}

TEST_P(PolicyConformance, ASingleCandidateIsTakenAndNoneIsRejected) {
  FakeClock clock;
  const Reservations reservations(clock, std::chrono::seconds(5), 1);
  const PrefixIndex index(100);
  const RoutePlanner planner(*policy_, index, reservations, {});
  RouteQuery query;
  query.prompt_tokens = 10;
  EXPECT_TRUE(std::holds_alternative<Rejection>(planner.Plan({}, query).outcome));
  ClusterSnapshot cluster;
  cluster.slot_count = 1;
  WorkerView& worker = cluster.workers.emplace_back();
  worker.state = WorkerState::kReady;
  worker.max_model_len = 100;
  worker.block_count = 100;
  worker.block_size = 16;
  EXPECT_TRUE(std::holds_alternative<Placement>(planner.Plan(cluster, query).outcome));
}

INSTANTIATE_TEST_SUITE_P(All, PolicyConformance, testing::ValuesIn(PolicyNames()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace baton::router
