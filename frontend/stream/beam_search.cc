#include "frontend/stream/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "common/base/check.h"

namespace baton::frontend {

BeamSearch::BeamSearch(Options options) : options_(options), live_(1) {
  BATON_CHECK(options_.width > 0) << "beam search: width=0";
}

// Finite and never divided by zero, whatever the penalty.
double BeamSearch::Score(double logprob, size_t output_tokens) const {
  const auto length = static_cast<double>(options_.prompt_tokens + output_tokens);
  const double divisor = std::pow(std::max(length, 1.0), options_.length_penalty);
  return logprob / std::clamp(divisor, std::numeric_limits<double>::min(),
                              std::numeric_limits<double>::max());
}

void BeamSearch::Advance(std::vector<v1::TokenLogprobs> next) {
  BATON_CHECK(!over() && next.size() == live_.size()) << "beam search: beams=" << next.size();
  struct Candidate {
    Node node;
    double logprob;
  };
  std::vector<Candidate> candidates;
  for (uint32_t i = 0; i < next.size(); ++i) {
    const auto count = static_cast<uint32_t>(std::min(next[i].top_ids_size(), next[i].top_size()));
    for (uint32_t k = 0; k < std::min(count, AlternativesFor(options_.width)); ++k) {
      const double logprob =
          live_[i].logprob + static_cast<double>(next[i].top(static_cast<int>(k)));
      const Node node{live_[i].last, next[i].top_ids(static_cast<int>(k)), i, k};
      if (!std::isfinite(logprob)) continue;
      if (node.token == options_.end) {
        Finish(node, logprob);
      } else {
        candidates.push_back({node, logprob});
      }
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.logprob > b.logprob; });
  if (candidates.size() > options_.width) candidates.resize(options_.width);
  live_.clear();
  for (const Candidate& candidate : candidates) {
    live_.push_back({static_cast<int32_t>(nodes_.size()), candidate.logprob});
    nodes_.push_back(candidate.node);
  }
  ++step_count_;
  if (options_.keeps_logprobs) logprobs_.push_back(std::move(next));
}

// The end is worth its probability, and adds nothing to the length.
void BeamSearch::Finish(const Node& end, double logprob) {
  const double score = Score(logprob, step_count_);
  const auto behind =
      std::upper_bound(ended_.begin(), ended_.end(), score,
                       [](double value, const Ended& ended) { return value > ended.score; });
  ended_.insert(behind, {end, score});
  if (ended_.size() > options_.width) ended_.pop_back();
}

std::vector<TokenId> BeamSearch::IdsTo(int32_t last) const {
  std::vector<TokenId> ids;
  for (int32_t at = last; at != kRoot; at = nodes_[static_cast<size_t>(at)].parent) {
    ids.push_back(nodes_[static_cast<size_t>(at)].token);
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

void BeamSearch::AddLogprob(size_t step, const Node& node, v1::TokenLogprobs& to) const {
  if (!options_.keeps_logprobs) return;
  const v1::TokenLogprobs& from = logprobs_[step][node.beam];
  to.add_sampled(from.top(static_cast<int>(node.rank)));
  to.add_rank(node.rank + 1);
  to.set_top_count(from.top_count());
  to.mutable_top_ids()->MergeFrom(from.top_ids());
  to.mutable_top()->MergeFrom(from.top());
}

FoundBeam BeamSearch::Found(int32_t last) const {
  FoundBeam found;
  std::vector<const Node*> path;
  for (int32_t at = last; at != kRoot; at = nodes_[static_cast<size_t>(at)].parent) {
    path.push_back(&nodes_[static_cast<size_t>(at)]);
  }
  std::reverse(path.begin(), path.end());
  for (size_t step = 0; step < path.size(); ++step) {
    found.ids.push_back(path[step]->token);
    AddLogprob(step, *path[step], found.logprobs);
  }
  return found;
}

std::vector<FoundBeam> BeamSearch::Best() const {
  std::vector<FoundBeam> best;
  for (const Ended& ended : ended_) {
    FoundBeam found = Found(ended.end.parent);
    if (options_.keeps_end) {
      AddLogprob(found.ids.size(), ended.end, found.logprobs);
      found.ids.push_back(ended.end.token);
    }
    found.ended = true;
    found.score = ended.score;
    best.push_back(std::move(found));
  }
  for (const Beam& beam : live_) {
    best.push_back(Found(beam.last));
    best.back().score = Score(beam.logprob, step_count_);
  }
  std::stable_sort(best.begin(), best.end(),
                   [](const FoundBeam& a, const FoundBeam& b) { return a.score > b.score; });
  if (best.size() > options_.width) best.resize(options_.width);
  return best;
}

}  // namespace baton::frontend
