// The bookkeeping of a beam search: which beginnings of an answer are still followed, which have
// ended, and which of all are best. It sees log-probabilities and knows nothing of where they come
// from.
//
//   BeamSearch search({.width = 4, .length_penalty = 1, .prompt_tokens = 17, …});
//   while (!search.over()) search.Advance(what may follow each of search.live_count() beams);
//   for (const FoundBeam& beam : search.Best()) …
//
// Each step every beam is extended by its 2 * width likeliest tokens, so that `width` are left even
// when half of them end. A beam is worth its summed log-probability, divided by the length of
// prompt and output to the power of the penalty. Among equals the older beam and the likelier token
// win.
//
// Threading: thread-compatible. Memory: 16 bytes per live beam and step, and the log-probabilities
// if they are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "baton/v1/inference.pb.h"
#include "common/base/ids.h"

namespace baton::frontend {

struct FoundBeam {
  std::vector<TokenId> ids;    // of the output
  v1::TokenLogprobs logprobs;  // of `ids`, if they are kept
  bool ended = false;          // by the model; else the length ended it
  double score = 0;
};

class BeamSearch {
 public:
  struct Options {
    uint32_t width = 1;
    double length_penalty = 1;
    uint32_t prompt_tokens = 0;
    uint32_t max_tokens = 1;
    std::optional<TokenId> end = {};  // the token that ends an answer; nothing: none does
    bool keeps_end = false;           // it is part of the found ids
    bool keeps_logprobs = true;       // found beams have their tokens' log-probabilities
  };

  explicit BeamSearch(Options options);

  // Alternatives that each Advance needs per beam.
  static uint32_t AlternativesFor(uint32_t width) { return 2 * width; }

  // The beams to go on with, best first: one empty one at the beginning.
  size_t live_count() const { return live_.size(); }
  std::vector<TokenId> LiveIds(size_t beam) const { return IdsTo(live_[beam].last); }

  // The length is reached, or nothing is left to go on with.
  bool over() const { return step_count_ >= options_.max_tokens || live_.empty(); }

  // `next[i]` has one token's alternatives, best first, for live beam i.
  // REQUIRES: !over(), next.size() == live_count().
  void Advance(std::vector<v1::TokenLogprobs> next);

  // The `width` best that have ended or are still live, best first.
  std::vector<FoundBeam> Best() const;

 private:
  static constexpr int32_t kRoot = -1;

  // A token behind another: the beams are paths to the root.
  struct Node {
    int32_t parent = kRoot;
    TokenId token = 0;
    uint32_t beam = 0;  // of its step: where its log-probabilities stand
    uint32_t rank = 0;  // among the alternatives
  };
  struct Beam {
    int32_t last = kRoot;
    double logprob = 0;  // summed
  };
  struct Ended {
    Node end;  // behind the last node that counts
    double score = 0;
  };

  double Score(double logprob, size_t output_tokens) const;
  void Finish(const Node& end, double logprob);
  std::vector<TokenId> IdsTo(int32_t last) const;
  FoundBeam Found(int32_t last) const;
  void AddLogprob(size_t step, const Node& node, v1::TokenLogprobs& to) const;

  const Options options_;
  std::vector<Node> nodes_;
  uint32_t step_count_ = 0;
  std::vector<std::vector<v1::TokenLogprobs>> logprobs_;  // by step and beam; empty: not kept
  std::vector<Beam> live_;
  std::vector<Ended> ended_;  // the best `width`, best first
};

}  // namespace baton::frontend
