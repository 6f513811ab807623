// From an HTTP request to generations under way: what chat and completions have in common.
//
// Threading: on a handler's thread; returns as soon as the request is on its way.
// Errors:    answered on the sink, in the API's shape.
#pragma once

#include <memory>

#include "frontend/api/endpoint.h"
#include "frontend/api/request_parser.h"
#include "frontend/http/http_types.h"

namespace baton::frontend {

void StartGeneration(ApiContext& context, GenerationEndpoint endpoint, HttpRequest request,
                     std::shared_ptr<ResponseSink> sink);

}  // namespace baton::frontend
