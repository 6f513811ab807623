#include "frontend/request/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <span>

#include "common/base/status.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/parameter.h"

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<ParsedRequest> Chat(const std::string& fields,
                                   ExtraFields extra = ExtraFields::kIgnore) {
  const std::string body = R"({"messages":[{"role":"user","content":"Hi"}])" +
                           (fields.empty() ? "" : "," + fields) + "}";
  return ParseGenerationBody(body, GenerationEndpoint::kChat, extra);
}

absl::StatusOr<ParsedRequest> Completion(const std::string& body) {
  return ParseGenerationBody(body, GenerationEndpoint::kCompletion, ExtraFields::kIgnore);
}

// One bad body and the error that the reference server answers it with.
struct BadBody {
  const char* fields;
  const char* param;
  const char* message;
};

void ExpectSchemaErrors(std::span<const BadBody> bodies) {
  for (const BadBody& body : bodies) {
    const auto parsed = Chat(body.fields);
    ASSERT_FALSE(parsed.ok()) << body.fields;
    const ApiError error = ToApiError(parsed.status());
    EXPECT_EQ(error.http_status, 400);
    EXPECT_EQ(error.type, "Bad Request");
    EXPECT_EQ(error.param.value_or(""), body.param) << body.fields;
    EXPECT_THAT(error.message, HasSubstr(body.message)) << body.fields;
  }
}

TEST(RequestParserTest, SchemaErrorsAreThoseOfTheReferenceServer) {
  const BadBody bodies[] = {
      {R"("temperature":"x")", "body.temperature",
       "1 validation error:\n  {'type': 'float_parsing', 'loc': 'body.temperature', 'msg': 'Input "
       "should be a valid number, unable to parse string as a number', 'input': 'x'}"},
      {R"("top_k":1.5)", "body.top_k",
       "1 validation error:\n  {'type': 'int_from_float', 'loc': 'body.top_k', 'msg': 'Input "
       "should "
       "be a valid integer, got a number with a fractional part', 'input': '1.5'}"},
      {R"("n":"x")", "body.n",
       "1 validation error:\n  {'type': 'int_parsing', 'loc': 'body.n', 'msg': 'Input should be a "
       "valid integer, unable to parse string as an integer', 'input': 'x'}"},
      {R"("seed":9223372036854775808)", "body.seed",
       "1 validation error:\n  {'type': 'less_than_equal', 'loc': 'body.seed', 'msg': 'Input "
       "should "
       "be less than or equal to 9223372036854775807', 'input': '9223372036854775808', 'ctx': "
       "{'le': 9223372036854775807}}"},
      {R"("seed":-9223372036854775809)", "body.seed",
       "'msg': 'Input should be greater than or equal to -9223372036854775808'"},
      {R"("seed":99999999999999999999999999)", "body.seed", "less_than_equal"},
      {R"("stream":"x")", "body.stream",
       "1 validation error:\n  {'type': 'bool_parsing', 'loc': 'body.stream', 'msg': 'Input should "
       "be a valid boolean, unable to interpret input', 'input': 'x'}"},
      {R"("stop":5)", "body.stop",
       "2 validation errors:\n  {'type': 'string_type', 'loc': 'body.stop', 'msg': 'Input should "
       "be "
       "a valid string', 'input': '5'}\n  {'type': 'list_type', 'loc': 'body.stop', 'msg': 'Input "
       "should be a valid list', 'input': '5'}"},
      {R"("stop":[1])", "body.stop", "'loc': 'body.stop.0'"},
      {R"("stop":["a","b","c","d","e"])", "body.stop",
       "'too_long', 'loc': 'body.stop', 'msg': 'List should have at most 4 items after validation, "
       "not 5', 'input': '<list of 5 items>'"},
      {R"("stop_token_ids":"x")", "body.stop_token_ids", "'list_type'"},
      {R"("logit_bias":[1])", "body.logit_bias",
       "'msg': 'Input should be a valid dictionary', 'input': '<list of 1 items>'"},
      {R"("logit_bias":{"5":"x"})", "body.logit_bias.5", "float_parsing"},
      {R"("logit_bias":{"5":null})", "body.logit_bias.5", "float_type"},
      {R"("model":5)", "body.model", "'string_type', 'loc': 'body.model'"},
      {R"("truncate_prompt_tokens":-2)", "body.truncate_prompt_tokens", "'ctx': {'ge': -1}"},
      {R"("user":5)", "body.user", "string_type"},
      {R"("session_id":5)", "body.session_id", "string_type"},
      {R"("reasoning_effort":"x")", "body.reasoning_effort",
       "'literal_error', 'loc': 'body.reasoning_effort', 'msg': \"Input should be 'none', "
       "'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'\""},
  };
  ExpectSchemaErrors(bodies);
}

TEST(RequestParserTest, BadMessagesAreRefusedByTheirPlace) {
  const BadBody bodies[] = {
      {R"("messages":"x")", "body.messages", "'list_type'"},
      {R"("messages":[5])", "body.messages.0", "'dict_type'"},
      {R"("messages":[{"content":"x"}])", "body.messages.0.role", "'missing'"},
      {R"("messages":[{"role":"user","content":[{"type":"text"}]}])",
       "body.messages.0.content.0.text", "'missing'"},
      {R"("messages":[{"role":"user","content":[{"type":"text","text":5}]}])",
       "body.messages.0.content.0.text", "string_type"},
      {R"("messages":[{"role":"user","content":"x","name":5}])", "body.messages.0.name",
       "string_type"},
      {R"("messages":[{"role":"assistant","tool_calls":"x"}])", "body.messages.0.tool_calls",
       "list_type"},
      {R"("messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}])",
       "body.messages.0.tool_calls.0.function", "missing"},
      {R"("messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":"{}"}}]}])",
       "body.messages.0.tool_calls.0.function.name", "missing"},
      {R"("messages":[{"role":"user","content":[{"type":"nope"}]}])", "body.messages.0.content.0",
       "Unknown part type: nope"},
  };
  ExpectSchemaErrors(bodies);
}

TEST(RequestParserTest, WhatIsNoObjectIsRefused) {
  for (const char* body : {"", "{\"a\":", "[1]", "\"x\"", "null", "5", "{\"a\":1}x", "\xff"}) {
    const auto parsed = ParseGenerationBody(body, GenerationEndpoint::kChat, ExtraFields::kIgnore);
    ASSERT_FALSE(parsed.ok()) << body;
    EXPECT_EQ(ToApiError(parsed.status()).type, "Bad Request") << body;
  }
  const std::string deep(100'000, '[');
  EXPECT_FALSE(Completion(deep).ok());
  const auto missing = ParseGenerationBody("{}", GenerationEndpoint::kChat, ExtraFields::kIgnore);
  EXPECT_EQ(Field(missing.status()), "body.messages");
}

TEST(RequestParserTest, ReadsWhatIsSupported) {
  const auto parsed = Chat(
      R"("model":"m","temperature":"0.5","top_p":0.9,"top_k":40,"min_p":0.1,"n":2.0,
         "max_tokens":5,"stop":"x","seed":-7,"stream":1,"stream_options":{"include_usage":true},
         "logprobs":true,"top_logprobs":3,"logit_bias":{"5":-100},"ignore_eos":"yes",
         "stop_token_ids":[1,2],"cache_salt":"s","priority":-9000000000,"truncation_side":"right",
         "max_completion_tokens":9,"temperature":0.25)");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const GenerationRequest& r = parsed->request;
  EXPECT_EQ(r.model, "m");
  EXPECT_EQ(r.sampling.temperature, 0.25);  // of two, the last counts
  EXPECT_EQ(r.sampling.top_k, 40);
  EXPECT_EQ(r.n, 2);
  EXPECT_EQ(r.sampling.max_tokens, 9);
  EXPECT_EQ(r.sampling.max_tokens_field, "max_completion_tokens");
  EXPECT_THAT(r.sampling.stop, ElementsAre("x"));
  EXPECT_EQ(r.sampling.seed, -7);
  EXPECT_TRUE(r.output.stream);
  EXPECT_TRUE(r.output.include_usage);
  EXPECT_EQ(r.chat.top_logprobs, 3);
  EXPECT_EQ(r.sampling.logit_bias.size(), 1u);
  EXPECT_TRUE(r.sampling.ignore_eos);
  EXPECT_EQ(r.cache_salt, "s");
  EXPECT_EQ(r.priority, INT32_MIN);  // the most urgent that there is
  EXPECT_EQ(r.truncation_side, TruncationSide::kRight);
  EXPECT_EQ(r.chat.messages_json, R"([{"role":"user","content":"Hi"}])");
  EXPECT_EQ(r.chat.last_role, "user");
}

TEST(RequestParserTest, ContentMayBeParts) {
  const auto parsed = Chat(
      R"("messages":[{"role":"user","content":[{"type":"text","text":"a"},{"text":"b"},"c",
         {"type":"refusal","refusal":"d"},{"type":"input_text","text":"e"}]}])");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_FALSE(parsed->request.chat.has_media_parts);
  EXPECT_TRUE(Chat(R"("messages":[{"role":"user","content":[{"image_url":{"url":"x"}}]}])")
                  ->request.chat.has_media_parts);
}

TEST(RequestParserTest, ExtraBodyCountsAsTheBodyAndWins) {
  const auto parsed =
      Chat(R"("temperature":1,"extra_body":{"top_k":7,"temperature":0.5,"made_up":1},"stop":"x")");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->request.sampling.top_k, 7);
  EXPECT_EQ(parsed->request.sampling.temperature, 0.5);
  EXPECT_EQ(parsed->ignored_unknown_count, 1);
  EXPECT_EQ(Field(Chat(R"("extra_body":{"top_k":"x"})").status()), "body.extra_body.top_k");
  EXPECT_EQ(Chat(R"("extra_body":5)")->ignored_unknown_count, 1);
}

TEST(RequestParserTest, OfEqualNamesTheLastCounts) {
  const auto parsed = Completion(R"({"prompt":"a","prompt":["b","c"],"stop_token_ids":[1],
                                     "stop_token_ids":[2]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->request.completion.prompts.size(), 2u);
  EXPECT_THAT(parsed->request.sampling.stop_token_ids, ElementsAre(2));
}

TEST(RequestParserTest, AByteOrderMarkIsNoPartOfTheBody) {
  EXPECT_TRUE(Completion("\xEF\xBB\xBF{\"prompt\":\"a\"}").ok());
  EXPECT_FALSE(Completion("\xEF\xBB\xBF").ok());
}

TEST(RequestParserTest, IntegersBeyond64BitsReadAsTheNearest) {
  const std::string huge(40, '9');
  const auto parsed = Chat("\"max_tokens\":" + huge + ",\"min_tokens\":-" + huge + ",\"n\":1e30");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->request.sampling.max_tokens, INT64_MAX);
  EXPECT_EQ(parsed->request.sampling.min_tokens, INT64_MIN);
  EXPECT_EQ(parsed->request.n, INT64_MAX);
}

TEST(RequestParserTest, NumbersBeyondAllRealsReadAsTheLargest) {
  const auto parsed = Chat(R"("temperature":1e400,"top_p":-1e999,"min_p":1e-400,"user":"1e400")");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->request.sampling.temperature, std::numeric_limits<double>::max());
  EXPECT_EQ(parsed->request.sampling.top_p, std::numeric_limits<double>::lowest());
  EXPECT_EQ(parsed->request.sampling.min_p, 0.0);
  EXPECT_EQ(Chat("\"n\":" + std::string(400, '9'))->request.n, INT64_MAX);
}

TEST(RequestParserTest, NullMeansAbsent) {
  const auto parsed = Chat(
      R"("temperature":null,"stop":null,"n":null,"tools":null,"logit_bias":null,"stream":null)");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_FALSE(parsed->request.sampling.temperature.has_value());
  EXPECT_EQ(parsed->request.n, 1);
}

// Every row of every table that would change the answer is refused by name.
TEST(RequestParserTest, UnsupportedFieldsAreRefusedByName) {
  for (const absl::Span<const Parameter> table :
       {SharedParameters(), EnvelopeParameters(), ChatParameters()}) {
    for (const Parameter& parameter : table) {
      if (parameter.support != Support::kUnsupported) continue;
      const std::string name(parameter.name);
      const auto parsed = Chat("\"" + name + "\":{\"type\":\"x\",\"a\":1}");
      ASSERT_FALSE(parsed.ok()) << name;
      const ApiError error = ToApiError(parsed.status());
      EXPECT_EQ(error.http_status, 400) << name;
      EXPECT_EQ(error.param.value_or(""), name);
      EXPECT_TRUE(error.unsupported) << name;
      EXPECT_TRUE(Chat("\"" + name + "\":null").ok()) << name;
    }
  }
}

TEST(RequestParserTest, NeutralValuesOfUnsupportedFieldsPass) {
  EXPECT_TRUE(Chat(R"("response_format":{"type":"text"},"tools":null,"tool_choice":"none",
                      "modalities":["text"],"use_beam_search":false,"grammar":"")")
                  .ok());
}

TEST(RequestParserTest, HintsAndUnknownFieldsAreCountedOrRefused) {
  const std::string fields = R"("user":"u","metadata":{"a":"b"},"foo":1,"bar":[2])";
  const auto parsed = Chat(fields);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->ignored_hint_count, 2);
  EXPECT_EQ(parsed->ignored_unknown_count, 2);
  EXPECT_FALSE(Chat(R"("foo":1)", ExtraFields::kRefuse).ok());
  EXPECT_FALSE(Chat(R"("metadata":{})", ExtraFields::kRefuse).ok());
  EXPECT_TRUE(Chat(R"("temperature":1)", ExtraFields::kRefuse).ok());
}

TEST(RequestParserTest, PromptsOfEveryShape) {
  const auto prompts = [](const std::string& json) {
    const auto parsed = Completion("{\"prompt\":" + json + "}");
    EXPECT_TRUE(parsed.ok()) << json << parsed.status();
    return parsed.ok() ? parsed->request.completion.prompts : std::vector<PromptInput>();
  };
  using Tokens = std::vector<TokenId>;
  EXPECT_THAT(prompts(R"("hi")"), ElementsAre(PromptInput{std::string("hi")}));
  EXPECT_THAT(prompts(R"(["a","b"])"),
              ElementsAre(PromptInput{std::string("a")}, PromptInput{std::string("b")}));
  EXPECT_THAT(prompts("[1,2]"), ElementsAre(PromptInput{Tokens{1, 2}}));
  EXPECT_THAT(prompts("[[1],[2,3]]"),
              ElementsAre(PromptInput{Tokens{1}}, PromptInput{Tokens{2, 3}}));
  EXPECT_THAT(prompts(R"([1,"a",2])"),
              ElementsAre(PromptInput{Tokens{1}, std::string("a"), Tokens{2}}));
  EXPECT_THAT(prompts(R"([[1,"a"],"b"])"),
              ElementsAre(PromptInput{Tokens{1}, std::string("a")}, PromptInput{std::string("b")}));
  EXPECT_TRUE(prompts("null").empty());
  for (const char* bad : {"5", "{}", "[-1]", "[1.5]", "[true]", "[[1],2]", "[[[1]]]"}) {
    EXPECT_FALSE(Completion(std::string("{\"prompt\":") + bad + "}").ok()) << bad;
  }
}

TEST(RequestParserTest, TheTablesHaveNoNameTwice) {
  for (const absl::Span<const Parameter> table :
       {SharedParameters(), EnvelopeParameters(), SamplingParameters(), SamplerParameters(),
        ChatParameters(), ToolParameters(), CompletionParameters(), TokenParameters(),
        TokenSamplingParameters()}) {
    std::set<std::string_view> names;
    for (const Parameter& parameter : table) {
      EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
      EXPECT_EQ(parameter.support == Support::kSupported && parameter.read == nullptr, false);
    }
  }
}

}  // namespace
}  // namespace baton::frontend
