// A number for each of some tokens of a vocabulary, cleared in no time: what a history counts.
//
// Threading: thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/base/ids.h"

namespace baton::worker {

class TokenTally {
 public:
  explicit TokenTally(int32_t vocab_size)
      : mark_(static_cast<size_t>(vocab_size)), number_(static_cast<size_t>(vocab_size)) {}

  // Forgets all tokens.
  void Clear() {
    if (++stamp_ == 0) {  // wrapped: old marks could be mistaken for new ones
      mark_.assign(mark_.size(), 0);
      stamp_ = 1;
    }
    tokens_.clear();
  }

  bool InVocabulary(TokenId token) const { return token < mark_.size(); }

  // The token's number, 0 when it is new. REQUIRES: InVocabulary(token).
  int32_t& operator[](TokenId token) {
    if (mark_[token] != stamp_) {
      mark_[token] = stamp_;
      number_[token] = 0;
      tokens_.push_back(token);
    }
    return number_[token];
  }

  // In the order in which they came.
  absl::Span<const TokenId> tokens() const { return tokens_; }

 private:
  uint32_t stamp_ = 1;
  std::vector<uint32_t> mark_;  // by token: equal to stamp_ once it has come
  std::vector<int32_t> number_;
  std::vector<TokenId> tokens_;
};

}  // namespace baton::worker
