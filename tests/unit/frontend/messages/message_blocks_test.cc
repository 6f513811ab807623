#include "frontend/messages/message_blocks.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "common/json/json.h"
#include "tests/fakes/message_deltas.h"

namespace baton::frontend {
namespace {

TEST(MessageBlocksTest, EventsOfAllBlocks) {
  MessageBlocks blocks("msg_1", BlockEvents::kSend);
  blocks.Add(Reasoning("hm"));
  blocks.Add(Content("Hel"));
  blocks.Add(Content("lo"));
  blocks.Add(CallBegin("f", ""));
  blocks.Add(Arguments("{\"a\":1}"));
  blocks.Close();
  EXPECT_EQ(Json::parse(blocks.ContentJson()),
            Json::parse(R"([{"type":"thinking","thinking":"hm","signature":"msg_1"},
                            {"type":"text","text":"Hello","citations":null},
                            {"type":"tool_use","id":"toolu_msg_1_2","name":"f","input":{"a":1},
                             "caller":{"type":"direct"}}])"));
  EXPECT_TRUE(blocks.has_calls());

  const std::string events = blocks.TakeEvents();
  std::vector<std::string> types;
  std::string json;
  int open = -1;
  for (size_t begin = 0; (begin = events.find("data: ", begin)) != std::string::npos;) {
    const size_t end = events.find("\n\n", begin);
    const Json event = Json::parse(events.substr(begin + 6, end - begin - 6));
    begin = end;
    if (event["type"] == "content_block_start") {
      EXPECT_EQ(event["index"], open + 1);
      open = event["index"];
    } else {
      EXPECT_EQ(event["index"], open);
    }
    if (event["type"] != "content_block_delta") continue;
    types.push_back(event["delta"]["type"]);
    if (types.back() == "input_json_delta") json += event["delta"]["partial_json"];
  }
  EXPECT_EQ(types, (std::vector<std::string>{"thinking_delta", "signature_delta", "text_delta",
                                             "text_delta", "input_json_delta"}));
  EXPECT_EQ(json, "{\"a\":1}");
}

TEST(MessageBlocksTest, AnEmptyAnswerIsAnEmptyText) {
  MessageBlocks blocks("msg_1", BlockEvents::kNone);
  blocks.Close();
  EXPECT_EQ(blocks.ContentJson(), R"([{"type":"text","text":"","citations":null}])");
  EXPECT_EQ(blocks.TakeEvents(), "");
}

TEST(MessageBlocksTest, ABrokenCallStaysAnObject) {
  MessageBlocks blocks("msg_1", BlockEvents::kNone);
  blocks.Add(CallBegin("f", "id"));
  blocks.Add(Arguments("{\"a"));
  blocks.Close();
  EXPECT_EQ(Json::parse(blocks.ContentJson())[0]["input"], Json::object());
}

}  // namespace
}  // namespace baton::frontend
