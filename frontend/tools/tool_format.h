// The notations in which models write tool calls: one file and one line of tool_parsers.def each.
//
//   const ToolFormat* format = FindToolFormat("hermes");
//   const ToolFormat* own = RecogniseToolFormat(template_source);
//
// Threading: immutable after start. Ownership: formats live as long as the program.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/tools/call_body.h"
#include "frontend/tools/format_registry.h"

namespace baton::frontend {

// How the model itself would write a call; what a constraint makes it write. Empty: the notation
// cannot be enforced, and calls are enforced as a plain JSON list instead.
struct CallSyntax {
  std::string_view section_begin = {};
  std::string_view call_begin = {};  // "<tool_call>\n{\"name\": \""
  std::string_view after_name = {};  // "\", \"arguments\": "
  std::string_view call_end = {};    // "}\n</tool_call>"
  std::string_view separator = {};
  std::string_view section_end = {};
  bool empty() const { return call_begin.empty() && after_name.empty(); }
};

struct ToolFormat {
  // What --tool-call-parser calls it; the first is the main name.
  std::vector<std::string_view> names;
  // Each begins calls. None is the beginning of another marker.
  std::vector<std::string_view> openers = {};
  // Markup around calls: no text wherever it stands.
  std::vector<std::string_view> sections = {};
  // Markup behind calls: no text once there was a call.
  std::vector<std::string_view> closers = {};
  // Markup inside calls that may be special tokens: "[ARGS]".
  std::vector<std::string_view> inner = {};
  // Bytes that begin calls without a marker, at the beginning of the text; calls of declared tools
  // only.
  std::string_view bare = {};
  bool bare_anywhere = false;
  // What may stand between two such calls: ";".
  std::string_view bare_separators = {};
  // Reads what follows the opener, from its `first` byte on that is no white space. For calls
  // without a marker `opener` is empty.
  std::unique_ptr<CallBody> (*make_body)(const ToolSet& tools, std::string_view opener, char first);
  CallSyntax syntax = {};
  // What models write whose tokenizer has `newer_token`.
  std::string_view newer_token = {};
  CallSyntax newer_syntax = {};
  // A model whose template has all strings of one of these lists writes this notation. Of several
  // formats that fit, the one with the longest list is taken.
  std::vector<std::vector<std::string_view>> template_signs = {};
  // The model's ids are more than names of calls: "functions.get_weather:0" (Kimi), or nine
  // letters and digits (Mistral).
  enum class Ids { kAny, kNumbered, kNineLetters } ids = Ids::kAny;
  // Calls are messages of their own and not part of the text (harmony): no splitter for them.
  bool in_channels = false;
};

const ToolFormat* FindToolFormat(std::string_view name);
std::vector<std::string> ToolFormatNames();
const ToolFormat* RecogniseToolFormat(std::string_view template_source);

// The plain notation of enforced calls: [{"name": …, "parameters": …}].
const ToolFormat& PlainToolFormat();

// No notation at all: a reply is a call only if it is nothing but a call's JSON.
const ToolFormat& UnmarkedToolFormat();

// Calls one file's table; see tool_parsers.def.
using ToolFormatRegistry = FormatRegistry<ToolFormat>;

}  // namespace baton::frontend
