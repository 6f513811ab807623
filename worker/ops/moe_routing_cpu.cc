#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/check.h"
#include "worker/ops/moe_routing.h"

namespace baton::worker {
namespace {

constexpr float kDropped = -std::numeric_limits<float>::infinity();

void CheckArgs(const MoeRoutingArgs& args) {
  const MoeRouting& routing = *args.routing;
  const auto chosen = static_cast<size_t>(args.logits.rows() * routing.experts_per_token);
  BATON_CHECK(routing.expert_count <= kExpertCountMax &&
              routing.experts_per_token <= routing.expert_count &&
              routing.expert_count % routing.group_count == 0)
      << "moe routing: " << routing.experts_per_token << " of " << routing.expert_count
      << " experts in " << routing.group_count << " groups";
  BATON_CHECK(args.logits.dtype() == DType::kF32 && args.logits.cols() == routing.expert_count &&
              args.experts.size() == chosen && args.weights.size() == chosen)
      << "moe routing: logits are " << args.logits.rows() << " x " << args.logits.cols()
      << ", results " << args.experts.size() << " and " << args.weights.size();
  BATON_CHECK(args.correction.empty() ||
              static_cast<int64_t>(args.correction.size()) == args.logits.cols())
      << "moe routing: correction has " << args.correction.size() << "/" << args.logits.cols();
}

// The indexes of the `count` largest scores, in descending order. Gives `count` of them whatever
// the scores are, also NaN.
void ChooseLargest(const float* scores, int32_t size, int32_t count, int32_t* chosen) {
  int32_t held = 0;
  for (int32_t i = 0; i < size; ++i) {
    if (held == count && scores[i] <= scores[chosen[count - 1]]) continue;
    int32_t at = held < count ? held++ : count - 1;
    for (; at > 0 && scores[chosen[at - 1]] < scores[i]; --at) chosen[at] = chosen[at - 1];
    chosen[at] = i;
  }
}

// Leaves the scores of the best groups, and drops the others.
void KeepBestGroups(const MoeRouting& routing, float* scores) {
  const int32_t size = routing.expert_count / routing.group_count;
  float group_scores[kExpertCountMax];
  for (int32_t group = 0; group < routing.group_count; ++group) {
    int32_t best[2] = {0, 0};
    const float* of_group = scores + group * size;
    ChooseLargest(of_group, size, std::min(size, 2), best);
    group_scores[group] = of_group[best[0]] + (size > 1 ? of_group[best[1]] : 0.0f);
  }
  int32_t kept[kExpertCountMax];
  ChooseLargest(group_scores, routing.group_count, routing.kept_group_count, kept);
  bool keeps[kExpertCountMax] = {};
  for (int32_t i = 0; i < routing.kept_group_count; ++i) keeps[kept[i]] = true;
  for (int32_t group = 0; group < routing.group_count; ++group) {
    if (!keeps[group]) std::fill_n(scores + group * size, size, kDropped);
  }
}

// What experts are chosen by, and what their weights come from.
struct Scores {
  float choice[kExpertCountMax];
  float weight[kExpertCountMax];
};

void ScoreSoftmax(const float* logits, int32_t size, Scores& scores) {
  const float largest = *std::max_element(logits, logits + size);
  double sum = 0;
  for (int32_t i = 0; i < size; ++i) {
    const double power = std::exp(static_cast<double>(logits[i]) - static_cast<double>(largest));
    scores.weight[i] = static_cast<float>(power);
    sum += power;
  }
  for (int32_t i = 0; i < size; ++i) {
    scores.weight[i] = static_cast<float>(static_cast<double>(scores.weight[i]) / sum);
    scores.choice[i] = logits[i];  // the same order, without ties made by rounding
  }
}

void ScoreSigmoid(const MoeRoutingArgs& args, const float* logits, Scores& scores) {
  const int32_t size = args.routing->expert_count;
  for (int32_t i = 0; i < size; ++i) {
    const auto at = static_cast<size_t>(i);
    const double sigmoid = 1 / (1 + std::exp(-static_cast<double>(logits[i])));
    scores.weight[i] = static_cast<float>(sigmoid);
    scores.choice[i] = scores.weight[i] + (args.correction.empty() ? 0.0f : args.correction[at]);
  }
  if (args.routing->group_count > 1) KeepBestGroups(*args.routing, scores.choice);
}

// Turns the logits of the chosen into their softmax.
void SoftmaxOfChosen(const float* logits, const int32_t* chosen, int32_t count, float* weights) {
  double sum = 0;
  for (int32_t i = 0; i < count; ++i) {
    const double power =
        std::exp(static_cast<double>(logits[chosen[i]]) - static_cast<double>(logits[chosen[0]]));
    weights[i] = static_cast<float>(power);
    sum += power;
  }
  for (int32_t i = 0; i < count; ++i) {
    weights[i] = static_cast<float>(static_cast<double>(weights[i]) / sum);
  }
}

void WeighChosen(const MoeRouting& routing, const float* scores, const int32_t* chosen,
                 float* weights) {
  double sum = 0;
  for (int32_t i = 0; i < routing.experts_per_token; ++i) {
    weights[i] = scores[chosen[i]];
    sum += static_cast<double>(weights[i]);
  }
  const double divisor = !routing.normalised                       ? 1
                         : routing.scoring == MoeScoring::kSigmoid ? sum + 1e-20
                                                                   : sum;
  for (int32_t i = 0; i < routing.experts_per_token; ++i) {
    weights[i] = static_cast<float>(static_cast<double>(weights[i]) / divisor);
  }
}

void RouteRow(const MoeRoutingArgs& args, const float* logits, int32_t* experts, float* weights) {
  const MoeRouting& routing = *args.routing;
  const int32_t count = routing.experts_per_token;
  if (routing.scoring == MoeScoring::kChosenSoftmax) {
    ChooseLargest(logits, routing.expert_count, count, experts);
    SoftmaxOfChosen(logits, experts, count, weights);
  } else {
    Scores scores;
    if (routing.scoring == MoeScoring::kSigmoid) {
      ScoreSigmoid(args, logits, scores);
    } else {
      ScoreSoftmax(logits, routing.expert_count, scores);
    }
    ChooseLargest(scores.choice, routing.expert_count, count, experts);
    WeighChosen(routing, scores.weight, experts, weights);
  }
  for (int32_t i = 0; i < count; ++i) weights[i] *= static_cast<float>(routing.scale);
}

}  // namespace

void RouteToExperts(const MoeRoutingArgs& args, const ComputeSlice& slice) {
  CheckArgs(args);
  const int64_t count = args.routing->experts_per_token;
  const ComputeSlice::Range share = slice.Share(args.logits.rows());
  for (int64_t row = share.begin; row < share.end; ++row) {
    RouteRow(args, args.logits.row<float>(row), args.experts.data() + row * count,
             args.weights.data() + row * count);
  }
}

}  // namespace baton::worker
