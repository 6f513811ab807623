#include "frontend/request/request_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kChat = GenerationEndpoint::kChat;
constexpr auto kCompletion = GenerationEndpoint::kCompletion;

GenerationRequest Parse(GenerationEndpoint endpoint, const std::string& fields) {
  const std::string input =
      endpoint == kChat ? R"("messages":[{"role":"user","content":"Hi"}])" : R"("prompt":"Hi")";
  const auto parsed = ParseGenerationBody("{" + input + (fields.empty() ? "" : "," + fields) + "}",
                                          endpoint, ExtraFields::kIgnore);
  EXPECT_TRUE(parsed.ok()) << fields << parsed.status();
  return parsed.ok() ? parsed->request : GenerationRequest();
}

ModelLimits Limits() { return {.max_model_len = 100, .vocab_size = 50, .token_bytes_max = 4}; }

// All that StartGeneration checks, for a prompt of `prompt_tokens`.
absl::StatusOr<v1::SamplingParams> Check(GenerationEndpoint endpoint, const std::string& fields,
                                         size_t prompt_tokens = 10) {
  GenerationRequest request = Parse(endpoint, fields);
  const absl::Status status = CheckRequest(request, endpoint);
  if (!status.ok()) return status;
  CountLogprobs(request, Limits());
  const auto max_tokens = ResolveMaxTokens(request, endpoint, Limits(), prompt_tokens);
  if (!max_tokens.ok()) return max_tokens.status();
  return MakeSampling(request, endpoint, Limits(), *max_tokens);
}

struct Refusal {
  const char* fields;
  const char* param;  // empty: null
  const char* message;
};

void ExpectRefusals(GenerationEndpoint endpoint, absl::Span<const Refusal> refusals) {
  for (const Refusal& refusal : refusals) {
    const auto sampling = Check(endpoint, refusal.fields);
    ASSERT_FALSE(sampling.ok()) << refusal.fields;
    const ApiError error = ToApiError(sampling.status());
    EXPECT_EQ(error.http_status, 400) << refusal.fields;
    EXPECT_EQ(error.type, "BadRequestError") << refusal.fields;
    EXPECT_EQ(error.param.value_or(""), refusal.param) << refusal.fields;
    EXPECT_THAT(error.message, HasSubstr(refusal.message)) << refusal.fields;
  }
}

TEST(RequestRulesTest, ANamedToolExcludesOtherStructure) {
  constexpr char kTools[] =
      R"("tools":[{"type":"function","function":{"name":"f"}}],"structured_outputs":{"regex":"a"},)";
  const std::string named =
      std::string(kTools) + R"("tool_choice":{"type":"function","function":{"name":"f"}})";
  const Refusal refusals[] = {{named.c_str(), "structured_outputs", "not both"}};
  ExpectRefusals(kChat, refusals);
  EXPECT_TRUE(Check(kChat, std::string(kTools) + R"("tool_choice":"auto")").ok());
}

TEST(RequestRulesTest, StopStringsAreBounded) {
  const std::string longest = R"("stop":")" + std::string(kStopBytesMax, 'x') + '"';
  EXPECT_TRUE(Check(kChat, longest).ok());
  const std::string longer = R"("stop":")" + std::string(kStopBytesMax + 1, 'x') + '"';
  const std::string many = longest + R"(,"n":2000)";
  const std::string id = R"("request_id":")" + std::string(kRequestIdBytesMax + 1, 'x') + '"';
  const Refusal refusals[] = {
      {longer.c_str(), "stop", "at most 16384 bytes in all, got 16385."},
      {many.c_str(), "stop", "too long for 2000 sequences"},
      {id.c_str(), "request_id", "at most 1024 bytes"},
  };
  ExpectRefusals(kChat, refusals);
  ExpectRefusals(kCompletion, refusals);
}

TEST(RequestRulesTest, RefusalsOfBothEndpoints) {
  const Refusal refusals[] = {
      {R"("temperature":-1)", "temperature",
       "temperature must be non-negative, got -1.0. (parameter=temperature, value=-1.0)"},
      {R"("temperature":3)", "temperature",
       "temperature must be in [0, 2], got 3.0. (parameter=temperature, value=3.0)"},
      {R"("top_p":0)", "top_p", "top_p must be in (0, 1], got 0.0. (parameter=top_p, value=0.0)"},
      {R"("top_p":1.5)", "top_p", "got 1.5."},
      {R"("top_k":-2)", "", "top_k must be 0 (disable), or at least 1, got -2."},
      {R"("min_p":2)", "", "min_p must be in [0, 1], got 2.0."},
      {R"("repetition_penalty":0)", "", "repetition_penalty must be greater than zero, got 0.0."},
      {R"("repetition_penalty":0.0001)", "repetition_penalty",
       "repetition_penalty must be in [0.001, 1000], got 1e-04."},
      {R"("repetition_penalty":1e300)", "repetition_penalty",
       "repetition_penalty must be in [0.001, 1000], got 1e+300."},
      {R"("presence_penalty":3)", "", "presence_penalty must be in [-2, 2], got 3.0."},
      {R"("frequency_penalty":-3)", "", "frequency_penalty must be in [-2, 2], got -3.0."},
      {R"("n":0)", "", "n must be at least 1, got 0."},
      {R"("n":20000)", "", "n must be at most 16384, got 20000."},
      {R"("max_tokens":0)", "max_tokens",
       "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)"},
      {R"("min_tokens":-1)", "", "min_tokens must be greater than or equal to 0, got -1."},
      {R"("min_tokens":5,"max_tokens":3)", "",
       "min_tokens must be less than or equal to max_tokens=3, got 5."},
      {R"("stop":"")", "", "stop cannot contain an empty string."},
      {R"("repetition_detection":{"max_pattern_size":2,"min_pattern_size":3,"min_count":2})", "",
       "min_pattern_size <= max_pattern_size"},
      {R"("repetition_detection":{"max_pattern_size":2,"min_count":1})", "", "min_count must be"},
      {R"("stream_options":{"include_usage":null})", "stream_options",
       "Stream options can only be defined when `stream=True`. (parameter=stream_options)"},
      {R"("cache_salt":"")", "cache_salt",
       "Parameter 'cache_salt' must be a non-empty string if provided. (parameter=cache_salt)"},
      {R"("cache_salt":5)", "cache_salt", "must be a non-empty string"},
      {R"("prompt_logprobs":"1")", "prompt_logprobs",
       "`prompt_logprobs` must be an integer. (parameter=prompt_logprobs, value=1)"},
      {R"("stop_token_ids":[50])", "stop_token_ids",
       "token_id(s) [50] in stop_token_ids contain out-of-vocab token ids. Vocabulary size: 50 "
       "(parameter=stop_token_ids, value=[50])"},
      {R"("logit_bias":{"a":1,"b":2})", "logit_bias",
       "logit_bias contains key(s) that cannot be converted to integer token IDs: ['a', 'b'] "
       "(parameter=logit_bias, value=['a', 'b'])"},
      {R"("logit_bias":{"999":1})", "logit_bias", "token_id(s) [999] in logit_bias contain"},
      {R"("max_tokens":101)", "max_tokens",
       "max_tokens=101 cannot be greater than max_model_len=100. Please request fewer output "
       "tokens. (parameter=max_tokens, value=101)"},
  };
  ExpectRefusals(kChat, refusals);
  ExpectRefusals(kCompletion, refusals);
}

TEST(RequestRulesTest, OfManyWrongTokensOnlySomeAreNamed) {
  std::string outside = R"("logit_bias":{"50":1)";
  std::string unreadable = R"("logit_bias":{"x":1)";
  for (int i = 51; i < 200; ++i) {
    outside += ",\"" + std::to_string(i) + "\":1";
    unreadable += ",\"x" + std::to_string(i) + "\":1";
  }
  outside += "}";
  unreadable += "}";
  const Refusal refusals[] = {{outside.c_str(), "logit_bias", "80, 81, ...] in logit_bias contain"},
                              {unreadable.c_str(), "logit_bias", ", ...] (parameter=logit_bias"}};
  ExpectRefusals(kChat, refusals);
}

TEST(RequestRulesTest, RefusalsOfChat) {
  const Refusal refusals[] = {
      {R"("top_logprobs":5)", "top_logprobs",
       "when using `top_logprobs`, `logprobs` must be set to true. (parameter=top_logprobs)"},
      {R"("logprobs":true,"top_logprobs":21)", "logprobs",
       "Requested sample logprobs of 21, which is greater than max allowed: 20 "
       "(parameter=logprobs, value=21)"},
      {R"("logprobs":true,"top_logprobs":-1)", "logprobs", "Requested sample logprobs of 50"},
      {R"("logprobs":true,"top_logprobs":"x")", "top_logprobs", "must be an integer."},
      {R"("continue_final_message":true)", "", "are not compatible"},
      {R"("messages":[])", "", "Cannot apply chat template to an empty conversation."},
      {R"("max_completion_tokens":101)", "max_completion_tokens", "max_completion_tokens=101"},
  };
  ExpectRefusals(kChat, refusals);
}

TEST(RequestRulesTest, RefusalsOfCompletions) {
  std::string many = "\"prompt\":[\"a\"";
  for (size_t i = 0; i < kPromptsMax; ++i) many += ",\"a\"";
  many += "]";
  const Refusal refusals[] = {
      {R"("logprobs":"x")", "logprobs", "`logprobs` must be an integer."},
      {R"("logprobs":21)", "logprobs", "Requested sample logprobs of 21"},
      {R"("prompt":[])", "", "You must pass at least one prompt"},
      {many.c_str(), "prompt",
       "prompt list length 1025 exceeds the maximum allowed count of 1024."},
      {R"("prompt":["a","b","c"],"n":5462)", "n",
       "n times the number of prompts must be at most 16384, got 5462 * 3."},
  };
  for (const Refusal& refusal : refusals) {
    const std::string fields(refusal.fields);
    const bool own_prompt = fields.rfind("\"prompt\"", 0) == 0;
    const auto parsed =
        ParseGenerationBody(own_prompt ? "{" + fields + "}" : "{\"prompt\":\"Hi\"," + fields + "}",
                            kCompletion, ExtraFields::kIgnore);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    absl::Status status = CheckRequest(parsed->request, kCompletion);
    if (status.ok()) status = MakeSampling(parsed->request, kCompletion, Limits(), 1).status();
    ASSERT_FALSE(status.ok()) << fields.substr(0, 40);
    EXPECT_EQ(ToApiError(status).param.value_or(""), refusal.param);
    EXPECT_THAT(ToApiError(status).message, HasSubstr(refusal.message));
  }
  const auto none = ParseGenerationBody("{}", kCompletion, ExtraFields::kIgnore);
  EXPECT_EQ(Field(CheckRequest(none->request, kCompletion)), "prompt");
}

TEST(RequestRulesTest, LengthRules) {
  // Explicit: cut to the room beside the prompt, but never more than the model has at all.
  EXPECT_EQ(Check(kChat, R"("max_tokens":90)")->max_tokens(), 90u);
  EXPECT_EQ(Check(kChat, R"("max_tokens":91)")->max_tokens(), 90u);
  EXPECT_EQ(Field(Check(kChat, R"("max_tokens":101)").status()), "max_tokens");
  EXPECT_EQ(Field(Check(kChat, R"("max_tokens":1000000000000000000000000000000)").status()),
            "max_tokens");
  // Left open: chat takes what is left, completions take 16.
  EXPECT_EQ(Check(kChat, "")->max_tokens(), 90u);
  EXPECT_EQ(Check(kCompletion, "")->max_tokens(), 16u);
  EXPECT_EQ(Check(kCompletion, "", 85)->max_tokens(), 15u);
  // No room for one token.
  EXPECT_EQ(Check(kChat, "", 99)->max_tokens(), 1u);
  EXPECT_EQ(Field(Check(kChat, "", 100).status()), "input_tokens");
  EXPECT_EQ(Field(Check(kChat, "", 200).status()), "input_tokens");
  // Only an echo.
  EXPECT_EQ(Check(kCompletion, R"("echo":true,"max_tokens":0)")->max_tokens(), 1u);
  // The model's own default.
  ModelLimits limits = Limits();
  limits.defaults.max_new_tokens = 7;
  EXPECT_EQ(ResolveMaxTokens(Parse(kChat, ""), kChat, limits, 10).value(), 7u);
  EXPECT_EQ(ResolveMaxTokens(Parse(kChat, ""), kChat, limits, 95).value(), 5u);
  // The operator's limit.
  limits.defaults.max_new_tokens_cap = 5;
  EXPECT_EQ(ResolveMaxTokens(Parse(kChat, R"("max_tokens":20)"), kChat, limits, 10).value(), 5u);
}

TEST(RequestRulesTest, TextThatCannotFitIsRefusedBeforeTokenising) {
  const GenerationRequest request = Parse(kCompletion, R"("max_tokens":20)");
  EXPECT_TRUE(CheckPromptBytes(request, Limits(), 400).ok());
  EXPECT_EQ(Field(CheckPromptBytes(request, Limits(), 401)), "input_text");
  const GenerationRequest cut = Parse(kCompletion, R"("truncate_prompt_tokens":20)");
  EXPECT_TRUE(CheckPromptBytes(cut, Limits(), 401).ok());
}

TEST(RequestRulesTest, Truncation) {
  const auto truncated = [](const std::string& fields) {
    std::vector<TokenId> prompt = {0, 1, 2, 3, 4, 5, 6, 7};
    const absl::Status status = TruncatePrompt(Parse(kCompletion, fields), Limits(), prompt);
    EXPECT_TRUE(status.ok()) << status;
    return prompt;
  };
  EXPECT_THAT(truncated(R"("truncate_prompt_tokens":4)"), ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(truncated(R"("truncate_prompt_tokens":4,"truncation_side":"right")"),
              ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(truncated(R"("truncate_prompt_tokens":-1,"max_tokens":95)").size(), 5u);
  EXPECT_EQ(truncated(R"("truncate_prompt_tokens":100,"max_tokens":95)").size(), 8u);
  std::vector<TokenId> prompt = {1};
  EXPECT_FALSE(
      TruncatePrompt(Parse(kCompletion, R"("truncate_prompt_tokens":0)"), Limits(), prompt).ok());
  EXPECT_EQ(Field(TruncatePrompt(Parse(kCompletion, R"("truncate_prompt_tokens":101)"), Limits(),
                                 prompt)),
            "truncate_prompt_tokens");
}

TEST(RequestRulesTest, DefaultsComeFromTheModelThenFromTheApi) {
  const auto plain = Check(kChat, "");
  EXPECT_EQ(plain->temperature(), 1.0f);
  EXPECT_EQ(plain->top_k(), 0u);
  EXPECT_FALSE(plain->has_logprobs());
  EXPECT_FALSE(plain->has_seed());

  ModelLimits limits = Limits();
  limits.defaults.temperature = 0.6;
  limits.defaults.top_k = 20;
  const auto own = MakeSampling(Parse(kChat, R"("temperature":0.001)"), kChat, limits, 5);
  EXPECT_FLOAT_EQ(own->temperature(), 0.01f);  // raised, not greedy
  EXPECT_EQ(own->top_k(), 20u);
  EXPECT_EQ(MakeSampling(Parse(kChat, R"("temperature":0,"top_k":-1)"), kChat, limits, 5)->top_k(),
            0u);
  EXPECT_EQ(Check(kChat, R"("top_k":49)")->top_k(), 49u);
  EXPECT_EQ(Check(kChat, R"("top_k":50)")->top_k(), 0u);  // all of the vocabulary
  EXPECT_EQ(Check(kChat, R"("top_k":9000000000)")->top_k(), 0u);
  EXPECT_FALSE(Check(kChat, R"("seed":-1)")->has_seed());
  EXPECT_EQ(Check(kChat, R"("seed":-2)")->seed(), static_cast<uint64_t>(-2));
  EXPECT_EQ(Check(kChat, R"("logprobs":true)")->logprobs(), 0u);
  EXPECT_EQ(Check(kCompletion, R"("logprobs":3)")->logprobs(), 3u);
  EXPECT_FLOAT_EQ(Check(kChat, R"("logit_bias":{"5":500})")->logit_bias().at(5), 100.0f);
}

TEST(RequestRulesTest, TokensOfThePromptMustExist) {
  EXPECT_FALSE(CheckPromptTokens({}, Limits()).ok());
  EXPECT_FALSE(CheckPromptTokens({1, 50}, Limits()).ok());
  EXPECT_TRUE(CheckPromptTokens({1, 49}, Limits()).ok());
}

}  // namespace
}  // namespace baton::frontend
