#include "frontend/http/route_table.h"

#include <gtest/gtest.h>

namespace baton::frontend {
namespace {

RouteTable Table() {
  RouteTable routes;
  const HttpHandler nothing = [](HttpRequest, std::shared_ptr<ResponseSink>) {};
  for (const auto& [method, pattern] :
       std::vector<std::pair<const char*, const char*>>{{"GET", "/"},
                                                        {"GET", "/v1/models"},
                                                        {"GET", "/v1/models/{model*}"},
                                                        {"GET", "/v1/models/special"},
                                                        {"POST", "/v1/{kind}/{id}/cancel"},
                                                        {"DELETE", "/v1/{kind}/{id}/cancel"}}) {
    EXPECT_TRUE(routes.Add(method, pattern, nothing).ok()) << pattern;
  }
  return routes;
}

std::string Found(const RouteTable& routes, std::string_view method, std::string_view path) {
  const RouteTable::Result result = routes.Find(method, path);
  if (const auto* refused = std::get_if<RouteTable::MethodNotAllowed>(&result)) {
    return "allow: " + refused->allow;
  }
  const auto* match = std::get_if<RouteTable::Match>(&result);
  if (match == nullptr) return "none";
  std::string text(match->pattern);
  for (const std::string& parameter : match->parameters) text += " [" + parameter + "]";
  return text;
}

TEST(RouteTableTest, FindsLiteralAndParametricPaths) {
  const RouteTable routes = Table();
  EXPECT_EQ(Found(routes, "GET", "/"), "/");
  EXPECT_EQ(Found(routes, "GET", "/v1/models"), "/v1/models");
  EXPECT_EQ(Found(routes, "GET", "/v1/models/special"), "/v1/models/special");
  EXPECT_EQ(Found(routes, "GET", "/v1/models/org/name"), "/v1/models/{model*} [org/name]");
  EXPECT_EQ(Found(routes, "POST", "/v1/a/b/cancel"), "/v1/{kind}/{id}/cancel [a] [b]");
  EXPECT_EQ(Found(routes, "HEAD", "/v1/models"), "/v1/models");
}

TEST(RouteTableTest, TellsUnknownPathsFromWrongMethods) {
  const RouteTable routes = Table();
  for (const char* path : {"", "v1", "//", "/v1", "/v1/models/", "/v1//b/cancel", "/v1/a/b/cancel/",
                           "/v1/a/b", "/v1/a/b/c/cancel"}) {
    EXPECT_EQ(Found(routes, "GET", path), "none") << path;
  }
  EXPECT_EQ(Found(routes, "PUT", "/v1/models"), "allow: GET, HEAD, OPTIONS");
  EXPECT_EQ(Found(routes, "HEAD", "/v1/a/b/cancel"), "allow: DELETE, POST, OPTIONS");
}

TEST(RouteTableTest, RefusesBadPatterns) {
  RouteTable routes = Table();
  for (const char* pattern :
       {"", "v1", "/{", "/{}", "/a{b}", "/{a}b", "/{a*}/b", "/v1/models", "/v1/models/{model*}"}) {
    EXPECT_EQ(routes.Add("GET", pattern, nullptr).code(), absl::StatusCode::kInvalidArgument)
        << pattern;
  }
}

}  // namespace
}  // namespace baton::frontend
