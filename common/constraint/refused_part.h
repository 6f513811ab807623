// Finds the part of a JSON schema that the grammar engine refuses: its messages name no place.
//
//   FindRefusedPart(schema, message, [&](const std::string& part) { return MessageFor(part); })
//       // "#/properties/name/pattern"
//
// Threading: pure; calls `message_for` on the caller's thread, a few hundred times at most.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace baton {

// What the engine says against a schema; empty: nothing.
using EngineMessage = std::function<std::string(const std::string& schema)>;

// The path of the smallest part of `schema`, down to a keyword, against which the engine says
// `message` as it does against the whole. "#" where no smaller one is found.
std::string FindRefusedPart(std::string_view schema, std::string_view message,
                            const EngineMessage& message_for);

}  // namespace baton
