#include "frontend/api/endpoint.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::frontend {

#define BATON_ENDPOINT(name) absl::Status Register_##name(ApiContext&, EndpointRegistry&);
#include "frontend/api/endpoints.def"
#undef BATON_ENDPOINT

std::vector<std::string> EndpointNames() {
  return {
#define BATON_ENDPOINT(name) #name,
#include "frontend/api/endpoints.def"
#undef BATON_ENDPOINT
  };
}

absl::Status RegisterBuiltinEndpoints(ApiContext& context, EndpointRegistry& registry) {
#define BATON_ENDPOINT(name) RETURN_IF_ERROR(Register_##name(context, registry));
#include "frontend/api/endpoints.def"
#undef BATON_ENDPOINT
  return absl::OkStatus();
}

absl::Status EndpointRegistry::Add(std::string_view name, const std::vector<Route>& routes,
                                   HttpHandler handler) {
  if (std::ranges::find(names_, name) != names_.end()) {
    return InvalidArgument(absl::StrCat("register endpoint: name=", ToAbsl(name), " twice"));
  }
  const size_t index = names_.size();
  names_.emplace_back(name);
  for (const Route& route : routes) {
    index_by_pattern_.emplace(std::string(route.pattern), index);
    entries_.push_back({.method = std::string(route.method),
                        .pattern = std::string(route.pattern),
                        .handler = handler});
  }
  return absl::OkStatus();
}

absl::Status EndpointRegistry::AddRoutes(RouteTable& table) const {
  for (const Entry& entry : entries_) {
    RETURN_IF_ERROR(table.Add(entry.method, entry.pattern, entry.handler));
  }
  return absl::OkStatus();
}

std::vector<std::pair<std::string, std::string>> EndpointRegistry::routes() const {
  std::vector<std::pair<std::string, std::string>> routes;
  for (const Entry& entry : entries_) routes.emplace_back(entry.method, entry.pattern);
  return routes;
}

size_t EndpointRegistry::IndexOf(std::string_view pattern) const {
  const auto it = index_by_pattern_.find(pattern);
  return it == index_by_pattern_.end() ? names_.size() : it->second;
}

}  // namespace baton::frontend
