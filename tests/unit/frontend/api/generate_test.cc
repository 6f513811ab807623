// Tokens in, tokens out: the answers, whole and streamed, and how they are ended by others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/fakes/api_fixture.h"
#include "tests/fakes/api_routes.h"

namespace baton::frontend {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr const char* kGenerate = "/inference/v1/generate";

class GenerateTest : public ApiFixture {
 protected:
  GenerateTest() { options_.scale_out = true; }

  std::shared_ptr<RecordingSink> Generate(const std::string& sampling,
                                          const std::string& fields = "") {
    return ApiRoutes(context_).Post(kGenerate, R"({"token_ids":[65,66],"sampling_params":{)" +
                                                   sampling + "}" +
                                                   (fields.empty() ? "" : "," + fields) + "}");
  }

  void Play(const std::string& first, const std::string& rest) {
    fleet_.Place(fleet_.routes.size() - 1, "w");
    const size_t call = fleet_.calls.size() - 1;
    fleet_.Tokens(call, 0, BytesOf(first));
    fleet_.Tokens(call, 0, BytesOf(rest), ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH));
  }

  std::string Refusal(const std::string& body) {
    const auto sink = ApiRoutes(context_).Post(kGenerate, body);
    EXPECT_EQ(sink->response.status, 400) << body;
    return sink->response.body;
  }
};

TEST_F(GenerateTest, AnswersWithTokens) {
  const auto sink = Generate(R"("max_tokens":3)", R"("return_token_ids":true)");
  Play("xy", "z");
  EXPECT_EQ(sink->response.body,
            R"({"request_id":"generate-tokens-rid","model":"byte-model","created":1700003600,)"
            R"("usage":{"prompt_tokens":2,"total_tokens":5,"completion_tokens":3},)"
            R"("prompt_logprobs":null,"prompt_token_id_logprobs":null,"prompt_token_ids":[65,66],)"
            R"("mm_placeholders":null,"metrics":null,"kv_transfer_params":null,)"
            R"("ec_transfer_params":null,"output_mode":"tokens","choices":[{"index":0,)"
            R"("finish_reason":"length","stop_reason":null,"token_ids":[120,121,122],)"
            R"("routed_experts":null,"sampling_mask":null,)"
            R"("weight_versions":[{"version":"default","start":0,"end":3}],"logprobs":null}]})");
}

TEST_F(GenerateTest, StreamsTokens) {
  const auto sink = Generate(R"("max_tokens":3)",
                             R"("stream":true,"stream_options":{"include_usage":true},
                                "return_token_ids":true)");
  Play("xy", "z");
  const std::string head = R"(data: {"request_id":"generate-tokens-rid","usage":)";
  EXPECT_EQ(
      sink->response.body,
      head + R"(null,"prompt_token_ids":[65,66],"output_mode":"tokens","choices":[{"index":0,)" +
          R"("finish_reason":null,"stop_reason":null,"token_ids":[120,121],)" +
          R"("routed_experts":null,"sampling_mask":null,"weight_versions":null,)" +
          "\"logprobs\":null}]}\n\n" + head +
          R"(null,"output_mode":"tokens","choices":[{"index":0,"finish_reason":"length",)" +
          R"("stop_reason":null,"token_ids":[122],"routed_experts":null,)" +
          R"("sampling_mask":null,"weight_versions":[{"version":"default","start":0,"end":3}],)" +
          "\"logprobs\":null}]}\n\n" + head +
          R"({"prompt_tokens":2,"total_tokens":5,"completion_tokens":3},)" +
          "\"output_mode\":\"tokens\",\"choices\":[]}\n\ndata: [DONE]\n\n");
}

TEST_F(GenerateTest, ShowsTextWhenAsked) {
  const auto sink = Generate(R"("max_tokens":9,"stop":["yz"])", R"("output_mode":"text")");
  Play("xy", "zw");
  const Json choice = Json::parse(sink->response.body)["choices"][0];
  EXPECT_EQ(choice["text"], "x");
  EXPECT_EQ(choice["token_ids"], Json::array({'x', 'y', 'z'}));
  EXPECT_EQ(choice["stop_reason"], "yz");
}

TEST_F(GenerateTest, AlternativesBeginWithTheDrawnToken) {
  const auto play = [this](uint32_t drawn_rank) {
    fleet_.Place(fleet_.routes.size() - 1, "w");
    v1::Tokens tokens;
    tokens.add_ids('d');
    v1::TokenLogprobs& logprobs = *tokens.mutable_logprobs();
    logprobs.add_sampled(-2);
    logprobs.add_rank(drawn_rank);
    logprobs.set_top_count(2);
    for (const uint32_t id : {'a', 'b'}) logprobs.add_top_ids(id);
    for (const float value : {-0.5f, -1.0f}) logprobs.add_top(value);
    fleet_.calls.back().listener->OnTokens(std::move(tokens),
                                           ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH));
  };
  auto sink = Generate(R"("max_tokens":1,"logprobs":2)");
  play(9);
  EXPECT_EQ(Json::parse(sink->response.body)["choices"][0]["logprobs"],
            Json::parse(R"({"content":[{"token_id":100,"logprob":-2.0,"rank":9,"top_logprobs":[
                {"token_id":100,"logprob":-2.0,"rank":9},
                {"token_id":97,"logprob":-0.5,"rank":1}]}]})"));
  sink = Generate(R"("max_tokens":1,"logprobs":2)", R"("output_mode":"text")");
  play(9);
  EXPECT_EQ(Json::parse(sink->response.body)["choices"][0]["logprobs"],
            Json::parse(R"({"content":[{"token":"d","logprob":-2.0,"bytes":[100],"top_logprobs":[
                {"token":"d","logprob":-2.0,"bytes":[100]},
                {"token":"a","logprob":-0.5,"bytes":[97]}]}]})"));
}

TEST_F(GenerateTest, RefusesInTheReferencesWords) {
  EXPECT_THAT(Refusal(R"({"token_ids":[1]})"), HasSubstr("\"body.sampling_params\""));
  EXPECT_THAT(Refusal(R"({"sampling_params":{}})"), HasSubstr("\"body.token_ids\""));
  EXPECT_THAT(Refusal(R"({"token_ids":[],"sampling_params":{}})"), HasSubstr("too_short"));
  EXPECT_THAT(Refusal(R"({"token_ids":null,"sampling_params":{}})"), HasSubstr("list_type"));
  EXPECT_THAT(Refusal(R"({"extra_body":{"token_ids":null},"sampling_params":{}})"),
              HasSubstr("\"error\""));
  EXPECT_THAT(Refusal(R"({"token_ids":[1],"sampling_params":{"structured_outputs":)"
                      R"({"regex":"a","start_after_token_ids":[[]]}}})"),
              HasSubstr("a marker that is empty"));
  EXPECT_THAT(Refusal(R"({"token_ids":[1],"sampling_params":{"structured_outputs":)"
                      R"({"regex":"a","start_after_text":")" +
                      std::string(257, 'x') + "\"}}}"),
              HasSubstr("is too long"));
  EXPECT_THAT(Refusal(R"({"token_ids":[1],"sampling_params":{"logit_bias":[[5,1e39]]}})"),
              HasSubstr("must be finite"));
  EXPECT_THAT(Refusal(R"({"token_ids":[-1],"sampling_params":{}})"), HasSubstr("value_error"));
  EXPECT_THAT(Refusal(R"({"token_ids":[99999],"sampling_params":{}})"),
              HasSubstr("Token id 99999 is out of vocabulary"));
  const std::string bad = Refusal(R"({"token_ids":[1],"sampling_params":{"temperature":"x"}})");
  EXPECT_THAT(bad, HasSubstr("2 validation errors"));
  EXPECT_THAT(bad, HasSubstr("Input should be an instance of SamplingParams"));
  EXPECT_THAT(Refusal(R"({"token_ids":[1],"sampling_params":{"logprobs":1,)"
                      R"("logprob_token_ids":[1,2]}})"),
              HasSubstr("must equal len(logprob_token_ids)"));
  EXPECT_THAT(Refusal(R"({"token_ids":[1],"sampling_params":{"detokenize":false,"stop":"a"}})"),
              HasSubstr("stop strings are only supported"));
  EXPECT_THAT(Refusal(R"({"token_ids":[1],"sampling_params":{},"output_mode":"x"})"),
              HasSubstr("'tokens' or 'text'"));
  EXPECT_THAT(Refusal(R"({"token_ids":[1],"sampling_params":{},"features":{}})"),
              HasSubstr("unsupported"));
}

TEST_F(GenerateTest, TakesMoreThanThereIsRoomFor) {
  Generate(R"("max_tokens":100000,"stop":["a","b","c","d","e"])");
  fleet_.Place(0, "w");
  EXPECT_EQ(fleet_.calls[0].request.sampling().max_tokens(), 1022u);
}

TEST_F(GenerateTest, IsEndedByItsId) {
  const auto sink = Generate(R"("max_tokens":9)");
  fleet_.Place(0, "w");
  fleet_.Tokens(0, 0, BytesOf("ab"));
  ApiRoutes routes(context_);
  const std::string path = "/inference/v1/abort_requests";
  EXPECT_EQ(routes.Post(path, R"({"request_ids":["rid"]})")->response.status, 200);
  EXPECT_EQ(sink->ends, 0);
  EXPECT_EQ(routes.Post(path, R"({"request_ids":["generate-tokens-rid"]})")->response.body, "");
  EXPECT_EQ(sink->ends, 1);
  const Json choice = Json::parse(sink->response.body)["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "abort");
  EXPECT_EQ(choice["token_ids"], Json::array({'a', 'b'}));
  EXPECT_TRUE(*fleet_.calls[0].cancelled || !fleet_.calls[0].cancelled_choices->empty());
  EXPECT_EQ(routes.Post(path, "{}")->response.status, 400);
  EXPECT_EQ(routes.Post(path, "x")->response.status, 400);
}

TEST_F(GenerateTest, IsEndedBeforeItsFirstToken) {
  const auto sink = Generate(R"("max_tokens":9,"n":2,"seed":1)", R"("stream":true)");
  ApiRoutes(context_).Post("/inference/v1/abort_requests",
                           R"({"request_ids":["generate-tokens-rid"]})");
  EXPECT_EQ(sink->ends, 1);
  EXPECT_THAT(sink->response.body, HasSubstr("\"finish_reason\":\"abort\""));
  EXPECT_THAT(sink->response.body, HasSubstr("data: [DONE]"));
}

}  // namespace
}  // namespace baton::frontend
