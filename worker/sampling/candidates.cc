#include "worker/sampling/candidates.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "common/base/check.h"
#include "worker/sampling/logit_math.h"

namespace baton::worker {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

}  // namespace

Candidates::Candidates(int32_t vocab_size)
    : logits_(static_cast<size_t>(vocab_size)),
      weights_(static_cast<size_t>(vocab_size)),
      bucket_of_(static_cast<size_t>(vocab_size)),
      bucket_count_(kBuckets),
      bucket_mass_(kBuckets),
      tally_(vocab_size) {}

void Candidates::Reset(absl::Span<const float> logits) {
  BATON_CHECK(logits.size() <= logits_.size()) << "Candidates: logits=" << logits.size();
  current_ = logits;
  max_known_ = false;
  buckets_known_ = false;
  cut_ = {kMinusInfinity, kAllTies};
  dropped_ = 0;
}

absl::Span<float> Candidates::MutableLogits() {
  const size_t count = current_.size();
  if (current_.data() != logits_.data()) {
    std::copy(current_.begin(), current_.end(), logits_.begin());
    current_ = absl::MakeConstSpan(logits_.data(), count);
  }
  WriteCut();
  max_known_ = false;
  buckets_known_ = false;
  return absl::MakeSpan(logits_.data(), count);
}

// Writes -infinity over what is cut. REQUIRES: the logits are our own.
void Candidates::WriteCut() {
  if (cut_.floor == kMinusInfinity && cut_.ties == kAllTies) return;
  const int32_t kept = kept_count();
  int32_t ties = 0;
  for (size_t i = 0; i < current_.size(); ++i) {
    const float logit = logits_[i];
    if (logit > cut_.floor || (logit == cut_.floor && ++ties <= cut_.ties)) continue;
    logits_[i] = kMinusInfinity;
  }
  dropped_ = size() - kept;
  cut_ = {kMinusInfinity, kAllTies};
}

int32_t Candidates::CountWithin(Cut cut) const {
  int32_t above = 0;
  int32_t at = 0;
  for (float logit : current_) {
    above += static_cast<int32_t>(logit > cut.floor);
    at += static_cast<int32_t>(logit == cut.floor);
  }
  return above + std::min(at, cut.ties);
}

int32_t Candidates::kept_count() const {
  if (cut_.floor == kMinusInfinity && cut_.ties == kAllTies) return size() - dropped_;
  return CountWithin(cut_);
}

// `cut`, or the one that leaves `min_keep` tokens if it leaves fewer.
Candidates::Cut Candidates::WithAtLeast(Cut cut, int32_t min_keep) {
  if (min_keep <= 1 || CountWithin(cut) >= min_keep) return cut;
  if (min_keep >= kept_count()) return cut_;
  return CutAtRank(min_keep);
}

float Candidates::Max() {
  if (!max_known_) {
    max_ = MaxOf(current_);
    max_known_ = true;
  }
  return max_;
}

void Candidates::Narrow(Cut cut) {
  if (cut.floor > cut_.floor || (cut.floor == cut_.floor && cut.ties < cut_.ties)) cut_ = cut;
}

void Candidates::KeepAtLeast(float floor, int32_t min_keep) {
  Narrow(WithAtLeast({std::min(floor, Max()), kAllTies}, min_keep));
}

void Candidates::KeepTop(int32_t count) {
  if (count < size() - dropped_) Narrow(CutAtRank(count));
}

void Candidates::KeepOnly(absl::Span<const TokenId> tokens) {
  const absl::Span<float> logits = MutableLogits();
  ranked_.clear();
  for (TokenId token : tokens) ranked_.emplace_back(logits[token], token);
  std::fill(logits.begin(), logits.end(), kMinusInfinity);
  for (const auto& [logit, token] : ranked_) logits[token] = logit;
  dropped_ = size() - static_cast<int32_t>(tokens.size());
}

void Candidates::Drop(absl::Span<const TokenId> tokens) {
  const absl::Span<float> logits = MutableLogits();
  for (TokenId token : tokens) logits[token] = kMinusInfinity;
  dropped_ += static_cast<int32_t>(tokens.size());
}

// NaN is in the last bucket.
void Candidates::AssignBuckets() {
  if (buckets_known_) return;
  buckets_known_ = true;
  const float max = Max();
  const float* logits = current_.data();
  int32_t* __restrict buckets = bucket_of_.data();
  for (size_t i = 0; i < current_.size(); ++i) {
    constexpr float kLast = kBuckets - 1;
    const float depth = (max - logits[i]) * 64.0f;
    buckets[i] = static_cast<int32_t>(depth < kLast ? depth : kLast);
  }
}

// Fills ranked_ with the tokens of one bucket, by id; NaN counts as the lowest of all.
void Candidates::CollectBucket(int32_t bucket) {
  ranked_.clear();
  for (size_t i = 0; i < current_.size(); ++i) {
    if (bucket_of_[i] != bucket) continue;
    const float logit = current_[i];
    ranked_.emplace_back(logit == logit ? logit : kMinusInfinity, static_cast<TokenId>(i));
  }
}

void Candidates::SortRanked() {
  std::sort(ranked_.begin(), ranked_.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
}

absl::Span<const TokenId> Candidates::Ranked(int32_t count) {
  ranked_ids_.clear();
  count = std::min(count, size());
  if (count <= 0) return ranked_ids_;
  const Cut cut = CutAtRank(count);
  ranked_.clear();
  int32_t ties = 0;
  for (size_t i = 0; i < current_.size(); ++i) {
    const float logit = current_[i];
    if (logit > cut.floor || (logit == cut.floor && ++ties <= cut.ties)) {
      ranked_.emplace_back(logit, static_cast<TokenId>(i));
    }
  }
  SortRanked();
  for (const auto& entry : ranked_) ranked_ids_.push_back(entry.second);
  return ranked_ids_;
}

Candidates::Cut Candidates::CutAtRank(int32_t count) {
  AssignBuckets();
  std::fill(bucket_count_.begin(), bucket_count_.end(), 0);
  for (size_t i = 0; i < current_.size(); ++i) {
    ++bucket_count_[static_cast<size_t>(bucket_of_[i])];
  }
  int32_t bucket = 0;
  int32_t before = 0;
  while (before + bucket_count_[static_cast<size_t>(bucket)] < count) {
    before += bucket_count_[static_cast<size_t>(bucket++)];
  }
  CollectBucket(bucket);
  const auto above = [](const auto& a, const auto& b) { return a.first > b.first; };
  const auto nth = ranked_.begin() + (count - before - 1);
  std::nth_element(ranked_.begin(), nth, ranked_.end(), above);
  const float floor = nth->first;
  const auto better = std::count_if(ranked_.begin(), ranked_.end(),
                                    [floor](const auto& entry) { return entry.first > floor; });
  return {floor, count - before - static_cast<int32_t>(better)};
}

void Candidates::KeepMass(float share, int32_t min_keep) {
  AssignBuckets();
  const absl::Span<const float> weights = Weights();
  std::fill(bucket_mass_.begin(), bucket_mass_.end(), 0.0);
  double total = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0.0f) continue;
    const auto weight = static_cast<double>(weights[i]);
    bucket_mass_[static_cast<size_t>(bucket_of_[i])] += weight;
    total += weight;
  }
  const double wanted = total * static_cast<double>(share);
  int32_t bucket = 0;
  double mass = 0;
  while (bucket + 1 < kBuckets && mass + bucket_mass_[static_cast<size_t>(bucket)] < wanted) {
    mass += bucket_mass_[static_cast<size_t>(bucket++)];
  }
  CollectBucket(bucket);
  std::erase_if(ranked_, [&](const auto& entry) { return weights[entry.second] == 0.0f; });
  if (ranked_.empty()) return;  // the whole set is needed to reach the share
  SortRanked();
  size_t last = 0;
  for (; last + 1 < ranked_.size(); ++last) {
    mass += static_cast<double>(weights[ranked_[last].second]);
    if (mass >= wanted) break;
  }
  const float floor = ranked_[last].first;
  size_t first_tie = last;
  while (first_tie > 0 && ranked_[first_tie - 1].first == floor) --first_tie;
  Narrow(WithAtLeast({floor, static_cast<int32_t>(last - first_tie + 1)}, min_keep));
}

absl::Span<const float> Candidates::Weights() {
  const absl::Span<float> weights = absl::MakeSpan(weights_.data(), current_.size());
  Exponentials(current_, Max(), cut_.floor, weights);
  if (cut_.ties == kAllTies) return weights;
  int32_t ties = 0;
  for (size_t i = 0; i < current_.size(); ++i) {
    if (current_[i] == cut_.floor && ++ties > cut_.ties) weights[i] = 0.0f;
  }
  return weights;
}

double Candidates::TotalWeight() {
  double total = 0;
  for (float weight : Weights()) total += static_cast<double>(weight);
  return total;
}

// H = ln Z - sum(w * (z - max)) / Z, where Z is the sum of w = e^(z - max).
double Candidates::Entropy() {
  const absl::Span<const float> weights = Weights();
  const float max = Max();
  double total = 0;
  double moment = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0.0f) continue;
    const auto weight = static_cast<double>(weights[i]);
    total += weight;
    moment += weight * static_cast<double>(current_[i] - max);
  }
  return total > 0 ? std::log(total) - moment / total : 0.0;
}

}  // namespace baton::worker
