// What shape of message content a template expects, and how parts become that shape.
//
// A message's content may be text or a list of typed parts. Templates that loop over the content
// get the list; to all others the text parts are handed as one string, joined by newlines.
//
// Threading: pure functions. Errors: none; parts that are no text are left out of the string.
#pragma once

#include <string>

#include "nlohmann/json_fwd.hpp"

namespace baton::frontend {

namespace internal {
struct TemplateTree;
}

enum class ContentFormat {
  kString,  // one string
  kParts,   // the list of parts, as OpenAI's API has it
};

namespace internal {
// kParts when the template loops over the content of a message, directly, through variables,
// filters and slices, or through the parameter of a macro.
ContentFormat DetectContentFormat(const TemplateTree& tree);
}  // namespace internal

// The text of a content: itself when it is a string, its text parts joined by newlines when it is
// a list (types text, input_text, output_text, refusal, thinking; plain strings; parts without a
// type that have a text), empty for null.
std::string ContentText(const nlohmann::ordered_json& content);

// Brings `message["content"]` into the shape that `format` asks for, in place: for kString as
// ContentText, for kParts a list in which every text is {"type": "text", "text": ...}. The result
// of a tool is a string in both, unless it holds more than text.
void NormalizeContent(nlohmann::ordered_json& message, ContentFormat format);

// Turns the arguments of `message["tool_calls"]` from JSON text into objects, as templates expect
// them; what is no object becomes an empty one. An empty list of calls is removed.
void NormalizeToolCalls(nlohmann::ordered_json& message);

}  // namespace baton::frontend
