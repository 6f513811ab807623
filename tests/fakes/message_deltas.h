// Pieces of a reply, for tests of what shows them.
//
// Threading: pure functions.
#pragma once

#include <string>

#include "frontend/tools/reply_parser.h"

namespace baton::frontend {

inline MessageDelta Reasoning(std::string text) {
  MessageDelta delta;
  delta.reasoning = std::move(text);
  return delta;
}

inline MessageDelta Content(std::string text) {
  MessageDelta delta;
  delta.content = std::move(text);
  return delta;
}

inline MessageDelta CallBegin(std::string name, std::string id) {
  MessageDelta delta;
  delta.calls.emplace_back();
  delta.calls.back().name = std::move(name);
  delta.calls.back().id = std::move(id);
  return delta;
}

inline MessageDelta Arguments(std::string json) {
  MessageDelta delta;
  delta.calls.emplace_back();
  delta.calls.back().arguments = std::move(json);
  return delta;
}

}  // namespace baton::frontend
