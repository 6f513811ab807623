// Reads the JSON body of a request: bytes → document → its members, one after another.
//
//   SchemaProblems problems;
//   ASSIGN_OR_RETURN(const size_t count, VisitBody(request.body, problems,
//       [&](std::string_view name, const JsonField& field) { … }));
//   RETURN_IF_ERROR(problems.ToStatus());
//
// Every name is visited once: of equal ones the last counts. A client that sends its SDK's
// "extra_body" literally means the members in it: they count as members of the body, and win.
//
// Threading: any thread; each thread reuses a parser of its own. A visit must not read another
//            body.
// Errors:    INVALID_ARGUMENT (SchemaError) for what is no JSON object. What single fields break
//            is noted in the problems.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "frontend/http/http_types.h"
#include "frontend/json/json_field.h"

namespace baton::frontend {

// The number of the body's own members. `body` has 64 bytes of room behind its end.
absl::StatusOr<size_t> VisitBody(
    std::string_view body, SchemaProblems& problems,
    absl::FunctionRef<void(std::string_view name, const JsonField& field)> visit);

// Refuses a request whose content-type is not JSON.
absl::Status CheckJsonContentType(const HttpRequest& request);

}  // namespace baton::frontend
