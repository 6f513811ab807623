// The description of the HTTP API as an OpenAPI 3.1 document, put together from a file per endpoint
// (openapi/<endpoint>.json) and from the tables that read request bodies: a field that is not in a
// table is not in the document.
//
// Threading: a pure function.
#pragma once

#include <string>
#include <string_view>

namespace baton::frontend {

std::string OpenApiDocument(std::string_view version);

// The text of openapi/<name>.json, or an empty view.
std::string_view OpenApiFile(std::string_view name);

}  // namespace baton::frontend
