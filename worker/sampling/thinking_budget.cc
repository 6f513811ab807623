// thinking_token_budget: once the thinking has had its tokens, nothing but the marker that ends it
// can be drawn, token by token; a marker that has begun by itself is gone on with. A constraint
// that does not allow it goes first.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

#include "worker/sampling/sampler_stage.h"

namespace baton::worker {
namespace {

using Tokens = absl::Span<const TokenId>;

bool EndsWith(Tokens text, Tokens ending) {
  return ending.size() <= text.size() && std::equal(ending.rbegin(), ending.rend(), text.rbegin());
}

bool EndsWithAny(Tokens text, const std::vector<std::vector<TokenId>>& endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](const std::vector<TokenId>& ending) { return EndsWith(text, ending); });
}

// What the thinking can have had at most: most steps need not look for marks.
size_t TokensThoughtMax(const SampleRequest& request) {
  const auto spent = static_cast<size_t>(request.params->thinking->spent_in_prompt.value_or(0));
  return spent + request.history.size() - static_cast<size_t>(request.prompt_count);
}

// How many tokens the thinking that is under way has had; nothing outside of it. The last mark
// decides, and a mark may begin in the prompt.
std::optional<size_t> TokensThought(const SampleRequest& request) {
  const ThinkingBudget& budget = *request.params->thinking;
  const Tokens history = request.history;
  const auto prompt_count = static_cast<size_t>(request.prompt_count);
  for (size_t end = history.size(); end > prompt_count; --end) {
    const Tokens before = history.first(end);
    if (EndsWithAny(before, budget.closers)) return std::nullopt;
    if (EndsWithAny(before, budget.openers)) return history.size() - end;
  }
  if (!budget.spent_in_prompt.has_value()) return std::nullopt;
  return static_cast<size_t>(*budget.spent_in_prompt) + history.size() - prompt_count;
}

// What comes next of the forced end, behind as much of it as is there.
TokenId NextOfEnd(const SampleRequest& request) {
  const Tokens end = request.params->thinking->forced_end;
  size_t begun = end.size() - 1;
  while (begun > 0 && !EndsWith(request.history, end.first(begun))) --begun;
  return end[begun];
}

void Apply(const SampleRequest& request, Candidates& candidates) {
  const auto budget = static_cast<size_t>(request.params->thinking->tokens);
  if (TokensThoughtMax(request) < budget) return;
  const std::optional<size_t> thought = TokensThought(request);
  if (!thought.has_value() || *thought < budget) return;
  const TokenId next = NextOfEnd(request);
  if (!IsAllowed(next, request)) return;
  candidates.KeepOnly(absl::MakeConstSpan(&next, 1));
  float& logit = candidates.MutableLogits()[next];
  if (!std::isfinite(logit)) logit = 0;  // banned by a rule
}

}  // namespace

SamplerStage Stage_thinking_budget() {
  return {
      .role = StageRole::kRule,
      .active = [](const SampleRequest& request) { return request.params->thinking.has_value(); },
      .apply = Apply};
}

}  // namespace baton::worker
