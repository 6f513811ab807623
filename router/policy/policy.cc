#include "router/policy/policy.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/base/strings.h"

namespace baton::router {
namespace {

// Output that a caller has not bounded is taken to be this long.
constexpr uint32_t kExpectedNewTokens = 256;

}  // namespace

uint32_t Candidate::UncachedTokens(const RouteQuery& query) const {
  const uint64_t cached = uint64_t{matched_blocks} * worker->block_size;
  return cached >= query.prompt_tokens ? 1 : query.prompt_tokens - static_cast<uint32_t>(cached);
}

uint64_t Candidate::NewBlocks(const RouteQuery& query) const {
  const uint64_t bound = query.max_new_tokens == 0 ? kExpectedNewTokens : query.max_new_tokens;
  const uint64_t output = std::min<uint64_t>(bound, kExpectedNewTokens) * query.sequences;
  return worker->BlocksFor(UncachedTokens(query) + output);
}

absl::Status PolicyRegistry::Register(std::string_view name, Factory factory) {
  const bool added = factories_.emplace(name, std::move(factory)).second;
  if (!added) return absl::AlreadyExistsError(absl::StrCat("policy: name=", ToAbsl(name)));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Policy>> PolicyRegistry::Create(std::string_view name) const {
  const auto factory = factories_.find(name);
  if (factory == factories_.end()) {
    return InvalidArgument(absl::StrCat("policy: name=", ToAbsl(name),
                                        " is unknown; known: ", absl::StrJoin(names(), ", ")));
  }
  return factory->second();
}

std::vector<std::string> PolicyRegistry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, factory] : factories_) names.push_back(name);
  return names;
}

}  // namespace baton::router
