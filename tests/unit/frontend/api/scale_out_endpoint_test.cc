#include "frontend/api/scale_out_endpoint.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <variant>

#include "frontend/api/json_endpoint.h"
#include "tests/fakes/api_fixture.h"
#include "tests/fakes/recording_sink.h"

namespace baton::frontend {
namespace {

class ScaleOutTest : public ApiFixture {
 protected:
  std::shared_ptr<RecordingSink> Post(const std::string& body) {
    EndpointRegistry endpoints;
    const JsonAnswer answer = [](const HttpRequest& request) { return request.body; };
    EXPECT_TRUE(AddScaleOutEndpoint(context_, endpoints, "echo", {{"POST", "/echo"}},
                                    MakeJsonHandler(answer))
                    .ok());
    RouteTable table;
    EXPECT_TRUE(endpoints.AddRoutes(table).ok());
    auto sink = std::make_shared<RecordingSink>();
    HttpRequest request;
    request.method = "POST";
    request.headers = {{"content-type", "application/json"}};
    request.body = body;
    const auto match = std::get<RouteTable::Match>(table.Find("POST", "/echo"));
    (*match.handler)(std::move(request), sink);
    return sink;
  }
};

TEST_F(ScaleOutTest, RoutesAreClosedUntilTheyAreOpened) {
  EXPECT_EQ(Post("{}")->response.status, 403);
  EXPECT_EQ(Post("no JSON")->response.body,
            R"({"error":{"message":"Scale-out endpoints are disabled. Restart baton serve with )"
            R"(--enable-scale-out to enable them.","type":"PermissionDeniedError","param":null,)"
            R"("code":403}})");
  options_.scale_out = true;
  EXPECT_EQ(Post("{}")->response.status, 200);
}

}  // namespace
}  // namespace baton::frontend
