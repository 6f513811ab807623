#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "frontend/http/http_types.h"

namespace baton::frontend {

// Which handler serves a method and a path. Parts in braces match one part of the path, and a
// last part with a star matches all that is left:
//
//   RETURN_IF_ERROR(routes.Add("POST", "/v1/chat/completions", start_chat));
//   RETURN_IF_ERROR(routes.Add("GET", "/v1/models/{model*}", describe_model));
//
// A literal path wins over one with parameters; among those, the first added wins. A HEAD request
// finds the GET handler.
//
// Threading: thread-compatible; built first, then only read.
// Errors:    INVALID_ARGUMENT from Add for a pattern that is malformed or there already; the table
//            is unchanged.
class RouteTable {
 public:
  struct Match {
    const HttpHandler* handler;  // lives as long as the table
    std::string_view pattern;    // as added: a bounded label for logs and metrics
    std::vector<std::string> parameters;
  };
  struct NotFound {};
  struct MethodNotAllowed {
    std::string allow;  // "GET, HEAD, OPTIONS"
  };
  using Result = std::variant<Match, NotFound, MethodNotAllowed>;

  absl::Status Add(std::string_view method, std::string_view pattern, HttpHandler handler);

  Result Find(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string pattern;
    std::vector<std::string> parts;  // of a pattern with parameters; empty for a literal one
    std::map<std::string, HttpHandler, std::less<>> handlers;  // by method
  };

  Route* FindPattern(std::string_view pattern);

  std::map<std::string, Route, std::less<>> literal_;
  std::vector<Route> parametric_;
};

}  // namespace baton::frontend
