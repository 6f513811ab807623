// What a placement on one worker would cost: the part of routing that people argue about.
//
// A policy is pure: the same candidate and query always cost the same. The planner filters first,
// asks for the cost of each that is left, and takes the cheapest; within the tie window it chooses
// at random, so that routers that see the same numbers do not herd.
//
//   absl::StatusOr<std::unique_ptr<Policy>> policy = registry.Create("product");
//   CostTerms terms;
//   double cost = (*policy)->Cost(candidate, query, terms);
//
// Threading: immutable, called from any thread at once.
// Errors:    none: missing data is costed, not refused. A cost is finite and not negative.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "router/load/reservations.h"
#include "router/membership/cluster_snapshot.h"

namespace baton::router {

// What is to be placed.
struct RouteQuery {
  std::string_view model;                  // served name; empty: the only one
  std::span<const uint64_t> block_hashes;  // chained, of the prompt's full blocks
  uint32_t prompt_tokens = 0;
  uint32_t max_new_tokens = 0;  // 0: unknown
  uint32_t sequences = 1;
  std::span<const std::string> excluded_workers;
  uint64_t tie_seed = 0;  // decides between equals
};

// A worker that could take it, with what the index and the reservations say.
struct Candidate {
  const WorkerView* worker = nullptr;
  uint32_t matched_blocks = 0;
  Pending pending;

  // Prompt tokens to compute: never none, the last token's logits are needed.
  uint32_t UncachedTokens(const RouteQuery& query) const;
  // Blocks that prompt and output would add beyond the shared prefix.
  uint64_t NewBlocks(const RouteQuery& query) const;
};

// The parts of a cost by name, for Explain.
using CostTerms = std::vector<std::pair<std::string_view, double>>;

class Policy {
 public:
  virtual ~Policy() = default;
  virtual double Cost(const Candidate& candidate, const RouteQuery& query,
                      CostTerms& terms) const = 0;
};

// Policies by name. Filled once at start, then read.
class PolicyRegistry {
 public:
  using Factory = std::function<std::unique_ptr<Policy>()>;

  // ALREADY_EXISTS when the name is taken.
  absl::Status Register(std::string_view name, Factory factory);

  // INVALID_ARGUMENT for an unknown name, listing the known ones.
  absl::StatusOr<std::unique_ptr<Policy>> Create(std::string_view name) const;

  std::vector<std::string> names() const;

 private:
  std::map<std::string, Factory, std::less<>> factories_;
};

// Registers every policy of policies.def.
absl::Status RegisterBuiltinPolicies(PolicyRegistry& registry);

}  // namespace baton::router
