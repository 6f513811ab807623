#include "frontend/http/cors.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_join.h"

namespace baton::frontend {
namespace {

bool AllowsAll(const std::vector<std::string>& list) {
  return std::find(list.begin(), list.end(), "*") != list.end();
}

bool Allows(const std::vector<std::string>& list, std::string_view value) {
  return AllowsAll(list) || std::any_of(list.begin(), list.end(), [&](const std::string& entry) {
           return EqualsIgnoringCase(entry, value);
         });
}

// Origins compare byte by byte: their scheme and host are lower-case already.
bool AllowsOrigin(const CorsPolicy& policy, std::string_view origin) {
  return AllowsAll(policy.allowed_origins) ||
         std::find(policy.allowed_origins.begin(), policy.allowed_origins.end(), origin) !=
             policy.allowed_origins.end();
}

void AddOrigin(const CorsPolicy& policy, std::string_view origin, HttpHeaders* headers) {
  // A wildcard and credentials exclude each other, so the origin is then named.
  if (AllowsAll(policy.allowed_origins) && !policy.allow_credentials) {
    headers->emplace_back("access-control-allow-origin", "*");
  } else {
    headers->emplace_back("access-control-allow-origin", origin);
    headers->emplace_back("vary", "Origin");
  }
  if (policy.allow_credentials) {
    headers->emplace_back("access-control-allow-credentials", "true");
  }
}

bool AllowsHeaders(const CorsPolicy& policy, std::string_view asked) {
  while (!asked.empty()) {
    const size_t comma = std::min(asked.find(','), asked.size());
    std::string_view name = asked.substr(0, comma);
    name.remove_prefix(std::min(name.find_first_not_of(" \t"), name.size()));
    name = name.substr(0, name.find_last_not_of(" \t") + 1);
    if (!name.empty() && !Allows(policy.allowed_headers, name)) return false;
    asked.remove_prefix(std::min(comma + 1, asked.size()));
  }
  return true;
}

}  // namespace

HttpHeaders CorsHeaders(const CorsPolicy& policy, const HttpHeaders& request_headers) {
  HttpHeaders headers;
  const std::optional<std::string_view> origin = FindHeader(request_headers, "origin");
  if (origin.has_value() && AllowsOrigin(policy, *origin)) AddOrigin(policy, *origin, &headers);
  return headers;
}

std::optional<HttpResponse> AnswerPreflight(const CorsPolicy& policy, const HttpRequest& request) {
  if (request.method != "OPTIONS") return std::nullopt;
  const auto origin = FindHeader(request.headers, "origin");
  const auto method = FindHeader(request.headers, "access-control-request-method");
  if (!origin.has_value() || !method.has_value()) return std::nullopt;
  const std::string_view asked =
      FindHeader(request.headers, "access-control-request-headers").value_or("");

  HttpResponse response;
  response.headers.emplace_back("content-type", "text/plain; charset=utf-8");
  std::string_view refused;
  if (!AllowsOrigin(policy, *origin)) refused = "origin";
  if (!Allows(policy.allowed_methods, *method)) refused = "method";
  if (!AllowsHeaders(policy, asked)) refused = "headers";
  if (!refused.empty()) {
    response.status = 400;
    response.body = "Disallowed CORS ";
    response.body += refused;
    return response;
  }
  response.body = "OK";
  response.headers.emplace_back("access-control-allow-methods",
                                AllowsAll(policy.allowed_methods)
                                    ? "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
                                    : absl::StrJoin(policy.allowed_methods, ", "));
  response.headers.emplace_back("access-control-max-age", "600");
  if (!asked.empty()) response.headers.emplace_back("access-control-allow-headers", asked);
  return response;  // the origin itself is added as to every answer
}

}  // namespace baton::frontend
