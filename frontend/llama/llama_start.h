// From a native completion request of llama.cpp's API to generations under way.
//
// Threading: any thread; returns at once.
// Errors:    become the client's answer.
#pragma once

#include <memory>
#include <vector>

#include "frontend/generation/api_context.h"
#include "frontend/llama/llama_request.h"

namespace baton::frontend {

// A request that has been read, on its way to an answer.
struct LlamaStart {
  LlamaRequest request;
  std::shared_ptr<const ModelContext> model;
  std::vector<std::vector<TokenId>> prompts;  // tokens of each, none empty
  std::vector<TokenId> quiet_stop_ids;        // end the text besides the model's own
};

absl::Status StartLlamaAnswer(ApiContext& context, const HttpRequest& http, LlamaStart start,
                              MonotonicTime arrival, const std::shared_ptr<ResponseSink>& sink);

}  // namespace baton::frontend
