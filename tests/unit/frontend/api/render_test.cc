// A request rendered, and what it renders to sent to generate: the worker must be asked exactly
// what it would have been asked for the request itself.
#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/fakes/api_fixture.h"
#include "tests/fakes/api_routes.h"

namespace baton::frontend {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kCompletion = "/v1/completions";
constexpr const char* kMessages = "/v1/messages";
constexpr const char* kResponses = "/v1/responses";
constexpr const char* kGenerate = "/inference/v1/generate";

// As Qwen's: tools, and reasoning that the prompt may open.
constexpr const char* kTemplate =
    "{% if tools %}<tools>{{ tools | tojson }}</tools> write <tool_call>\n{\"name\": <name>, "
    "\"arguments\": <args>}\n</tool_call>{% endif %}"
    "{% for m in messages %}<|start|>{{ m.role }}:{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant:{% if enable_thinking %}<think>\n{% else %}"
    "<think>\n\n</think>\n\n{% endif %}{% endif %}";

class RenderTest : public ApiFixture {
 protected:
  RenderTest() : ApiFixture({.card = Card(), .context_length = 4096, .in_flight_max = 1000}) {
    options_.scale_out = true;
  }

  static ModelCard Card() {
    ModelCard card = ByteModelCard();
    card.files["chat_template.jinja"] = std::string(kTemplate);
    card.files["generation_config.json"] = R"({"temperature":0.6,"top_p":0.95,"top_k":20})";
    return card;
  }

  static std::string Body(const std::string& path, const std::string& fields) {
    const std::string input = path == kChat ? R"("messages":[{"role":"user","content":"Hi"}])"
                                            : R"("prompt":"The capital")";
    const std::string begin = fields.find("\"prompt\"") == std::string::npos ? input + "," : "";
    return "{" + begin + fields + "}";
  }

  // What a worker is asked, less what names the request.
  v1::GenerateRequest Asked(const std::string& path, const std::string& body) {
    const auto sink = routes().Post(path, body);
    AwaitChecks();
    EXPECT_EQ(sink->ends, 0) << sink->response.body;
    if (sink->ends > 0) return {};
    const size_t route = fleet_.routes.size() - 1;
    fleet_.Place(route, "w");
    v1::GenerateRequest request = fleet_.calls.back().request;
    request.clear_request_id();
    return request;
  }

  Json Rendered(const std::string& path, const std::string& body) {
    const auto sink = routes().Post(path + "/render", body);
    AwaitChecks();
    EXPECT_EQ(sink->response.status, 200) << sink->response.body;
    return Json::parse(sink->response.body, nullptr, false);
  }

  void ExpectSame(const std::string& path, const std::string& fields) {
    ExpectSameAnswer(path, Body(path, fields));
  }

  void ExpectSameAnswer(const std::string& path, const std::string& body) {
    const v1::GenerateRequest direct = Asked(path, body);
    const Json rendered = Rendered(path, body);
    const std::string request = (rendered.is_array() ? rendered[0] : rendered).dump();
    const v1::GenerateRequest generated = Asked(kGenerate, request);
    google::protobuf::util::MessageDifferencer differencer;
    std::string difference;
    differencer.ReportDifferencesToString(&difference);
    EXPECT_TRUE(differencer.Compare(direct, generated)) << body << "\n" << request << difference;
  }

  ApiRoutes& routes() {
    if (!routes_.has_value()) routes_.emplace(context_);
    return *routes_;
  }

 private:
  std::optional<ApiRoutes> routes_;
};

TEST_F(RenderTest, SamplingArrivesAsItIs) {
  const char* const fields[] = {
      R"("temperature":0)",
      R"("temperature":0.7,"top_p":0.9,"top_k":5,"min_p":0.05,"seed":-3)",
      R"("n":3,"seed":7)",
      R"("max_tokens":16)",
      R"("max_tokens":5,"min_tokens":2,"ignore_eos":true)",
      R"("presence_penalty":0.3,"frequency_penalty":-0.1,"repetition_penalty":1.1)",
      R"("logit_bias":{"5":1.5,"7":-1000})",
      R"("logit_bias":[[5,false],["ab",250.5],[9,-0.1]])",
      R"("stop_token_ids":[3,4],"allowed_token_ids":[65,66],"bad_words":["foo","b\"r"])",
      R"("logprobs":2,"prompt_logprobs":3)",
      R"("prompt_logprobs":0)",
      R"("cache_salt":"s","priority":-4)",
      R"("repetition_detection":{"max_pattern_size":4,"min_pattern_size":1,"min_count":3})",
      R"("thinking_token_budget":9)",
  };
  for (const char* field : fields) ExpectSame(kCompletion, field);
  for (const char* field : fields) {
    if (std::string_view(field).starts_with("\"logprobs\"")) continue;
    ExpectSame(kChat, field);
  }
  ExpectSame(kChat, R"("logprobs":true,"top_logprobs":3,"max_completion_tokens":12)");
  ExpectSame(kCompletion, R"("echo":true,"logprobs":2,"max_tokens":0)");
  ExpectSame(kCompletion, R"("prompt":[5,6,7],"truncate_prompt_tokens":2)");
}

TEST_F(RenderTest, LlamaSamplersArriveAsTheyAre) {
  for (const char* fields : {
           R"("typical_p":0.9,"dynatemp_range":0.5,"dynatemp_exponent":1.3,"top_n_sigma":1.5)",
           R"("xtc_probability":0.5,"xtc_threshold":0.2,"min_keep":2)",
           R"("dry_multiplier":0.8,"dry_base":0.5,"dry_penalty_last_n":-1)",
           R"("dry_multiplier":0.8,"dry_sequence_breakers":["x","\n"],"dry_allowed_length":3)",
           R"("mirostat":2,"mirostat_tau":4.5,"mirostat_eta":0.2)",
           R"("repeat_penalty":1.2)",
           R"("repeat_penalty":1.2,"repeat_last_n":-1)",
           R"("samplers":["top_k","typical_p","temperature"],"top_k":7)",
           R"("samplers":[])",
           R"("n_probs":3,"post_sampling_probs":true)",
       }) {
    ExpectSame(kCompletion, fields);
    ExpectSame(kChat, fields);
  }
}

TEST_F(RenderTest, DefaultsOfTheRendererAreThoseThatCount) {
  options_.preset = ApiPreset::kLlamaCpp;
  ExpectSame(kChat, R"("seed":1)");
  ExpectSame(kCompletion, R"("top_k":0,"temperature":0.5)");
  // Tokens get vLLM's defaults, whatever the model's or the operator's are.
  const v1::GenerateRequest bare = Asked(kGenerate, R"({"token_ids":[1,2],"sampling_params":{}})");
  EXPECT_EQ(bare.sampling().temperature(), 1);
  EXPECT_EQ(bare.sampling().top_p(), 1);
  EXPECT_EQ(bare.sampling().top_k(), 0);
  EXPECT_EQ(bare.sampling().samplers_size(), 0);
  EXPECT_EQ(bare.sampling().max_tokens(), 4094);
}

TEST_F(RenderTest, ConstraintsArriveAsTheyAre) {
  for (const char* fields : {
           R"("structured_outputs":{"choice":["a","b"]})",
           R"("structured_outputs":{"regex":"[a-z]+\\d"})",
           R"("structured_outputs":{"json":{"type":"object","properties":{"a":{"type":"integer"}}},
              "whitespace_pattern":"[ ]?","disable_additional_properties":true})",
           R"("response_format":{"type":"json_object"})",
           R"("response_format":{"type":"json_schema","json_schema":{"name":"x","schema":
              {"type":"array","items":{"type":"string"}}}})",
           R"("grammar":"root ::= \"a\" | \"b\"")",
       }) {
    ExpectSame(kCompletion, fields);
    ExpectSame(kChat, fields);
    ExpectSame(kChat, fields + std::string(R"(,"chat_template_kwargs":{"enable_thinking":true})"));
  }
}

constexpr const char* kTools =
    R"("tools":[{"type":"function","function":{"name":"f","parameters":
       {"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}}}])";

TEST_F(RenderTest, ToolsArriveAsTheConstraintThatTheyAre) {
  const std::string thinking = R"(,"chat_template_kwargs":{"enable_thinking":true})";
  for (const char* choice : {R"("auto")", R"("none")", R"("required")",
                             R"({"type":"function","function":{"name":"f"}})"}) {
    const std::string fields = std::string(kTools) + ",\"tool_choice\":" + choice;
    ExpectSame(kChat, fields);
    ExpectSame(kChat, fields + thinking);
  }
  ExpectSame(kChat, R"("thinking_token_budget":5)" + thinking);
  const Json required =
      Rendered(kChat, Body(kChat, kTools + std::string(R"(,"tool_choice":"required")")));
  EXPECT_TRUE(required["sampling_params"]["structured_outputs"]["structural_tag"].is_string());
}

TEST_F(RenderTest, ReasoningIsToldToWhoeverGenerates) {
  const auto ended = [&](const std::string& fields) {
    return Rendered(kChat, Body(kChat, fields))["reasoning_ended"];
  };
  EXPECT_EQ(ended(R"("chat_template_kwargs":{"enable_thinking":true})"), false);
  EXPECT_EQ(ended(R"("chat_template_kwargs":{"enable_thinking":false})"), true);
  // A constraint that says nothing waits for the end of reasoning; one that does, does not.
  const std::string head = R"({"token_ids":[1],"reasoning_ended":false,"sampling_params":{)";
  const v1::GenerateRequest waits =
      Asked(kGenerate, head + R"("structured_outputs":{"regex":"a"}}})");
  EXPECT_EQ(waits.constraint().start_after_text(), "</think>");
  const v1::GenerateRequest begins =
      Asked(kGenerate, head + R"("structured_outputs":{"regex":"a","start_after_token_ids":[]}}})");
  EXPECT_EQ(begins.constraint().start_after_text(), "");
}

TEST_F(RenderTest, ShowsAPromptAsARequest) {
  const Json chat = Rendered(kChat, R"({"messages":[{"role":"user","content":"Hi"}],"stream":true,
                          "stream_options":{"include_usage":true},"temperature":0,"stop":"x"})");
  EXPECT_EQ(chat["request_id"], "chatcmpl-rid");
  EXPECT_EQ(chat["model"], "byte-model");
  EXPECT_EQ(chat["stream"], true);
  EXPECT_EQ(chat["stream_options"]["include_usage"], true);
  EXPECT_EQ(chat["output_mode"], "tokens");
  EXPECT_EQ(chat["sampling_params"]["stop"], Json::array({"x"}));
  EXPECT_TRUE(chat["token_offsets"].is_null());
  const Json several =
      Rendered(kCompletion, R"({"prompt":["a","bc"],"max_tokens":3,"return_token_offsets":true,
                                "request_id":"me"})");
  ASSERT_EQ(several.size(), 2u);
  EXPECT_EQ(several[0]["request_id"], "cmpl-me-0");
  EXPECT_EQ(several[1]["request_id"], "cmpl-me-1");
  EXPECT_EQ(several[1]["token_ids"], Json::array({'b', 'c'}));
  EXPECT_EQ(several[1]["token_offsets"], Json::parse("[[0,1],[1,2]]"));
  EXPECT_EQ(several[1]["stream_options"], nullptr);
}

TEST_F(RenderTest, MessagesArriveAsTheyAre) {
  const std::string head = R"({"model":"byte-model","max_tokens":9,"messages":[)"
                           R"({"role":"user","content":[{"type":"text","text":"Hi"}]}])";
  ExpectSameAnswer(kMessages, head + "}");
  ExpectSameAnswer(kMessages,
                   head + R"(,"system":"Be brief.","temperature":0.5,"top_k":3,"top_p":0.8,
                                       "stop_sequences":["x"],"metadata":{"user_id":"u"}})");
  ExpectSameAnswer(kMessages, head + R"(,"tools":[{"name":"f","input_schema":{"type":"object"}}],
                                       "tool_choice":{"type":"any"}})");
  ExpectSameAnswer(kMessages, head + R"(,"thinking":{"type":"enabled","budget_tokens":1024}})");
  const Json rendered = Rendered(kMessages, head + R"(,"stream":true})");
  EXPECT_EQ(rendered["request_id"], "chatcmpl-rid");
  EXPECT_EQ(rendered["stream"], true);
  EXPECT_EQ(rendered["stream_options"]["continuous_usage_stats"], true);
  EXPECT_EQ(rendered["sampling_params"]["max_tokens"], 9);
}

TEST_F(RenderTest, ResponsesArriveAsTheyAre) {
  ExpectSameAnswer(kResponses, R"({"input":"Hi"})");
  ExpectSameAnswer(kResponses, R"({"input":[{"role":"user","content":"Hi"}],"instructions":"Be.",
                               "max_output_tokens":7,"temperature":0.3,"top_p":0.9,"store":false})");
  ExpectSameAnswer(kResponses, R"({"input":"Hi","text":{"format":{"type":"json_schema","name":"x",
                               "schema":{"type":"object"}}}})");
  const Json rendered = Rendered(kResponses, R"({"input":"Hi","max_output_tokens":5})");
  EXPECT_EQ(rendered["request_id"], "resp_rid");
  EXPECT_EQ(rendered["sampling_params"]["max_tokens"], 5);
  EXPECT_EQ(Rendered(kResponses, R"({"input":"Hi","request_id":"me"})")["request_id"], "me");
}

TEST_F(RenderTest, RefusesWhatAnAnswerWouldRefuse) {
  const auto refusal = [&](const std::string& path, const std::string& body) {
    const auto sink = routes().Post(path + "/render", body);
    AwaitChecks();
    EXPECT_EQ(sink->response.status, 400) << body;
    return sink->response.body;
  };
  EXPECT_THAT(refusal(kChat, Body(kChat, R"("use_beam_search":true)")),
              HasSubstr("Beam search is not supported by the render endpoint"));
  EXPECT_THAT(refusal(kChat, Body(kChat, R"("temperature":9)")), HasSubstr("\"temperature\""));
  EXPECT_THAT(refusal(kCompletion, Body(kCompletion, R"("structured_outputs":{"regex":"("})")),
              HasSubstr("\"structured_outputs\""));
  EXPECT_THAT(refusal(kCompletion, R"({"prompt":[999999]})"), HasSubstr("out of vocabulary"));
  EXPECT_THAT(refusal(kMessages, R"({"model":"byte-model","messages":[]})"),
              HasSubstr("max_tokens"));
  EXPECT_THAT(refusal(kResponses, R"({"input":"Hi","max_output_tokens":-1})"),
              HasSubstr("max_output_tokens"));
  const Json earlier = Json::parse(
      refusal(kResponses, R"({"input":"Hi","previous_response_id":"resp_1"})"))["error"];
  EXPECT_EQ(earlier["message"],
            "previous_response_id is not supported by the stateless render endpoint.");
  EXPECT_EQ(earlier["type"], "invalid_request_error");
  EXPECT_EQ(earlier["param"], "previous_response_id");
  EXPECT_TRUE(fleet_.routes.empty());
}

}  // namespace
}  // namespace baton::frontend
