// The tokens that may still be drawn, while the stages of samplers.def adjust their logits and then
// narrow the set down: the workspace of one sampler.
//
// The set is always "all tokens above a floor, and of those exactly at it the first few by id":
// every truncation of a ranked distribution has this form, and no sort of the vocabulary is needed.
// What is cut in another way, or before the logits change again, gets -infinity.
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
#include "worker/sampling/token_tally.h"

namespace baton::worker {

class Candidates {
 public:
  explicit Candidates(int32_t vocab_size);

  // All tokens again. REQUIRES: logits.size() <= the vocabulary.
  void Reset(absl::Span<const float> logits);

  absl::Span<const float> logits() const { return current_; }
  int32_t size() const { return static_cast<int32_t>(current_.size()); }

  // For stages that adjust. Those that were cut before have -infinity.
  absl::Span<float> MutableLogits();

  // Keeps the tokens with a logit of at least `floor`, but at least the `min_keep` highest.
  void KeepAtLeast(float floor, int32_t min_keep = 1);
  // Keeps the `count` highest, the lower id first among equals. REQUIRES: count > 0.
  void KeepTop(int32_t count);
  // Keeps the smallest set of the highest whose share of the kept probability is at least `share`,
  // but at least the `min_keep` highest.
  void KeepMass(float share, int32_t min_keep = 1);
  // Keeps these of the kept tokens. REQUIRES: they are distinct.
  void KeepOnly(absl::Span<const TokenId> tokens);
  // Cuts these kept tokens. REQUIRES: they are distinct.
  void Drop(absl::Span<const TokenId> tokens);

  // How many tokens no truncation has cut so far.
  int32_t kept_count() const;

  // The largest logit.
  float Max();

  // The `count` highest of all tokens, best first, the lower id first among equals. Valid until the
  // next call.
  absl::Span<const TokenId> Ranked(int32_t count);

  // Unnormalised probabilities of the kept tokens, 0 for the others. Valid until the next call.
  absl::Span<const float> Weights();

  // Of the kept tokens' distribution: the sum of Weights, and the entropy in nats.
  double TotalWeight();
  double Entropy();

  // Workspaces of stages; anything may be in them.
  TokenTally& tally() { return tally_; }
  std::vector<int32_t>& scratch() { return scratch_; }
  std::vector<std::pair<float, TokenId>>& scored() { return ranked_; }

 private:
  // A value and how many of the tokens exactly at it are within: the rank where a set ends.
  struct Cut {
    float floor;
    int32_t ties;
  };

  void Narrow(Cut cut);
  void WriteCut();
  Cut WithAtLeast(Cut cut, int32_t min_keep);
  int32_t CountWithin(Cut cut) const;
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
  int32_t dropped_ = 0;  // tokens that were cut and have -infinity now

  bool buckets_known_ = false;
  std::vector<int32_t> bucket_of_;  // by token
  std::vector<int32_t> bucket_count_;
  std::vector<double> bucket_mass_;
  std::vector<std::pair<float, TokenId>> ranked_;
  std::vector<TokenId> ranked_ids_;

  TokenTally tally_;
  std::vector<int32_t> scratch_;
};

}  // namespace baton::worker
