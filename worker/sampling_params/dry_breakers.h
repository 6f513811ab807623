// The sequence breakers of DRY as tokens: a repetition does not reach across one.
//
// A breaker is a head token and the tokens that must follow it, maybe none: several heads may spell
// the beginning of the same string.
//
// Threading: immutable once a request holds it.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "common/base/ids.h"

namespace baton::worker {

class DryBreakers {
 public:
  using Tail = std::vector<TokenId>;

  // Duplicates are ignored.
  void Add(TokenId head, Tail tail) {
    std::vector<Tail>& tails = tails_of_[head];
    if (std::find(tails.begin(), tails.end(), tail) == tails.end())
      tails.push_back(std::move(tail));
  }

  // How many tokens follow the head of the longest breaker that begins at `tokens[0]`.
  std::optional<size_t> TailLengthAt(absl::Span<const TokenId> tokens) const {
    const auto entry = tails_of_.find(tokens[0]);
    if (entry == tails_of_.end()) return std::nullopt;
    std::optional<size_t> longest;
    for (const Tail& tail : entry->second) {
      if (tail.size() >= tokens.size() || (longest.has_value() && tail.size() <= *longest))
        continue;
      if (std::equal(tail.begin(), tail.end(), tokens.begin() + 1)) longest = tail.size();
    }
    return longest;
  }

  // Whether the token is a breaker by itself.
  bool IsBreaker(TokenId token) const {
    const auto entry = tails_of_.find(token);
    return entry != tails_of_.end() && std::any_of(entry->second.begin(), entry->second.end(),
                                                   [](const Tail& tail) { return tail.empty(); });
  }

  size_t head_count() const { return tails_of_.size(); }

 private:
  absl::flat_hash_map<TokenId, std::vector<Tail>> tails_of_;
};

}  // namespace baton::worker
