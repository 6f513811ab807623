#include <simdjson.h>

#include "frontend/request/parameter.h"
#include "frontend/request/token_pieces.h"

namespace baton::frontend {
namespace {

using Field = const JsonField&;
using Request = GenerationRequest&;
using simdjson::dom::element;

// A text, or a list without lists inside: tokens, or text and tokens mixed.
void AddPrompt(Field field, Request request) {
  if (auto prompt = ReadMixedPrompt(field)) {
    request.completion.prompts.push_back(*std::move(prompt));
  }
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
  if (kinds.number) return AddPrompt(field, request);  // one prompt, of tokens or mixed
  request.completion.empty_list = !kinds.text && !kinds.list;
  field.VisitItems([&request](Field item) { AddPrompt(item, request); });
}

void ReadPrompt(Field field, Request request) {
  if (field.value().is_string()) {
    if (!field.IsEmpty()) AddPrompt(field, request);
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
