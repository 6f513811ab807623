// The routing decision: snapshot + query → placement or rejection.
//
// Pure and lock-free but for the reservation sums it reads. The same library serves the router, its
// Explain rpc and the simulator.
//
//   RoutePlanner planner(policy, index, reservations, options);
//   RoutePlan plan = planner.Plan(*snapshot, query);
//   if (const auto* placement = std::get_if<Placement>(&plan.outcome)) …
//
// Threading: immutable; Plan may run on any number of threads.
// Ownership: refers to the policy, the index and the reservations, which outlive it.
// Errors:    outcomes are variants: a rejection has a code, a message and a time to retry after.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "router/index/prefix_index.h"
#include "router/policy/policy.h"

namespace baton::router {

struct Placement {
  const WorkerView* decode = nullptr;  // lives as long as the snapshot
  uint32_t matched_blocks = 0;
  Pending cost;  // what to reserve
};

enum class RejectCode { kModelNotFound, kNoWorker, kNoCapacity, kTooLong };

struct Rejection {
  RejectCode code = RejectCode::kNoWorker;
  std::string message;
  std::chrono::milliseconds retry_after{0};  // 0: trying again will not help
};

// One worker as the decision saw it. `excluded_by` names the filter; empty: it was costed.
struct CandidateReport {
  const WorkerView* worker = nullptr;
  std::string_view excluded_by;
  uint32_t matched_blocks = 0;
  double cost = 0;
  CostTerms terms;
};

struct RoutePlan {
  std::variant<Placement, Rejection> outcome;
  std::vector<CandidateReport> candidates;
};

struct PlannerOptions {
  // Costs within this share of the best are equal.
  double tie_window = 0.05;
  // A worker with so many requests waiting, reserved ones included, takes no more.
  uint32_t waiting_max = 1024;
};

class RoutePlanner {
 public:
  RoutePlanner(const Policy& policy, const PrefixIndex& index, const Reservations& reservations,
               PlannerOptions options);

  RoutePlan Plan(const ClusterSnapshot& cluster, const RouteQuery& query) const;

 private:
  uint32_t UsableBlocks(const WorkerView& worker, const RouteQuery& query, uint32_t matched) const;
  std::string_view ExcludedBy(const Candidate& candidate, const RouteQuery& query) const;
  const CandidateReport* Pick(const std::vector<CandidateReport>& candidates,
                              uint64_t tie_seed) const;

  const Policy& policy_;
  const PrefixIndex& index_;
  const Reservations& reservations_;
  const PlannerOptions options_;
};

}  // namespace baton::router
