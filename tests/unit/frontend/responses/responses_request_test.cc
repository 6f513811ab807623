#include "frontend/responses/responses_request.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/base/status.h"

namespace baton::frontend {
namespace {

Json ChatOf(const std::string& body, std::string_view earlier = "") {
  const auto request = ResponsesRequest::Parse(body);
  EXPECT_TRUE(request.ok()) << request.status();
  const auto chat = request->ChatBody(earlier);
  EXPECT_TRUE(chat.ok()) << chat.status();
  return chat.ok() ? Json::parse(*chat) : Json();
}

absl::Status ErrorOf(const std::string& body) {
  const auto request = ResponsesRequest::Parse(body);
  return request.ok() ? request->ChatBody("").status() : request.status();
}

TEST(ResponsesRequestTest, TextBecomesOneMessage) {
  EXPECT_EQ(ChatOf(R"({"model":"m","input":"Hi","instructions":"Be kind","max_output_tokens":5,
                       "temperature":0,"stream":true,"whatever":1})"),
            Json::parse(R"({"model":"m","max_completion_tokens":5,"temperature":0,"stream":true,
                            "whatever":1,"messages":[{"role":"system","content":"Be kind"},
                                                     {"role":"user","content":"Hi"}]})"));
}

TEST(ResponsesRequestTest, ItemsOfOneTurnJoin) {
  const Json chat = ChatOf(R"({"input":[
    {"role":"developer","content":"Short."},
    {"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":"b"}]},
    {"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},
    {"type":"message","role":"assistant","content":[{"type":"output_text","text":"wait"}]},
    {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
    {"type":"function_call","call_id":"c2","name":"g","arguments":"{\"x\":1}"},
    {"type":"function_call_output","call_id":"c1","output":"one"},
    {"type":"function_call_output","call_id":"c2","output":"two"}]})");
  EXPECT_EQ(chat["messages"], Json::parse(R"([
    {"role":"developer","content":"Short."},
    {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
    {"role":"assistant","content":"wait","reasoning_content":"hm","tool_calls":[
      {"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},
      {"id":"c2","type":"function","function":{"name":"g","arguments":"{\"x\":1}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"one"},
    {"role":"tool","tool_call_id":"c2","content":"two"}])"));
}

TEST(ResponsesRequestTest, GoesOnFromEarlierItemsAndUnfinishedOnes) {
  const Json chat = ChatOf(R"({"input":[{"type":"message","role":"assistant","status":"incomplete",
                                         "content":[{"type":"output_text","text":"Once"}]}]})",
                           R"([{"role":"user","content":"Tell"}])");
  EXPECT_EQ(chat["messages"], Json::parse(R"([{"role":"user","content":"Tell"},
                                              {"role":"assistant","content":"Once"}])"));
  EXPECT_EQ(chat["continue_final_message"], true);
  EXPECT_EQ(chat["add_generation_prompt"], false);
}

TEST(ResponsesRequestTest, ToolsAreNestedAndNamespacesJoined) {
  const Json chat = ChatOf(R"({"input":"x","tools":[
    {"type":"function","name":"f","parameters":{"type":"object"},"strict":true},
    {"type":"namespace","name":"ns","tools":[{"type":"function","name":"g"}]}],
    "tool_choice":{"type":"function","name":"ns__g"}})");
  EXPECT_EQ(chat["tools"][0]["function"]["name"], "f");
  EXPECT_EQ(chat["tools"][0]["function"]["strict"], true);
  EXPECT_EQ(chat["tools"][1]["function"]["name"], "ns__g");
  EXPECT_EQ(chat["tool_choice"]["function"]["name"], "ns__g");
  const Json allowed = ChatOf(R"({"input":"x","tools":[{"type":"function","name":"f"},
    {"type":"function","name":"g"}],"tool_choice":{"type":"allowed_tools","mode":"required",
    "tools":[{"type":"function","name":"g"}]}})");
  EXPECT_EQ(allowed["tools"].size(), 1u);
  EXPECT_EQ(allowed["tool_choice"], "required");
}

TEST(ResponsesRequestTest, FormatsAndReasoningAreTranslated) {
  const Json chat = ChatOf(R"({"input":"x","text":{"format":{"type":"json_schema","name":"n",
    "schema":{"type":"object"}}},"reasoning":{"effort":"low"},"truncation":"auto",
    "include":["message.output_text.logprobs"],"top_logprobs":2})");
  EXPECT_EQ(chat["response_format"]["json_schema"]["schema"]["type"], "object");
  EXPECT_EQ(chat["reasoning_effort"], "low");
  EXPECT_EQ(chat["truncate_prompt_tokens"], -1);
  EXPECT_EQ(chat["top_logprobs"], 2);
}

TEST(ResponsesRequestTest, NamesTheParameterOfEveryRefusal) {
  const struct {
    const char* body;
    const char* field;
  } cases[] = {
      {R"({})", "body.input"},
      {R"({"input":3})", "body.input"},
      {R"({"input":"x","background":true,"store":false})", "background"},
      {R"({"input":"x","prompt":{"id":"p"}})", "prompt"},
      {R"({"input":"x","tool_choice":"required"})", "tool_choice"},
      {R"({"input":"x","tool_choice":{"type":"function","name":"f"}})", "tool_choice"},
      {R"({"input":"x","tools":[{"type":"web_search_preview"}]})", "tools"},
      {R"({"input":"x","include":["nothing"]})", "body.include.0"},
      {R"({"input":"x","structured_outputs":{"regex":"a"},
           "text":{"format":{"type":"json_object"}}})",
       "structured_outputs"},
      {R"({"input":"x","truncation":"some"})", "body.truncation"},
      {R"({"input":[{"type":"nonsense"}]})", "body.input"},
      {R"({"input":[{"role":"user"}]})", "body.input"},
      {R"({"input":[{"type":"reasoning","summary":[],"encrypted_content":"zzz"}]})", "input"},
      {R"({"input":[]})", "input"},
      {R"({"input":[{"role":"user","content":[{"type":"input_image","image_url":5}]}]})",
       "body.input"},
      {R"({"input":[{"role":"assistant","content":[{"type":"refusal","refusal":5}]}]})",
       "body.input"},
      {R"({"input":"x","text":{"format":{"type":5}}})", "body.text.format.type"},
      {R"({"input":"x","text":{"format":{"type":"json_schema","name":"n"}}})",
       "body.text.format.schema"},
      {R"({"input":"x","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":5}})",
       "tool_choice"},
      {R"({"input":"x","tools":[{"type":"function","name":"f"}],
           "tool_choice":{"type":"function","name":5}})",
       "tool_choice"},
      {R"({"input":"x","tools":[{"type":"function","name":"f"}],"tool_choice":
           {"type":"allowed_tools","mode":5,"tools":[{"type":"function","name":"f"}]}})",
       "tool_choice"},
      {R"({"input":"x","metadata":"m"})", "body.metadata"},
      {R"({"input":"x","top_logprobs":-1})", "top_logprobs"},
      {R"({"input":"x","tool_choice":"some"})", "body.tool_choice"},
      {R"({"input":"x","tool_choice":5})", "body.tool_choice"},
      {R"({"input":"x","tools":[{"type":"function"}]})", "body.tools.0.name"},
      {R"({"input":"x","service_tier":"some"})", "body.service_tier"},
      {R"({"input":"x","store":"some"})", "body.store"},
      {R"({"input":[{"role":"tool","content":"x"}]})", "body.input"},
      {R"({"input":[{"role":"user","content":[{"type":"nonsense"}]}]})", "body.input"},
      {R"({"input":[{"role":"user","content":[{"type":"input_file"}]}]})", "input"},
      {R"({"input":[{"type":"custom_tool_call","call_id":"c","name":"n","input":"i"}]})", "input"},
  };
  for (const auto& c : cases) {
    const absl::Status status = ErrorOf(c.body);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.body;
    EXPECT_EQ(Field(status), c.field) << c.body << ": " << status.message();
  }
}

TEST(ResponsesRequestTest, ListsItsItemsWithIds) {
  const auto request = ResponsesRequest::Parse(R"({"input":"Hi"})");
  EXPECT_EQ(Json::parse(request->InputItemsJson("msg_a")),
            Json::parse(R"([{"id":"msg_a_0","type":"message","role":"user","status":"completed",
                             "content":[{"type":"input_text","text":"Hi"}]}])"));
}

TEST(ResponsesRequestTest, EchoesEveryMemberThatTheApiRequires) {
  const auto plain = ResponsesRequest::Parse(R"({"input":"Hi"})");
  const Json echo = Json::parse("{" + plain->EchoJson(/*can_store=*/true) + "}");
  EXPECT_EQ(echo["tool_choice"], "auto");
  EXPECT_EQ(echo["text"]["format"]["type"], "text");
  EXPECT_EQ(echo["store"], true);
  EXPECT_EQ(Json::parse("{" + plain->EchoJson(/*can_store=*/false) + "}")["store"], false);
  const auto full = ResponsesRequest::Parse(
      R"({"input":"Hi","store":false,"prompt_cache_key":"k","safety_identifier":"s",
          "tools":[{"type":"function","name":"f"}]})");
  const Json echoed = Json::parse("{" + full->EchoJson(/*can_store=*/true) + "}");
  EXPECT_EQ(echoed["store"], false);
  EXPECT_EQ(echoed["prompt_cache_key"], "k");
  EXPECT_EQ(echoed["safety_identifier"], "s");
  EXPECT_EQ(echoed["tools"], Json::parse(R"([{"type":"function","name":"f","description":null,
                                              "parameters":null,"strict":null}])"));
}

}  // namespace
}  // namespace baton::frontend
