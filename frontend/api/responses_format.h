// An answer in the shape of the Responses API: events that end without [DONE], or one object.
//
// Threading, ownership: as AnswerFormat.
#pragma once

#include <memory>
#include <string>

#include "frontend/answer/answer_format.h"
#include "frontend/http/http_types.h"
#include "frontend/json/openai_error.h"
#include "frontend/responses/response_store.h"

namespace baton::frontend {

struct ResponsesAnswer {
  std::string echo_json;                   // ResponsesRequest::EchoJson
  std::shared_ptr<StoredResponse> stored;  // null: not kept
  Clock& clock;
};

std::unique_ptr<AnswerFormat> MakeResponsesFormat(const AnswerPlan& plan, ResponsesAnswer answer);

// What stays a mistake of OpenAI's own kind, in vLLM too.
inline constexpr const char* kInvalidRequest = "invalid_request_error";

// The error of the chat request that a request for a response was said as, in this API's names.
HttpResponse ResponsesErrorResponse(const ApiError& error);

}  // namespace baton::frontend
