#include "router/plan/route_planner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"

namespace baton::router {
namespace {

constexpr std::string_view kModel = "model";
constexpr std::string_view kExcluded = "excluded";
constexpr std::string_view kState = "state";
constexpr std::string_view kRole = "role";
constexpr std::string_view kLength = "length";
constexpr std::string_view kCapacity = "capacity";

constexpr std::chrono::milliseconds kRetryMin{1000};
constexpr std::chrono::milliseconds kRetryMax{30000};

// SplitMix64: spreads neighbouring seeds over all bits.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

bool AnyExcludedBy(const std::vector<CandidateReport>& candidates, std::string_view filter) {
  return std::any_of(candidates.begin(), candidates.end(),
                     [filter](const CandidateReport& c) { return c.excluded_by == filter; });
}

// Until the least busy of the full workers has taken a step for each request that waits there,
// give or take a fifth: those who are refused together should not come back together.
std::chrono::milliseconds RetryWhenFull(const std::vector<CandidateReport>& candidates,
                                        uint64_t tie_seed) {
  double wait_ms = std::numeric_limits<double>::infinity();
  for (const CandidateReport& c : candidates) {
    if (c.excluded_by != kCapacity) continue;
    wait_ms = std::min<double>(wait_ms, double{c.worker->load.step_ms} * c.worker->load.waiting);
  }
  const double bounded = std::clamp(wait_ms, static_cast<double>(kRetryMin.count()),
                                    static_cast<double>(kRetryMax.count()));
  const double share = static_cast<double>(Mix(tie_seed) >> 11) * 0x1p-53;  // [0, 1)
  return std::chrono::milliseconds(static_cast<int64_t>(bounded * (0.8 + 0.4 * share)));
}

Rejection Reject(const std::vector<CandidateReport>& candidates, const RouteQuery& query) {
  if (candidates.empty()) {
    return {RejectCode::kNoWorker, "route: no worker is connected", kRetryMin};
  }
  const bool model_known = std::any_of(candidates.begin(), candidates.end(),
                                       [](const auto& c) { return c.excluded_by != kModel; });
  if (!model_known) {
    return {RejectCode::kModelNotFound,
            absl::StrCat("route: model=", ToAbsl(query.model), " is not served"),
            std::chrono::milliseconds(0)};
  }
  if (AnyExcludedBy(candidates, kCapacity)) {
    return {RejectCode::kNoCapacity, "route: every worker's queue is full",
            RetryWhenFull(candidates, query.tie_seed)};
  }
  if (AnyExcludedBy(candidates, kLength)) {
    return {RejectCode::kTooLong,
            absl::StrCat("route: prompt_tokens=", query.prompt_tokens, " fit no worker"),
            std::chrono::milliseconds(0)};
  }
  return {RejectCode::kNoWorker, "route: no worker is ready", kRetryMin};
}

}  // namespace

RoutePlanner::RoutePlanner(const Policy& policy, const PrefixIndex& index,
                           const Reservations& reservations, PlannerOptions options)
    : policy_(policy), index_(index), reservations_(reservations), options_(options) {}

RoutePlan RoutePlanner::Plan(const ClusterSnapshot& cluster, const RouteQuery& query) const {
  const std::vector<uint32_t> matched = index_.Match(query.block_hashes, cluster.slot_count);
  RoutePlan plan;
  plan.candidates.reserve(cluster.workers.size());
  for (const WorkerView& worker : cluster.workers) {
    const Candidate candidate = {
        .worker = &worker,
        .matched_blocks = UsableBlocks(worker, query, matched[worker.slot]),
        .pending = reservations_.PendingOf(worker.slot)};
    CandidateReport& report = plan.candidates.emplace_back();
    report.worker = &worker;
    report.matched_blocks = candidate.matched_blocks;
    report.excluded_by = ExcludedBy(candidate, query);
    if (report.excluded_by.empty()) report.cost = policy_.Cost(candidate, query, report.terms);
  }
  const CandidateReport* best = Pick(plan.candidates, query.tie_seed);
  if (best == nullptr) {
    plan.outcome = Reject(plan.candidates, query);
    return plan;
  }
  const Candidate chosen = {
      .worker = best->worker, .matched_blocks = best->matched_blocks, .pending = {}};
  plan.outcome = Placement{.decode = best->worker,
                           .matched_blocks = best->matched_blocks,
                           .cost = {.prefill_tokens = chosen.UncachedTokens(query),
                                    .blocks = chosen.NewBlocks(query),
                                    .requests = 1}};
  return plan;
}

// Of the blocks that a worker's full groups hold, those that its windows can follow.
uint32_t RoutePlanner::UsableBlocks(const WorkerView& worker, const RouteQuery& query,
                                    uint32_t matched) const {
  if (!worker.has_windows()) return matched;
  std::vector<uint32_t> windows;
  for (const KvGroupView& group : worker.kv_groups) {
    if (group.window != 0) windows.push_back(group.window);
  }
  const bool any_full = windows.size() < worker.kv_groups.size();
  const auto chain = static_cast<uint32_t>(query.block_hashes.size());
  return index_.MatchWindows(query.block_hashes, {.slot = worker.slot,
                                                  .block_size = worker.block_size,
                                                  .windows = windows,
                                                  .most = any_full ? matched : chain});
}

std::string_view RoutePlanner::ExcludedBy(const Candidate& candidate,
                                          const RouteQuery& query) const {
  const WorkerView& worker = *candidate.worker;
  if (!worker.Serves(query.model)) return kModel;
  const auto& excluded = query.excluded_workers;
  if (std::find(excluded.begin(), excluded.end(), worker.worker_id) != excluded.end()) {
    return kExcluded;
  }
  if (worker.state != WorkerState::kReady) return kState;
  if (worker.role == WorkerRole::kPrefill) return kRole;
  if (query.prompt_tokens >= worker.max_model_len) return kLength;
  if (worker.BlocksFor(query.prompt_tokens + uint64_t{1}) > worker.block_count) return kLength;
  if (worker.load.waiting + candidate.pending.requests >= options_.waiting_max) return kCapacity;
  return {};
}

const CandidateReport* RoutePlanner::Pick(const std::vector<CandidateReport>& candidates,
                                          uint64_t tie_seed) const {
  double best = std::numeric_limits<double>::infinity();
  for (const CandidateReport& c : candidates) {
    if (c.excluded_by.empty()) best = std::min(best, c.cost);
  }
  std::vector<const CandidateReport*> tied;
  for (const CandidateReport& c : candidates) {
    if (c.excluded_by.empty() && c.cost <= best * (1 + options_.tie_window)) tied.push_back(&c);
  }
  return tied.empty() ? nullptr : tied[Mix(tie_seed) % tied.size()];
}

}  // namespace baton::router
