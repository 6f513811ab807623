// An answer in the shape of the Responses API: events that end without [DONE], or one object.
//
// Threading, ownership: as AnswerFormat.
#pragma once

#include <memory>
#include <string>

#include "frontend/answer/answer_format.h"
#include "frontend/responses/response_store.h"

namespace baton::frontend {

struct ResponsesAnswer {
  std::string echo_json;                   // ResponsesRequest::EchoJson
  std::shared_ptr<StoredResponse> stored;  // null: not kept
  Clock& clock;
};

std::unique_ptr<AnswerFormat> MakeResponsesFormat(const AnswerPlan& plan, ResponsesAnswer answer);

}  // namespace baton::frontend
