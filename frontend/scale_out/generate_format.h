// The JSON of answers in tokens: those of /inference/v1/generate, as vLLM has them.
//
//   {"request_id":…,"model":…,"created":…,"usage":{…},…,"choices":[{"index":0,"token_ids":[…],…}]}
//
// Threading: as AnswerFormat.
#pragma once

#include <memory>

#include "frontend/answer/answer_format.h"

namespace baton::frontend {

std::unique_ptr<AnswerFormat> MakeGenerateFormat(const AnswerPlan& plan);

}  // namespace baton::frontend
