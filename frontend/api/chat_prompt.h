// Renders a chat request's messages with the model's template.
//
// Threading: a pure function, any thread.
// Errors:    INVALID_ARGUMENT with the template's own words, for a model without a template, and
// for
//            a template in the request when those are not trusted.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "frontend/api/generation_request.h"
#include "frontend/client/model_context.h"

namespace baton::frontend {

enum class RequestTemplates { kRefused, kTrusted };

absl::StatusOr<std::string> RenderChatPrompt(const GenerationRequest& request,
                                             const ModelContext& model,
                                             RequestTemplates request_templates, WallTime now);

}  // namespace baton::frontend
