#include "frontend/cli/http_transfers.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/frontend/cli/scripted_server.h"

namespace baton::frontend {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Word\r\ncontent-length: " + std::to_string(body.size()) +
         "\r\nconnection: close\r\n\r\n" + body;
}

TEST(HttpTransfersTest, AllAreToldOnceWhateverTheirStatus) {
  ScriptedServer server({Answer(200, "one"), Answer(404, "two"), Answer(200, "three")});
  const HttpTransfer post{.method = HttpTransfer::Method::kPost,
                          .url = server.url(),
                          .api_key = "secret",
                          .body = "{}"};
  const std::vector<HttpTransfer> requests(3, post);
  std::vector<HttpOutcome> outcomes(3);
  HttpTransfers(1).Run(requests, [&](size_t index, HttpOutcome outcome) {
    EXPECT_EQ(outcomes[index].status, 0);
    outcomes[index] = std::move(outcome);
  });
  EXPECT_EQ(outcomes[0].body, "one");
  EXPECT_EQ(outcomes[1].status, 404);
  EXPECT_EQ(outcomes[2].body, "three");
  EXPECT_THAT(server.requests().front(), HasSubstr("Authorization: Bearer secret"));
}

TEST(HttpTransfersTest, APutSendsItsBody) {
  ScriptedServer server({Answer(201, "")});
  EXPECT_EQ(RunTransfer({.method = HttpTransfer::Method::kPut, .url = server.url(), .body = "abc"})
                .status,
            201);
  EXPECT_THAT(server.requests().front(), HasSubstr("PUT /v1 HTTP/1.1"));
}

TEST(HttpTransfersTest, WithoutAnAnswerThereIsAReason) {
  std::string url;
  {
    const auto socket = ListenSocket::Open({.host = "127.0.0.1", .port = 0});
    url = "http://127.0.0.1:" + std::to_string(socket->port());
  }
  const HttpOutcome outcome = RunTransfer({.url = url});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.body, Not(IsEmpty()));
}

}  // namespace
}  // namespace baton::frontend
