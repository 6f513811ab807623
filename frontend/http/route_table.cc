#include "frontend/http/route_table.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> parts;
  path.remove_prefix(1);
  while (true) {
    const size_t slash = path.find('/');
    parts.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

bool IsParameter(std::string_view part) { return part.size() > 2 && part.front() == '{'; }
bool IsRest(std::string_view part) { return IsParameter(part) && part[part.size() - 2] == '*'; }

// What the parameters of `parts` match in `path`, or nullopt.
std::optional<std::vector<std::string>> MatchParts(const std::vector<std::string>& parts,
                                                   std::string_view path) {
  std::vector<std::string> matched;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (path.empty()) return std::nullopt;
    path.remove_prefix(1);  // the slash before this part
    const size_t end = IsRest(parts[i]) ? path.size() : std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (IsParameter(parts[i])) {
      if (part.empty()) return std::nullopt;
      matched.emplace_back(part);
    } else if (part != parts[i]) {
      return std::nullopt;
    }
    path.remove_prefix(end);
  }
  return path.empty() ? std::optional(std::move(matched)) : std::nullopt;
}

absl::Status CheckPattern(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/') {
    return InvalidArgument(
        absl::StrCat("add route: pattern=", ToAbsl(pattern), " lacks the slash"));
  }
  const std::vector<std::string> parts = SplitPath(pattern);
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool braced = parts[i].find_first_of("{}") != std::string::npos;
    const bool well_formed = IsParameter(parts[i]) && parts[i].find('}') == parts[i].size() - 1 &&
                             (!IsRest(parts[i]) || i + 1 == parts.size());
    if (braced && !well_formed) {
      return InvalidArgument(
          absl::StrCat("add route: pattern=", ToAbsl(pattern), " has a malformed parameter"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

RouteTable::Route* RouteTable::FindPattern(std::string_view pattern) {
  if (const auto it = literal_.find(pattern); it != literal_.end()) return &it->second;
  for (Route& route : parametric_) {
    if (route.pattern == pattern) return &route;
  }
  return nullptr;
}

absl::Status RouteTable::Add(std::string_view method, std::string_view pattern,
                             HttpHandler handler) {
  if (absl::Status status = CheckPattern(pattern); !status.ok()) return status;
  Route* route = FindPattern(pattern);
  if (route == nullptr) {
    Route added{std::string(pattern), {}, {}};
    if (pattern.find('{') == std::string_view::npos) {
      route = &literal_.emplace(std::string(pattern), std::move(added)).first->second;
    } else {
      added.parts = SplitPath(pattern);
      route = &parametric_.emplace_back(std::move(added));
    }
  }
  if (!route->handlers.emplace(std::string(method), std::move(handler)).second) {
    return InvalidArgument(
        absl::StrCat("add route: ", ToAbsl(method), " ", ToAbsl(pattern), " is there already"));
  }
  return absl::OkStatus();
}

RouteTable::Result RouteTable::Find(std::string_view method, std::string_view path) const {
  const Route* route = nullptr;
  std::vector<std::string> parameters;
  if (const auto it = literal_.find(path); it != literal_.end()) {
    route = &it->second;
  } else {
    for (const Route& candidate : parametric_) {
      if (auto matched = MatchParts(candidate.parts, path); matched.has_value()) {
        route = &candidate;
        parameters = *std::move(matched);
        break;
      }
    }
  }
  if (route == nullptr) return NotFound{};
  auto handler = route->handlers.find(method);
  if (handler == route->handlers.end() && method == "HEAD") handler = route->handlers.find("GET");
  if (handler != route->handlers.end()) {
    return Match{&handler->second, route->pattern, std::move(parameters)};
  }
  MethodNotAllowed refused;
  for (const auto& [allowed, unused] : route->handlers) {
    absl::StrAppend(&refused.allow, allowed, ", ", allowed == "GET" ? "HEAD, " : "");
  }
  refused.allow += "OPTIONS";
  return refused;
}

}  // namespace baton::frontend
