// An answer in the shape of Anthropic's Messages API, and its errors.
//
// Threading, ownership: as AnswerFormat.
#pragma once

#include <memory>

#include "frontend/answer/answer_format.h"
#include "frontend/http/http_types.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {

std::unique_ptr<AnswerFormat> MakeMessagesFormat(const AnswerPlan& plan);

// {"type":"error","error":{"type","message"}}
HttpResponse MessagesErrorResponse(const ApiError& error);

}  // namespace baton::frontend
