#include "frontend/http/cors.h"

#include <gtest/gtest.h>

namespace baton::frontend {
namespace {

HttpRequest Preflight(std::string origin, std::string method, std::string headers) {
  HttpRequest request;
  request.method = "OPTIONS";
  request.headers = {{"Origin", std::move(origin)},
                     {"Access-Control-Request-Method", std::move(method)},
                     {"Access-Control-Request-Headers", std::move(headers)}};
  return request;
}

TEST(CorsTest, AllowsEveryoneByDefault) {
  const CorsPolicy policy;
  EXPECT_TRUE(CorsHeaders(policy, {}).empty());
  const HttpHeaders headers = CorsHeaders(policy, {{"origin", "http://a"}});
  EXPECT_EQ(FindHeader(headers, "Access-Control-Allow-Origin"), "*");
  EXPECT_FALSE(FindHeader(headers, "vary").has_value());
  EXPECT_EQ(AnswerPreflight(policy, Preflight("http://a", "POST", "x-a, x-b"))->status, 200);
}

TEST(CorsTest, NamesTheOriginWhenItMatters) {
  CorsPolicy policy;
  policy.allowed_origins = {"http://a", "http://b"};
  EXPECT_EQ(
      FindHeader(CorsHeaders(policy, {{"Origin", "http://b"}}), "access-control-allow-origin"),
      "http://b");
  EXPECT_EQ(FindHeader(CorsHeaders(policy, {{"Origin", "http://b"}}), "vary"), "Origin");
  EXPECT_TRUE(CorsHeaders(policy, {{"Origin", "http://c"}}).empty());
  policy.allowed_origins = {"*"};
  policy.allow_credentials = true;
  const HttpHeaders headers = CorsHeaders(policy, {{"Origin", "http://c"}});
  EXPECT_EQ(FindHeader(headers, "access-control-allow-origin"), "http://c");
  EXPECT_EQ(FindHeader(headers, "access-control-allow-credentials"), "true");
}

TEST(CorsTest, RefusesPreflightsOutsideThePolicy) {
  CorsPolicy policy;
  policy.allowed_origins = {"http://a"};
  policy.allowed_methods = {"GET", "POST"};
  policy.allowed_headers = {"X-A"};
  const auto accepted = AnswerPreflight(policy, Preflight("http://a", "POST", " x-a , "));
  EXPECT_EQ(accepted->status, 200);
  EXPECT_EQ(FindHeader(accepted->headers, "access-control-allow-methods"), "GET, POST");
  EXPECT_EQ(AnswerPreflight(policy, Preflight("http://b", "POST", ""))->body,
            "Disallowed CORS origin");
  EXPECT_EQ(AnswerPreflight(policy, Preflight("http://a", "PUT", ""))->status, 400);
  EXPECT_EQ(AnswerPreflight(policy, Preflight("http://a", "GET", "x-a,x-b"))->status, 400);
}

TEST(CorsTest, IgnoresWhatIsNoPreflight) {
  HttpRequest request = Preflight("http://a", "POST", "");
  request.method = "POST";
  EXPECT_FALSE(AnswerPreflight({}, request).has_value());
  request.method = "OPTIONS";
  request.headers.pop_back();
  request.headers.pop_back();
  EXPECT_FALSE(AnswerPreflight({}, request).has_value());
}

}  // namespace
}  // namespace baton::frontend
