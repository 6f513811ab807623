// An HTTP endpoint: its routes and what it does with a request. One endpoint is one file of this
// folder and one line of endpoints.def; the file defines Register_<name>.
//
//   absl::Status Register_version(ApiContext& context, EndpointRegistry& registry) {
//     return registry.Add("version", {{"GET", "/version"}}, [](HttpRequest, SinkPtr sink) { … });
//   }
//
// Threading: the registry is built at start and then read only; handlers are called on any thread
//            and must not block.
// Ownership: what a handler captures outlives the server.
// Errors:    INVALID_ARGUMENT for a name or a route that is there already.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "common/base/strings.h"
#include "frontend/generation/api_context.h"
#include "frontend/http/http_types.h"
#include "frontend/http/route_table.h"

namespace baton::frontend {

class EndpointRegistry {
 public:
  struct Route {
    std::string_view method;
    std::string_view pattern;
  };

  absl::Status Add(std::string_view name, const std::vector<Route>& routes, HttpHandler handler);

  // Adds every route to the server's table.
  absl::Status AddRoutes(RouteTable& table) const;

  // Method and pattern of every route, in the order of Add.
  std::vector<std::pair<std::string, std::string>> routes() const;

  // The index of the endpoint that a pattern belongs to, in the order of EndpointNames(), or its
  // size.
  size_t IndexOf(std::string_view pattern) const;

 private:
  struct Entry {
    std::string method;
    std::string pattern;
    HttpHandler handler;
  };
  std::vector<std::string> names_;
  std::vector<Entry> entries_;
  absl::flat_hash_map<std::string, size_t, StringHash, StringEqual> index_by_pattern_;
};

// The names in endpoints.def, in its order.
std::vector<std::string> EndpointNames();

// All endpoints of endpoints.def.
absl::Status RegisterBuiltinEndpoints(ApiContext& context, EndpointRegistry& registry);

}  // namespace baton::frontend
