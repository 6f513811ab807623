#include "frontend/messages/messages_request.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/json/json.h"

namespace baton::frontend {
namespace {

Json ChatOf(std::string_view body, MessagesPurpose purpose = MessagesPurpose::kGenerate) {
  const auto chat = ChatBodyOfMessages(body, purpose);
  EXPECT_TRUE(chat.ok()) << chat.status();
  return chat.ok() ? Json::parse(*chat) : Json();
}

TEST(MessagesRequestTest, TranslatesTheSimplest) {
  EXPECT_EQ(ChatOf(R"({"model":"m","max_tokens":9,"system":"Be kind","stop_sequences":["END"],
                       "messages":[{"role":"user","content":"Hi"}]})"),
            Json::parse(R"({"model":"m","max_tokens":9,"stop":["END"],"messages":[
                             {"role":"system","content":"Be kind"},
                             {"role":"user","content":"Hi"}]})"));
}

TEST(MessagesRequestTest, ResultsOfToolsComeBeforeTheUsersWords) {
  const Json chat = ChatOf(R"({"model":"m","max_tokens":1,"messages":[
    {"role":"user","content":[{"type":"text","text":"a"}]},
    {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},
      {"type":"text","text":"calling"},{"type":"tool_use","id":"t1","name":"f","input":{"x":1}}]},
    {"role":"user","content":[{"type":"text","text":"go on"},
      {"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"7"}]}]}]})");
  EXPECT_EQ(chat["messages"], Json::parse(R"([{"role":"user","content":"a"},
    {"role":"assistant","content":"calling","reasoning_content":"hm","tool_calls":[
      {"id":"t1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},
    {"role":"tool","tool_call_id":"t1","content":"7"},
    {"role":"user","content":"go on"}])"));
  EXPECT_FALSE(chat.contains("continue_final_message"));
}

TEST(MessagesRequestTest, SeveralTextsAreLines) {
  const Json chat = ChatOf(R"({"model":"m","max_tokens":1,"messages":[
    {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":""},
                              {"type":"text","text":"b"}]},
    {"role":"assistant","content":[{"type":"text","text":"c"},{"type":"text","text":"d"},
      {"type":"tool_use","id":"t1","name":"f","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[
      {"type":"text","text":"e"},{"type":"image","source":{"type":"url","url":"u"}},
      {"type":"text","text":"f"}]}]}]})");
  EXPECT_EQ(chat["messages"][0]["content"],
            Json::parse(R"([{"type":"text","text":"a"},{"type":"text","text":"b"}])"));
  EXPECT_EQ(chat["messages"][1]["content"], "c\nd");
  EXPECT_EQ(chat["messages"][2]["content"], "e\nf");
  EXPECT_EQ(chat["messages"][3], Json::parse(R"({"role":"user","content":[{"type":"image_url",
                                                      "image_url":{"url":"u"}}]})"));
}

TEST(MessagesRequestTest, SystemTextsJoinAndBillingIsDropped) {
  const Json chat = ChatOf(R"({"model":"m","max_tokens":1,"system":[
    {"type":"text","text":"x-anthropic-billing-header: abc"},{"type":"text","text":"A"}],
    "messages":[{"role":"system","content":"B"},{"role":"user","content":"Hi"}]})");
  EXPECT_EQ(chat["messages"][0], Json::parse(R"({"role":"system","content":"AB"})"));
}

TEST(MessagesRequestTest, ToolsAndChoices) {
  const std::string body =
      R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"Hi"}],
    "tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"tool_choice":)";
  const Json any = ChatOf(body + R"({"type":"any","disable_parallel_tool_use":true}})");
  EXPECT_EQ(any["tools"][0]["function"]["parameters"]["type"], "object");
  EXPECT_EQ(any["tool_choice"], "required");
  EXPECT_EQ(any["parallel_tool_calls"], false);
  EXPECT_EQ(ChatOf(body + R"({"type":"tool","name":"f"}})")["tool_choice"]["function"]["name"],
            "f");
}

TEST(MessagesRequestTest, AnAssistantsLastWordsAreGoneOnWith) {
  const Json chat =
      ChatOf(R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"Hi"},
                                {"role":"assistant","content":"Well"}]})");
  EXPECT_EQ(chat["continue_final_message"], true);
}

TEST(MessagesRequestTest, ThinkingIsABudget) {
  const std::string body = R"({"model":"m","max_tokens":1,"messages":[{"role":"user",
                               "content":"Hi"}],"thinking":)";
  EXPECT_EQ(ChatOf(body + R"({"type":"enabled","budget_tokens":2048}})")["thinking_token_budget"],
            2048);
  EXPECT_EQ(ChatOf(body + R"({"type":"disabled"}})")["reasoning_effort"], "none");
  EXPECT_EQ(ChatOf(body + R"({"type":"adaptive"}})"), ChatOf(body + "null}"));
  for (const char* bad : {R"({"type":"enabled","budget_tokens":1023})", R"({"type":"enabled"})",
                          R"({"type":"enabled","budget_tokens":2048.5})", R"({"type":"x"})", "5"}) {
    EXPECT_FALSE(ChatBodyOfMessages(body + bad + "}", MessagesPurpose::kGenerate).ok()) << bad;
  }
}

TEST(MessagesRequestTest, CountingNeedsNoLimit) {
  EXPECT_FALSE(ChatOf(R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})",
                      MessagesPurpose::kCountTokens)
                   .contains("max_tokens"));
}

TEST(MessagesRequestTest, NamesWhatIsWrong) {
  const struct {
    const char* body;
    const char* message;
  } cases[] = {
      {R"({"model":"m","messages":[{"role":"user","content":"x"}]})", "max_tokens: Field required"},
      {R"({"model":"m","max_tokens":0,"messages":[]})",
       "max_tokens: Input should be an integer greater than 0"},
      {R"({"model":"m","max_tokens":1,"messages":[]})",
       "messages: at least one message is required"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"robot","content":"x"}]})",
       "messages.0.role: Input should be 'user', 'assistant' or 'system'"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text"}]}]})",
       "messages.0.content.0.text: Field required"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f"}]})",
       "tools.0.input_schema: Field required"},
      {R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}]})", "model: Field required"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],
           "tool_choice":{"type":"auto","disable_parallel_tool_use":"x"}})",
       "tool_choice.disable_parallel_tool_use: Input should be a valid boolean"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],
           "tools":[{"name":"f","input_schema":"x"}]})",
       "tools.0.input_schema: Input should be a valid dictionary"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],
           "stop_sequences":["a","b","c","d","e"]})",
       "stop_sequences: List should have at most 4 items after validation, not 5"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],
           "stop_sequences":["a",""]})",
       "stop_sequences.1: Input should be a valid string that is not empty"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],
           "thinking":{"type":"often"}})",
       "thinking.type: Input should be 'enabled', 'disabled' or 'adaptive'"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"metadata":"x"})",
       "metadata: Input should be a valid dictionary"},
  };
  for (const auto& c : cases) {
    const auto chat = ChatBodyOfMessages(c.body, MessagesPurpose::kGenerate);
    EXPECT_EQ(chat.status().message(), c.message) << c.body;
  }
}

}  // namespace
}  // namespace baton::frontend
