// Chat requests with tools and reasoning, from HTTP body to HTTP answer, with workers that the test
// plays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "frontend/generation/generation_start.h"
#include "tests/fakes/api_fixture.h"
#include "tests/fakes/recording_sink.h"

namespace baton::frontend {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

// Writes calls as Hermes does, thinks as Qwen 3 does, and shows tools and calls.
constexpr std::string_view kTemplate =
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}<|start|>{{ m.role }}:"
    "{{ m.content }}{% for c in m.tool_calls %}<tool_call>{{ c.function.name }} "
    "{{ c.function.arguments.city }}</tool_call>{% endfor %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant:{% if enable_thinking %}<think>\n"
    "{% endif %}{% endif %}";

constexpr const char* kTools =
    R"("tools":[{"type":"function","function":{"name":"get_weather","description":"W",
       "parameters":{"type":"object","properties":{"city":{"type":"string"}},
       "required":["city"]}}},{"type":"function","function":{"name":"now"}}])";

constexpr const char* kCall =
    "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>";

class ToolCallsTest : public ApiFixture {
 protected:
  ToolCallsTest()
      : ApiFixture({.card = WithTemplate(), .context_length = 4096, .in_flight_max = 100}) {}

  static ModelCard WithTemplate() {
    ModelCard card = ByteModelCard();
    card.files["chat_template.jinja"] = std::string(kTemplate);
    return card;
  }

  std::shared_ptr<RecordingSink> Chat(const std::string& fields) {
    auto sink = std::make_shared<RecordingSink>();
    HttpRequest request;
    request.headers = {{"Content-Type", "application/json"}};
    request.request_id = "rid";
    const bool own_messages = fields.find("\"messages\"") != std::string::npos;
    request.body = std::string("{") +
                   (own_messages ? "" : R"("messages":[{"role":"user","content":"Hi"}],)") +
                   fields + "}";
    StartGeneration(context_, GenerationEndpoint::kChat, std::move(request), sink);
    return sink;
  }

  // Answers the next request with a text, a byte a token.
  void Answer(const std::string& text, v1::FinishReason reason = v1::FINISH_REASON_STOP) {
    const size_t call = fleet_.calls.size();
    fleet_.Place(call, "w");
    const std::vector<TokenId> ids = BytesOf(text);
    for (size_t i = 0; i + 1 < ids.size(); ++i) fleet_.Tokens(call, 0, {ids[i]});
    fleet_.Tokens(call, 0, {ids.back()}, ScriptedWorkers::End(0, reason));
  }

  std::string Prompt() {
    const auto& ids = fleet_.calls.back().request.tokens().ids();
    const auto model = *models_.Find("");
    return model->tokenizer->Decode({ids.data(), static_cast<size_t>(ids.size())},
                                    SpecialTokens::kKeep);
  }

  static Json Choice(const std::shared_ptr<RecordingSink>& sink) {
    const Json body = Json::parse(sink->response.body, nullptr, false);
    EXPECT_TRUE(body.is_object() && body.contains("choices")) << sink->response.body;
    return body["choices"][0];
  }

  // The chunks of a stream, the opening one left out.
  static std::vector<Json> Choices(const std::shared_ptr<RecordingSink>& sink) {
    std::vector<Json> choices;
    std::string_view rest = sink->response.body;
    for (size_t at = 0; (at = rest.find("data: {")) != std::string_view::npos;) {
      rest.remove_prefix(at + 6);
      const Json chunk = Json::parse(rest.substr(0, rest.find('\n')), nullptr, false);
      if (!chunk["choices"].empty()) choices.push_back(chunk["choices"][0]);
    }
    if (!choices.empty()) choices.erase(choices.begin());
    return choices;
  }
};

TEST_F(ToolCallsTest, ACallIsPartOfTheMessage) {
  const auto sink = Chat(kTools);
  Answer(std::string("Let me see.\n") + kCall);
  EXPECT_THAT(Prompt(), HasSubstr(R"([{"type": "function", "function": {"name": "get_weather",)"));
  const Json choice = Choice(sink);
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
  EXPECT_EQ(choice["message"]["content"], "Let me see.");
  ASSERT_EQ(choice["message"]["tool_calls"].size(), 1U);
  const Json& call = choice["message"]["tool_calls"][0];
  EXPECT_EQ(call["type"], "function");
  EXPECT_GE(call["id"].get<std::string>().size(), 9U);
  EXPECT_EQ(call["function"]["name"], "get_weather");
  EXPECT_EQ(call["function"]["arguments"], R"({"city": "Oslo"})");
  EXPECT_FALSE(call.contains("index"));
}

TEST_F(ToolCallsTest, ACallAloneHasNoContent) {
  const auto sink = Chat(kTools);
  Answer(kCall);
  EXPECT_TRUE(Choice(sink)["message"]["content"].is_null());
}

TEST_F(ToolCallsTest, ACallStreams) {
  const auto sink = Chat(std::string(kTools) + R"(,"stream":true)");
  Answer(std::string("Look: ") + kCall + "\n" + kCall);
  std::string content;
  std::vector<Json> calls;
  std::vector<std::string> arguments;
  Json finish;
  for (const Json& choice : Choices(sink)) {
    content += choice["delta"].value("content", "");
    for (const Json& call : choice["delta"].value("tool_calls", Json::array())) {
      const size_t index = call["index"];
      if (call.contains("id")) {
        ASSERT_EQ(index, calls.size());
        calls.push_back(call);
        arguments.emplace_back();
      } else {
        EXPECT_FALSE(call.contains("type") || call["function"].contains("name"));
      }
      ASSERT_EQ(index + 1, calls.size());
      arguments[index] += call["function"]["arguments"].get<std::string>();
    }
    if (!choice["finish_reason"].is_null()) finish = choice["finish_reason"];
  }
  EXPECT_EQ(content, "Look:");
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[1]["function"]["name"], "get_weather");
  EXPECT_NE(calls[0]["id"], calls[1]["id"]);
  EXPECT_EQ(arguments[0], R"({"city": "Oslo"})");
  EXPECT_EQ(arguments[1], R"({"city": "Oslo"})");
  EXPECT_EQ(finish, "tool_calls");
}

TEST_F(ToolCallsTest, FinishReasonsSayWhetherCallsAreWhole) {
  const auto cut = Chat(kTools);
  Answer(std::string(kCall).substr(0, 60), v1::FINISH_REASON_LENGTH);
  EXPECT_EQ(Choice(cut)["finish_reason"], "length");
  EXPECT_EQ(Choice(cut)["message"]["tool_calls"].size(), 1U);
  const auto none = Chat(kTools);
  Answer("No call.");
  EXPECT_EQ(Choice(none)["finish_reason"], "stop");
  EXPECT_FALSE(Choice(none)["message"].contains("tool_calls"));
}

TEST_F(ToolCallsTest, ABareObjectIsACallThatFitsItsTool) {
  const auto fits = Chat(kTools);
  Answer(R"({"name": "get_weather", "arguments": {"city": "Oslo"}})");
  EXPECT_EQ(Choice(fits)["finish_reason"], "tool_calls");
  const auto unfit = Chat(kTools);
  Answer(R"({"name": "get_weather", "arguments": {"town": "Oslo"}})");
  EXPECT_EQ(Choice(unfit)["finish_reason"], "stop");
  EXPECT_FALSE(Choice(unfit)["message"].contains("tool_calls"));
}

TEST_F(ToolCallsTest, NoneMeansText) {
  const auto sink = Chat(std::string(kTools) + R"(,"tool_choice":"none")");
  Answer(kCall);
  EXPECT_THAT(Prompt(), HasSubstr("get_weather"));
  EXPECT_EQ(Choice(sink)["message"]["content"], kCall);
  options_.prompts.hides_unused_tools = true;
  Chat(std::string(kTools) + R"(,"tool_choice":"none")");
  Answer("x");
  EXPECT_THAT(Prompt(), Not(HasSubstr("get_weather")));
}

TEST_F(ToolCallsTest, RequiredAndNamedChoicesAreEnforced) {
  const auto required = Chat(std::string(kTools) + R"(,"tool_choice":"required")");
  AwaitChecks();
  Answer(kCall);
  EXPECT_EQ(Choice(required)["finish_reason"], "tool_calls");
  EXPECT_EQ(Choice(required)["message"]["content"], "");
  const auto named =
      Chat(std::string(kTools) +
           R"(,"tool_choice":{"type":"function","function":{"name":"get_weather"}})");
  AwaitChecks();
  Answer(kCall);
  EXPECT_EQ(Choice(named)["finish_reason"], "stop");
  EXPECT_EQ(Choice(named)["message"]["tool_calls"].size(), 1U);
}

TEST_F(ToolCallsTest, ParallelCallsCanBeRefused) {
  const auto sink = Chat(std::string(kTools) + R"(,"parallel_tool_calls":false)");
  Answer(std::string(kCall) + kCall);
  EXPECT_EQ(Choice(sink)["message"]["tool_calls"].size(), 1U);
  EXPECT_EQ(Choice(sink)["finish_reason"], "tool_calls");
}

TEST_F(ToolCallsTest, TheDeprecatedFormIsAnsweredInItsOwnShape) {
  const std::string functions =
      R"("functions":[{"name":"get_weather","parameters":{"type":"object",
         "properties":{"city":{"type":"string"}}}}],"function_call":"auto")";
  const auto whole = Chat(functions);
  Answer(kCall);
  const Json choice = Choice(whole);
  EXPECT_EQ(choice["finish_reason"], "function_call");
  EXPECT_EQ(choice["message"]["function_call"],
            Json::parse(R"({"name":"get_weather","arguments":"{\"city\": \"Oslo\"}"})"));
  EXPECT_FALSE(choice["message"].contains("tool_calls"));

  const auto stream = Chat(functions + R"(,"stream":true)");
  Answer(kCall);
  std::string name;
  std::string arguments;
  for (const Json& chunk : Choices(stream)) {
    const Json call = chunk["delta"].value("function_call", Json::object());
    name += call.value("name", "");
    arguments += call.value("arguments", "");
  }
  EXPECT_EQ(name, "get_weather");
  EXPECT_EQ(arguments, R"({"city": "Oslo"})");
}

TEST_F(ToolCallsTest, EarlierCallsReachTheTemplate) {
  const auto sink = Chat(std::string(kTools) + R"(,"messages":[{"role":"user","content":"Hi"},
    {"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function","function":
      {"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},
    {"role":"tool","tool_call_id":"1","content":"3 degrees"},
    {"role":"assistant","content":"","function_call":{"name":"now","arguments":"{\"city\":\"x\"}"}},
    {"role":"function","name":"now","content":"noon"}])");
  Answer("Cold.");
  EXPECT_THAT(Prompt(), HasSubstr("<tool_call>get_weather Oslo</tool_call>"));
  EXPECT_THAT(Prompt(), HasSubstr("<|start|>tool:3 degrees"));
  EXPECT_THAT(Prompt(), HasSubstr("<tool_call>now x</tool_call>"));
  EXPECT_THAT(Prompt(), HasSubstr("<|start|>tool:noon"));
  EXPECT_EQ(Choice(sink)["message"]["content"], "Cold.");
}

TEST_F(ToolCallsTest, ReasoningIsAFieldOfItsOwn) {
  const auto sink = Chat(R"("chat_template_kwargs":{"enable_thinking":true})");
  Answer("I think.\n</think>\nHello.");
  const Json body = Json::parse(sink->response.body);
  const Json& message = body["choices"][0]["message"];
  EXPECT_EQ(message["reasoning"], "I think.\n");
  EXPECT_EQ(message["content"], "\nHello.");
  EXPECT_FALSE(message.contains("reasoning_content"));
  EXPECT_EQ(body["usage"]["completion_tokens_details"]["reasoning_tokens"], 16);
}

TEST_F(ToolCallsTest, ReasoningStreamsAndCanBeLeftOut) {
  options_.old_reasoning_name = true;
  for (const bool included : {true, false}) {
    const auto sink = Chat(std::string(R"("stream":true,"return_token_ids":true,)") +
                           R"("include_reasoning":)" + (included ? "true" : "false"));
    Answer("<think>Hm.</think>Hello.");
    std::string reasoning;
    std::string old;
    std::string content;
    size_t ids = 0;
    for (const Json& choice : Choices(sink)) {
      reasoning += choice["delta"].value("reasoning", "");
      old += choice["delta"].value("reasoning_content", "");
      content += choice["delta"].value("content", "");
      ids += choice["token_ids"].is_array() ? choice["token_ids"].size() : 0;
    }
    EXPECT_EQ(reasoning, included ? "Hm." : "");
    EXPECT_EQ(old, reasoning);
    EXPECT_EQ(content, "Hello.");
    EXPECT_EQ(ids == 24, included) << ids;
  }
}

TEST_F(ToolCallsTest, ThinkingThatIsSwitchedOffIsNoReasoning) {
  const auto sink = Chat(R"("chat_template_kwargs":{"enable_thinking":false})");
  Answer("<think>x</think>");
  EXPECT_EQ(Choice(sink)["message"]["content"], "<think>x</think>");
}

TEST_F(ToolCallsTest, ProblemsAreNamed) {
  const auto problem = [&](const std::string& fields) {
    const auto sink = Chat(fields);
    EXPECT_EQ(sink->response.status, 400) << fields;
    const Json error = Json::parse(sink->response.body, nullptr, false)["error"];
    return error["param"].dump() + " " + error["message"].get<std::string>();
  };
  const std::string tools = kTools;
  EXPECT_THAT(problem(R"("tools":[])"), HasSubstr("\"tools\" `tools` must not be an empty array"));
  EXPECT_THAT(problem(R"("tool_choice":"auto")"),
              HasSubstr("\"tool_choice\" When using `tool_choice`, `tools` must be set"));
  EXPECT_THAT(problem(tools + R"(,"tool_choice":"maybe")"),
              HasSubstr("\"tool_choice\" Invalid value for `tool_choice`: maybe!"));
  EXPECT_THAT(problem(tools + R"(,"tool_choice":{"type":"function"})"),
              HasSubstr("\"tool_choice.function\" Invalid value for `function`: `None`"));
  EXPECT_THAT(problem(tools + R"(,"tool_choice":{"function":{}})"),
              HasSubstr("\"tool_choice.function.name\" Expected field `name`"));
  EXPECT_THAT(problem(tools + R"(,"tool_choice":{"function":{"name":""}})"),
              HasSubstr("\"tool_choice.function.name\" Invalid `name`"));
  EXPECT_THAT(problem(tools + R"(,"tool_choice":{"function":{"name":"other"}})"),
              HasSubstr("\"tool_choice\" The tool specified in `tool_choice` does not match"));
  EXPECT_THAT(problem(R"("tools":[{"type":"function","function":{"name":"f","parameters":
                         {"type":"nonsense"}}}])"),
              HasSubstr("\"tools\" tools[0].function.parameters.type: `nonsense`"));
  EXPECT_THAT(
      problem(R"("tool_choice":"required","tools":[{"type":"function","function":{"name":"f",
                         "parameters":{"$ref":"#/$defs/none"}}}])"),
      HasSubstr("\"tools\" tools[0].function.parameters: #/$ref"));
  EXPECT_THAT(problem(R"("tools":[{"type":"function"}])"), HasSubstr("body.tools.0.function"));
  EXPECT_THAT(problem(R"("tools":[{"type":"x","function":{"name":"f"}}])"),
              HasSubstr("body.tools.0.type"));
}

}  // namespace
}  // namespace baton::frontend
