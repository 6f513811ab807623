// llama.cpp's native route, from body to answer, with workers that the test plays. The expected
// words and shapes were asked of llama-server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "frontend/api/llama_error.h"
#include "frontend/api/llama_request.h"
#include "tests/fakes/byte_model.h"

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
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
  EXPECT_FALSE(request->is_list);
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
  EXPECT_THAT(Refusal(R"({"prompt":"a","grammar":"root ::= \"a\"","json_schema":{}})"),
              HasSubstr("not both"));
  EXPECT_NE(Refusal("{bad"), "");
  EXPECT_NE(Refusal("[1]"), "");
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
