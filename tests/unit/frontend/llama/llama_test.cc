// llama.cpp's native route, from body to answer, with workers that the test plays. The expected
// words and shapes were asked of llama-server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "frontend/llama/llama_error.h"
#include "frontend/llama/llama_line_end.h"
#include "frontend/llama/llama_request.h"
#include "frontend/llama/llama_start.h"
#include "tests/fakes/api_fixture.h"
#include "tests/fakes/byte_model.h"
#include "tests/fakes/recording_sink.h"

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;
using Tokens = std::vector<TokenId>;

std::string Refusal(const std::string& body) {
  const auto request = ParseLlamaRequest(body);
  return request.ok() ? "" : std::string(request.status().message());
}

TEST(LlamaRequest, DefaultsAreLlamaCpps) {
  const auto request = ParseLlamaRequest(R"({"prompt":"a","temperature":null})");
  ASSERT_TRUE(request.ok()) << request.status();
  const auto shown = ShowLlamaSettings(request->settings);
  EXPECT_EQ(shown["temperature"].get<float>(), 0.8f);
  EXPECT_EQ(shown["top_k"], 40);
  EXPECT_EQ(shown["n_predict"], -1);
  EXPECT_EQ(shown["seed"], 4294967295);
  EXPECT_EQ(shown["repeat_last_n"], 64);
  EXPECT_EQ(shown["samplers"].size(), 9u);
}

TEST(LlamaRequest, PromptsOfEveryShape) {
  const auto prompts = [](const std::string& json) {
    const auto request = ParseLlamaRequest("{\"prompt\":" + json + "}");
    EXPECT_TRUE(request.ok()) << json << request.status();
    return request.ok() ? request->prompts : std::vector<PromptInput>();
  };
  EXPECT_THAT(prompts(R"("hi")"), ElementsAre(PromptInput{std::string("hi")}));
  EXPECT_THAT(prompts("[1,2]"), ElementsAre(PromptInput{Tokens{1, 2}}));
  EXPECT_THAT(prompts(R"([1,2,"abc"])"),
              ElementsAre(PromptInput{Tokens{1, 2}, std::string("abc")}));
  EXPECT_THAT(prompts(R"(["a",[3]])"),
              ElementsAre(PromptInput{std::string("a")}, PromptInput{Tokens{3}}));
  EXPECT_THAT(prompts(R"({"prompt_string":"x"})"), ElementsAre(PromptInput{std::string("x")}));
}

TEST(LlamaRequest, RefusalsAreInLlamaCppsWords) {
  EXPECT_EQ(Refusal(R"({"n_predict":1})"),
            "[json.exception.out_of_range.403] key 'prompt' not found");
  EXPECT_EQ(Refusal(R"({"prompt":[]})"), "\"prompt\" must not be empty");
  EXPECT_THAT(Refusal(R"({"prompt":5})"), HasSubstr("\"prompt\" elements must be a string"));
  EXPECT_EQ(Refusal(R"({"prompt":"a","n_predict":-2})"),
            "Field 'n_predict': Value must be between -1 <= value <= 2147483647, but got -2");
  EXPECT_EQ(Refusal(R"({"prompt":"a","repeat_last_n":-1})"),
            "Field 'repeat_last_n': Value must be between 0 <= value <= 2147483647, but got -1");
  EXPECT_EQ(Refusal(R"({"prompt":"a","temperature":"hot"})"),
            "Field 'temperature': [json.exception.type_error.302] type must be number, but is "
            "string");
  EXPECT_EQ(Refusal(R"({"prompt":"a","dry_sequence_breakers":[]})"),
            "Field 'dry_sequence_breakers': Error: dry_sequence_breakers must be a non-empty array "
            "of strings");
  EXPECT_THAT(Refusal(R"({"prompt":"a","lora":[{"id":0}]})"), HasSubstr("not supported"));
  EXPECT_THAT(Refusal(R"({"prompt":"a","lora":5})"), HasSubstr("must be an array"));
  EXPECT_EQ(Refusal(R"({"prompt":"a","stop":[5]})"),
            "Field 'stop': [json.exception.type_error.302] type must be string, but is number");
  EXPECT_THAT(Refusal(R"({"prompt":"a","samplers":["top_k",5]})"), HasSubstr("'samplers'"));
  EXPECT_THAT(Refusal(R"({"prompt":"a","cache_prompt":"x"})"), HasSubstr("must be boolean"));
  EXPECT_THAT(Refusal(R"({"prompt":"a","n_keep":-2})"), HasSubstr("between -1 <= value"));
  EXPECT_THAT(Refusal(R"({"prompt":"a","min_keep":-1})"), HasSubstr("between 0 <= value"));
  EXPECT_THAT(Refusal(R"({"prompt":"a","n_probs":129})"), HasSubstr("-1 <= value <= 128"));
  EXPECT_THAT(Refusal(R"({"prompt":{"prompt_string":"a","multimodal_data":[]}})"),
              HasSubstr("does not support multimodal"));
  EXPECT_NE(Refusal("{bad"), "");
  EXPECT_NE(Refusal("[1]"), "");
}

TEST(LlamaRequest, OfGrammarAndSchemaTheGrammarCounts) {
  const auto request =
      ParseLlamaRequest(R"({"prompt":"a","grammar":"root ::= \"a\"","json_schema":{}})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->constraint->kind, ConstraintSpec::Kind::kGrammar);
  EXPECT_EQ(ShowLlamaSettings(request->settings)["grammar"], "root ::= \"a\"");
}

TEST(LlamaRequest, SeedsWrapAround) {
  const auto seed_of = [](const std::string& seed) {
    const auto request = ParseLlamaRequest(R"({"prompt":"a","seed":)" + seed + "}");
    EXPECT_TRUE(request.ok()) << seed << request.status();
    return request.ok() ? request->settings.seed : -1;
  };
  EXPECT_EQ(seed_of("7"), 7);
  EXPECT_EQ(seed_of("-1"), LlamaSettings::kRandomSeed);
  EXPECT_EQ(seed_of("-2"), 4294967294);
  EXPECT_EQ(seed_of("4294967301"), 5);
  EXPECT_EQ(seed_of("18446744073709551615"), LlamaSettings::kRandomSeed);
}

TEST(LlamaRequest, WhatIsOutOfSoftLimitsIsClamped) {
  const auto request =
      ParseLlamaRequest(R"({"prompt":"a","temperature":-1,"top_k":-3,"mirostat":5,"top_p":7})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->settings.temperature, 0);
  EXPECT_EQ(request->settings.top_k, 0);
  EXPECT_EQ(request->settings.mirostat, 2);
  EXPECT_EQ(request->settings.top_p, 1);
}

TEST(LlamaRequest, SettingsBecomeSampling) {
  const auto tokenizer = *Tokenizer::FromJson(ByteTokenizerJson(), TokenizerConfig());
  const auto request = ParseLlamaRequest(
      R"({"prompt":"a","samplers":"kt","n_probs":3,"post_sampling_probs":true,"seed":5,
          "logit_bias":{"65":false,"B":2},"dry_multiplier":1,"max_tokens":9})");
  ASSERT_TRUE(request.ok()) << request.status();
  const auto sampling = SamplingOf(request->settings, *tokenizer, 9);
  ASSERT_TRUE(sampling.ok()) << sampling.status();
  EXPECT_THAT(sampling->samplers(), ElementsAre("top_k", "temperature"));
  EXPECT_EQ(sampling->logprobs(), 3u);
  EXPECT_TRUE(sampling->post_sampling_probs());
  EXPECT_EQ(sampling->seed(), 5u);
  EXPECT_EQ(sampling->logit_bias().at('B'), 2.0f);
  EXPECT_EQ(sampling->dry().sequence_breakers_size(), 4);
  EXPECT_EQ(ShowLlamaSettings(request->settings, tokenizer.get())["logit_bias"].dump(),
            R"([{"bias":null,"token":65},{"bias":2.0,"token":66}])");
}

TEST(LlamaLineEnd, ALineIsIndentedOrTheTextIsOver) {
  LlamaLineEnd free({});
  EXPECT_FALSE(free.Push("a\nb\n\nc", 1e9).over);

  LlamaLineEnd indented({.n_indent = 4});
  EXPECT_FALSE(indented.Push("a = 1\n", 0).over);
  EXPECT_FALSE(indented.Push("  ", 0).over);
  EXPECT_FALSE(indented.Push("\t b\n    ", 0).over);
  const LlamaLineEnd::Output end = indented.Push("c\n  def", 0);
  EXPECT_TRUE(end.over);
  EXPECT_EQ(end.shown_bytes, 4u);  // to the first character that is out of place
}

TEST(LlamaLineEnd, WhenTheTimeIsOverALineIsTheLast) {
  LlamaLineEnd timed({.t_max_predict_ms = 100});
  EXPECT_FALSE(timed.Push("a\nb", 50).over);
  EXPECT_FALSE(timed.Push("c", 150).over);
  const LlamaLineEnd::Output end = timed.Push("d\ne", 160);
  EXPECT_TRUE(end.over);
  EXPECT_EQ(end.shown_bytes, 3u);
}

// Body to answer.
class LlamaAnswerTest : public ApiFixture {
 protected:
  std::shared_ptr<RecordingSink> Complete(const std::string& fields) {
    auto sink = std::make_shared<RecordingSink>();
    LlamaStart start;
    start.request = *ParseLlamaRequest(R"({"prompt":"hi",)" + fields + "}");
    start.model = *context_.models.Find("");
    start.prompts = {BytesOf("hi")};
    EXPECT_TRUE(StartLlamaAnswer(context_, {}, std::move(start), clock_.Now(), sink).ok());
    return sink;
  }
  void Begin() {
    fleet_.Place(0, "w1");
    fleet_.Accept(0, 5);
  }
  static std::vector<Json> Pieces(const RecordingSink& sink) {
    std::vector<Json> pieces;
    for (const absl::string_view event : absl::StrSplit(sink.response.body, "\n\n")) {
      if (!event.empty()) pieces.push_back(Json::parse(ToStd(event.substr(6))));
    }
    return pieces;
  }
};

TEST_F(LlamaAnswerTest, EveryTokenIsInAPieceAlsoWhereItsTextIsHeldBack) {
  const auto sink = Complete(R"("stream":true,"stop":["END"])");
  Begin();
  fleet_.Tokens(0, 0, BytesOf("aE"));
  fleet_.Tokens(0, 0, BytesOf("N"));
  fleet_.Tokens(0, 0, BytesOf("D"));
  const std::vector<Json> pieces = Pieces(*sink);
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_EQ(pieces[0]["content"], "a");
  EXPECT_EQ(pieces[1]["tokens"], Json({'N'}));
  EXPECT_EQ(pieces[2]["content"], "");
  EXPECT_EQ(pieces[3]["stop_type"], "word");
  EXPECT_EQ(pieces[3]["stopping_word"], "END");
}

TEST_F(LlamaAnswerTest, ALineThatIsNotIndentedEndsTheText) {
  const auto sink = Complete(R"("n_indent":2)");
  Begin();
  fleet_.Tokens(0, 0, BytesOf("a\n  b\nc"));
  EXPECT_THAT(*fleet_.calls[0].cancelled_choices, ElementsAre());
  EXPECT_TRUE(*fleet_.calls[0].cancelled);
  const Json answer = Json::parse(sink->response.body);
  EXPECT_EQ(answer["content"], "a\n  b\n");
  EXPECT_EQ(answer["stop_type"], "limit");
  EXPECT_EQ(answer["has_new_line"], true);
}

TEST_F(LlamaAnswerTest, WhatIgnoresTheEndNeverSaysIt) {
  Complete(R"("ignore_eos":true)");
  fleet_.Place(0, "w1");
  const v1::SamplingParams& sampling = fleet_.calls[0].request.sampling();
  EXPECT_TRUE(std::isinf(sampling.logit_bias().at(kByteEos)));
  EXPECT_TRUE(sampling.stop_token_ids().empty());
}

TEST_F(LlamaAnswerTest, ProgressIsToldBeforeTheFirstToken) {
  const auto sink = Complete(R"("stream":true,"return_progress":true)");
  Begin();
  fleet_.Tokens(0, 0, BytesOf("a"), ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH));
  const std::vector<Json> pieces = Pieces(*sink);
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_EQ(pieces[0]["prompt_progress"]["processed"], 0);
  EXPECT_EQ(pieces[1]["prompt_progress"]["processed"], 2);
  EXPECT_EQ(pieces[1]["prompt_progress"]["total"], 2);
  EXPECT_EQ(pieces[2]["content"], "a");
}

TEST_F(LlamaAnswerTest, OnePromptInAListIsAnsweredAlone) {
  auto sink = std::make_shared<RecordingSink>();
  LlamaStart start;
  start.request = *ParseLlamaRequest(R"({"prompt":["hi"]})");
  start.model = *context_.models.Find("");
  start.prompts = {BytesOf("hi")};
  ASSERT_TRUE(StartLlamaAnswer(context_, {}, std::move(start), clock_.Now(), sink).ok());
  Begin();
  fleet_.Tokens(0, 0, BytesOf("a"), ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH));
  EXPECT_TRUE(Json::parse(sink->response.body).is_object());
}

TEST(LlamaError, ShapesAndStatuses) {
  EXPECT_EQ(LlamaErrorBody(InvalidArgument("no")),
            R"({"error":{"code":400,"message":"no","type":"invalid_request_error"}})");
  EXPECT_EQ(LlamaErrorBody(ContextSizeError(9, 8)),
            R"({"error":{"code":400,"message":"request (9 tokens) exceeds the available context )"
            R"(size (8 tokens), try increasing it","type":"exceed_context_size_error",)"
            R"("n_prompt_tokens":9,"n_ctx":8}})");
  EXPECT_EQ(LlamaErrorResponse(Unavailable("busy")).status, 503);
  EXPECT_EQ(LlamaErrorResponse(Unimplemented("x")).status, 501);
  EXPECT_THAT(LlamaErrorBody(Internal("secret")), HasSubstr("Internal server error"));
}

}  // namespace
}  // namespace baton::frontend
