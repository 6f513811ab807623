#include "frontend/generation/thinking_budget.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::frontend {
namespace {

constexpr int64_t kBudgetMax = int64_t{1} << 30;  // what workers take, and more than any output
constexpr EncodeOptions kAsMark = {.add_special_tokens = false};

using Marks = google::protobuf::RepeatedPtrField<v1::TokenIds>;

absl::Status AddMarks(const std::vector<std::string_view>& texts, const Tokenizer& tokenizer,
                      Marks& marks) {
  for (const std::string_view text : texts) {
    ASSIGN_OR_RETURN(const std::vector<TokenId> ids, tokenizer.Encode(text, kAsMark));
    if (!ids.empty()) marks.Add()->mutable_ids()->Add(ids.begin(), ids.end());
  }
  return absl::OkStatus();
}

// Of the marks that families of one name have used, the one that this model has as a token.
std::string_view EndMark(const ReasoningFormat& format, const Tokenizer& tokenizer) {
  for (const std::string_view closer : format.closers) {
    if (tokenizer.FindToken(closer).has_value()) return closer;
  }
  return format.closers.front();
}

bool EndsWithAny(std::span<const TokenId> text, const Marks& marks) {
  return std::any_of(marks.begin(), marks.end(), [text](const v1::TokenIds& mark) {
    return static_cast<size_t>(mark.ids_size()) <= text.size() &&
           std::equal(mark.ids().rbegin(), mark.ids().rend(), text.rbegin());
  });
}

// How many tokens of reasoning stand at the prompt's end; nothing if its last mark closes it.
std::optional<size_t> TokensInside(std::span<const TokenId> prompt,
                                   const v1::ThinkingBudget& budget) {
  for (size_t end = prompt.size(); end > 0; --end) {
    if (EndsWithAny(prompt.first(end), budget.closers())) return std::nullopt;
    if (EndsWithAny(prompt.first(end), budget.openers())) return prompt.size() - end;
  }
  return std::nullopt;
}

// Marks inside of a chat's messages are theirs; only how the reply begins counts, unless it goes on
// with the last of them.
std::optional<size_t> SpentIn(std::span<const TokenId> prompt, const GenerationRequest& request,
                              const ChatReply* reply, const v1::ThinkingBudget& budget) {
  const std::optional<size_t> inside = TokensInside(prompt, budget);
  if (request.token_level.has_value() && request.token_level->reasoning_ended.has_value()) {
    if (*request.token_level->reasoning_ended) return std::nullopt;
    return inside.value_or(0);
  }
  if (reply == nullptr || request.chat.continue_final_message) return inside;
  if (reply->parse.reasoning_start != ReasoningStart::kInside) return std::nullopt;
  return inside.value_or(0);
}

}  // namespace

bool HasThinkingMarks(const ModelContext& model) {
  return model.reasoning_format != nullptr && !model.reasoning_format->in_channels;
}

absl::Status AddThinkingBudget(const GenerationRequest& request, const ModelContext& model,
                               const ChatReply* reply, std::span<const TokenId> prompt,
                               v1::SamplingParams& sampling) {
  if (!request.sampling.thinking_token_budget.has_value()) return absl::OkStatus();
  const ReasoningFormat* format = model.reasoning_format;
  if (!HasThinkingMarks(model)) {
    return InvalidArgument(
        "thinking_token_budget is set but no marks are known between which this model reasons. "
        "Please name them with --reasoning-parser to use thinking_token_budget.");
  }
  v1::ThinkingBudget& budget = *sampling.mutable_thinking_budget();
  budget.set_tokens(
      static_cast<uint32_t>(std::min(*request.sampling.thinking_token_budget, kBudgetMax)));
  const Tokenizer& tokenizer = *model.tokenizer;
  RETURN_IF_ERROR(AddMarks(format->openers, tokenizer, *budget.mutable_openers()));
  RETURN_IF_ERROR(AddMarks(format->closers, tokenizer, *budget.mutable_closers()));
  RETURN_IF_ERROR(AddMarks(format->implicit_closers, tokenizer, *budget.mutable_closers()));
  ASSIGN_OR_RETURN(const std::vector<TokenId> end,
                   tokenizer.Encode(EndMark(*format, tokenizer), kAsMark));
  budget.mutable_forced_end()->mutable_ids()->Add(end.begin(), end.end());
  if (const auto spent = SpentIn(prompt, request, reply, budget)) {
    budget.set_spent_in_prompt(static_cast<uint32_t>(*spent));
  }
  return absl::OkStatus();
}

}  // namespace baton::frontend
