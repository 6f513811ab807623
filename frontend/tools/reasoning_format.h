// The marks that models put around their reasoning: one file and one line of reasoning_parsers.def
// each.
//
// Threading: immutable after start. Ownership: formats live as long as the program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/tools/format_registry.h"

namespace baton::frontend {

struct ReasoningFormat {
  // What --reasoning-parser calls it; the first is the main name.
  std::vector<std::string_view> names;
  std::vector<std::string_view> openers = {};
  std::vector<std::string_view> closers = {};
  // Markup that ends reasoning and belongs to what follows: a tool call's.
  std::vector<std::string_view> implicit_closers = {};
  // A reply begins inside its reasoning unless the prompt says otherwise; a chat template that
  // writes the opener, or a model that forgets it.
  bool begins_inside = false;
  // Reasoning happens only when the request switches it on: chat_template_kwargs.thinking.
  bool on_request = false;
  // White space at the end of reasoning is markup.
  bool trims_end = false;
  // A model whose template has all strings of one of these lists reasons like this; the longest
  // list wins.
  std::vector<std::vector<std::string_view>> template_signs = {};
  // Reasoning is a message of its own (harmony): no splitter for it.
  bool in_channels = false;
};

const ReasoningFormat* FindReasoningFormat(std::string_view name);
std::vector<std::string> ReasoningFormatNames();
const ReasoningFormat* RecogniseReasoningFormat(std::string_view template_source);

using ReasoningFormatRegistry = FormatRegistry<ReasoningFormat>;

}  // namespace baton::frontend
