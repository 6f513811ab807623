// The items of a conversation, as the Responses API has them, as chat messages.
//
// Threading: a pure function.
// Errors:    INVALID_ARGUMENT with Field "input" and the path of the item.
#pragma once

#include "absl/status/statusor.h"
#include "common/json/json.h"

namespace baton::frontend {

struct ItemMessages {
  Json* messages;               // an array that is appended to
  bool continues_last = false;  // the last message is an unfinished one of the assistant
};

// Appends the messages that `items` (an array) stand for. Calls and reasoning of one turn join the
// assistant's message.
absl::Status AppendItemMessages(const Json& items, ItemMessages& out);

}  // namespace baton::frontend
