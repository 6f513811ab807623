// thinking_token_budget: how many tokens of reasoning a model may write before its end is forced.
// Workers know tokens only; the marks of the model's family are turned into tokens here, and what
// the prompt leaves open is measured.
//
// Threading: pure.
// Errors:    INVALID_ARGUMENT for a model whose reasoning has no marks that are known.
#pragma once

#include <span>

#include "absl/status/status.h"
#include "baton/v1/inference.pb.h"
#include "common/base/ids.h"
#include "frontend/answer/reply_plan.h"
#include "frontend/client/model_context.h"
#include "frontend/request/generation_request.h"

namespace baton::frontend {

// Whether a budget can be kept: the marks around the model's reasoning are known.
bool HasThinkingMarks(const ModelContext& model);

// Does nothing for a request without a budget. `reply` says how a chat's replies begin; null for
// completions, whose prompts speak for themselves.
absl::Status AddThinkingBudget(const GenerationRequest& request, const ModelContext& model,
                               const ChatReply* reply, std::span<const TokenId> prompt,
                               v1::SamplingParams& sampling);

}  // namespace baton::frontend
