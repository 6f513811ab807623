#include <simdjson.h>

#include "frontend/api/parameter.h"

namespace baton::frontend {
namespace {

using Field = const JsonField&;
using Request = GenerationRequest&;
using simdjson::dom::element;

// Reads one token id; notes a problem for what is none.
std::optional<TokenId> ReadTokenId(Field field) {
  const std::optional<int64_t> id = field.IntInRange(0, UINT32_MAX);
  return id.has_value() ? std::optional(static_cast<TokenId>(*id)) : std::nullopt;
}

// A list without lists inside: tokens, or text and tokens mixed.
PromptInput ReadPieces(Field field) {
  PromptInput prompt;
  std::vector<TokenId> tokens;
  field.VisitItems([&](Field item) {
    if (!item.value().is_string()) {
      if (const auto id = ReadTokenId(item)) tokens.push_back(*id);
      return;
    }
    if (!tokens.empty()) prompt.emplace_back(std::move(tokens));
    tokens.clear();
    prompt.emplace_back(*item.String());
  });
  if (!tokens.empty() || prompt.empty()) prompt.emplace_back(std::move(tokens));
  return prompt;
}

struct ItemKinds {
  bool text = false;
  bool number = false;
  bool list = false;
  bool other = false;
};

ItemKinds KindsOf(Field field) {
  ItemKinds kinds;
  simdjson::dom::array items;
  if (field.value().get(items) != simdjson::SUCCESS) return kinds;
  for (const element item : items) {
    const bool is_text = item.is_string();
    const bool is_number = item.is_number();
    const bool is_list = item.is_array();
    kinds.text |= is_text;
    kinds.number |= is_number;
    kinds.list |= is_list;
    kinds.other |= !is_text && !is_number && !is_list;
  }
  return kinds;
}

void ReadPromptList(Field field, Request request) {
  const ItemKinds kinds = KindsOf(field);
  if (kinds.other || (kinds.list && kinds.number)) {
    field.Problem("list_type", "Input should be a text, a list of token ids, or a list of those");
    return;
  }
  if (kinds.number) {  // one prompt, of tokens or mixed
    request.completion.prompts.push_back(ReadPieces(field));
    return;
  }
  request.completion.empty_list = !kinds.text && !kinds.list;
  field.VisitItems([&request](Field item) {
    if (item.value().is_string()) {
      request.completion.prompts.push_back({*item.String()});
    } else {
      request.completion.prompts.push_back(ReadPieces(item));
    }
  });
}

void ReadPrompt(Field field, Request request) {
  if (field.value().is_string()) {
    if (!field.IsEmpty()) request.completion.prompts.push_back({*field.String()});
  } else if (field.value().is_array()) {
    ReadPromptList(field, request);
  } else {
    (void)field.StringList();
    (void)field.String();
  }
}

constexpr Parameter kCompletion[] = {
    {"prompt", Support::kSupported, ReadPrompt},
    {"logprobs", Support::kSupported,
     [](Field f, Request r) { r.output.logprobs = ReadLogprobCount(f, r); }},
    {"suffix", Support::kSupported, [](Field f, Request r) { r.completion.suffix = f.String(); }},
    {"max_completion_tokens", Support::kHint},  // of the chat endpoint
    {"top_logprobs", Support::kHint},
    {"tools", Support::kHint},
    {"tool_choice", Support::kHint},
};

}  // namespace

absl::Span<const Parameter> CompletionParameters() { return kCompletion; }

}  // namespace baton::frontend
