// Endpoints whose answer is made at once: a JSON body in, a JSON text or an error out.
//
//   return AddJsonEndpoint("detokenize", {{"POST", "/detokenize"}}, registry,
//                          [&context](const HttpRequest& request) { return Detokenize(…); });
//
// Threading: as HttpHandler; the function runs on a handler's thread and must not block.
// Errors:    a status becomes the API's error answer.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "frontend/api/endpoint.h"

namespace baton::frontend {

using JsonAnswer = std::function<absl::StatusOr<std::string>(const HttpRequest&)>;

// Refuses a POST that is not JSON by its content-type.
HttpHandler MakeJsonHandler(JsonAnswer answer);

absl::Status AddJsonEndpoint(std::string_view name,
                             const std::vector<EndpointRegistry::Route>& routes,
                             EndpointRegistry& registry, JsonAnswer answer);

}  // namespace baton::frontend
