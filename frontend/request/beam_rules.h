// use_beam_search: what it goes together with. Nothing is drawn, so how to draw is ignored; what
// would change which answers there can be is refused by name, as nothing of a search obeys it.
//
// Threading: pure.
// Errors:    INVALID_ARGUMENT and UNIMPLEMENTED, with the field.
#pragma once

#include "absl/status/status.h"
#include "frontend/request/generation_request.h"
#include "frontend/request/request_parser.h"
#include "frontend/request/request_rules.h"
#include "frontend/stream/generation_types.h"

namespace baton::frontend {

// Before the model is known. OK without a beam search.
absl::Status CheckBeams(const GenerationRequest& request, GenerationEndpoint endpoint);

// Tells a generation. The request's constraint is resolved.
absl::Status AddBeams(const GenerationRequest& request, const ModelLimits& limits,
                      GenerationSpec& spec);

}  // namespace baton::frontend
