// The tokens that may still be drawn, while the stages of samplers.def adjust their logits and then
// narrow the set down: the workspace of one sampler.
//
// The set is always "all tokens above a floor, and of those exactly at it the first few by id":
// every truncation of a ranked distribution has this form, and no sort of the vocabulary is needed.
//
// Threading: thread-compatible. Ownership: views the logits given to Reset until the next Reset;
// they are copied at the first change only.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/base/ids.h"

namespace baton::worker {

class Candidates {
 public:
  explicit Candidates(int32_t vocab_size);

  // All tokens again. REQUIRES: logits.size() <= the vocabulary.
  void Reset(absl::Span<const float> logits);

  absl::Span<const float> logits() const { return current_; }
  int32_t size() const { return static_cast<int32_t>(current_.size()); }

  // For stages that adjust; must not be called once the set has been narrowed.
  absl::Span<float> MutableLogits();

  // Counts of tokens in `history`, whose first `prompt_count` are not counted but listed: calls
  // visit(token, output_count) once for each distinct token.
  template <typename Visit>
  void ForEachDistinct(absl::Span<const TokenId> history, int32_t prompt_count, Visit visit);

  // Keeps the tokens with a logit of at least `floor`.
  void KeepAtLeast(float floor);
  // Keeps the `count` highest, the lower id first among equals. REQUIRES: count > 0.
  void KeepTop(int32_t count);
  // Keeps the smallest set of the highest whose share of the kept probability is at least `share`.
  void KeepMass(float share);

  // The largest logit.
  float Max();

  // The `count` highest of all tokens, best first, the lower id first among equals. Valid until the
  // next call.
  absl::Span<const TokenId> Ranked(int32_t count);

  // Unnormalised probabilities of the kept tokens, 0 for the others. Valid until the next call.
  absl::Span<const float> Weights();

 private:
  // A value and how many of the tokens exactly at it are within: the rank where a set ends.
  struct Cut {
    float floor;
    int32_t ties;
  };

  void Narrow(Cut cut);
  Cut CutAtRank(int32_t count);
  void AssignBuckets();
  void CollectBucket(int32_t bucket);
  void SortRanked();

  static constexpr int32_t kBuckets = 2048;  // of 1/64 below the largest logit; the last is open
  static constexpr int32_t kAllTies = std::numeric_limits<int32_t>::max();

  absl::Span<const float> current_;
  std::vector<float> logits_;
  std::vector<float> weights_;
  bool max_known_ = false;
  float max_ = 0;
  Cut cut_{};

  bool buckets_known_ = false;
  std::vector<int32_t> bucket_of_;  // by token
  std::vector<int32_t> bucket_count_;
  std::vector<double> bucket_mass_;
  std::vector<std::pair<float, TokenId>> ranked_;
  std::vector<TokenId> ranked_ids_;

  // Distinct tokens of a history: `mark_[t] == stamp_` once t has been seen.
  uint32_t stamp_ = 0;
  std::vector<uint32_t> mark_;
  std::vector<int32_t> output_count_;
  std::vector<TokenId> distinct_;
};

template <typename Visit>
void Candidates::ForEachDistinct(absl::Span<const TokenId> history, int32_t prompt_count,
                                 Visit visit) {
  if (++stamp_ == 0) {  // wrapped: old marks could be mistaken for new ones
    mark_.assign(mark_.size(), 0);
    stamp_ = 1;
  }
  distinct_.clear();
  for (size_t i = 0; i < history.size(); ++i) {
    const TokenId token = history[i];
    if (token >= mark_.size()) continue;
    if (mark_[token] != stamp_) {
      mark_[token] = stamp_;
      output_count_[token] = 0;
      distinct_.push_back(token);
    }
    output_count_[token] += static_cast<int32_t>(i >= static_cast<size_t>(prompt_count));
  }
  for (TokenId token : distinct_) visit(token, output_count_[token]);
}

}  // namespace baton::worker
