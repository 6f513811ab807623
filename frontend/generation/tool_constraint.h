// What a reply must match so that it is the calls that were asked for: in the model's own notation,
// after its reasoning, with arguments under the tools' schemas.
//
// Threading: pure.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "common/constraint/constraint_spec.h"
#include "frontend/answer/reply_plan.h"
#include "frontend/client/model_context.h"
#include "frontend/request/generation_request.h"

namespace baton::frontend {

// Nothing if the reply is free: no tools, or tool_choice auto without a strict tool.
std::optional<ConstraintSpec> ToolConstraint(const ToolInput& input, const ChatReply& reply,
                                             const ModelContext& model);

// Whether the schemas that ToolConstraint enforces can be: INVALID_ARGUMENT on `tools` that names
// the tool and the keyword.
absl::Status CheckToolSchemas(const ToolInput& input, const ChatReply& reply);

// Where the reply begins inside reasoning, what it must match begins behind that.
void StartBehindReasoning(const ReplyPlan& parse, const ModelContext& model, ConstraintSpec& spec);

}  // namespace baton::frontend
