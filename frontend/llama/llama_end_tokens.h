// The tokens at which llama.cpp ends a text: the model's own end, and whatever in its vocabulary is
// spelled like the end of a text, of a turn or of a file.
//
// Threading: pure.
#pragma once

#include <vector>

#include "common/base/ids.h"
#include "frontend/client/model_context.h"

namespace baton::frontend {

// Distinct, in ascending order.
std::vector<TokenId> LlamaEndTokens(const ModelContext& model);

}  // namespace baton::frontend
