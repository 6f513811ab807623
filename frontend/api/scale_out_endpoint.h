// The token-level routes, by which the steps of an answer run on different servers: a request is
// rendered here, generated there, and its tokens become text on a third. Closed unless the operator
// opens them, since they take what other routes would refuse: any tokens.
//
//   return AddScaleOutEndpoint(context, registry, "generate",
//                              {{"POST", "/inference/v1/generate"}}, handler);
//
// Threading: as HttpHandler. Ownership: the context outlives the registry's handlers.
// Errors:    closed, every route answers 403 (PERMISSION_DENIED) and says how to open it.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "frontend/api/endpoint.h"

namespace baton::frontend {

absl::Status AddScaleOutEndpoint(const ApiContext& context, EndpointRegistry& registry,
                                 std::string_view name,
                                 const std::vector<EndpointRegistry::Route>& routes,
                                 HttpHandler handler);

}  // namespace baton::frontend
