#include "frontend/responses/response_output.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/json/json.h"
#include "tests/fakes/message_deltas.h"

namespace baton::frontend {
namespace {

std::vector<Json> Parse(const std::string& events) {
  std::vector<Json> parsed;
  size_t begin = 0;
  while ((begin = events.find("data: ", begin)) != std::string::npos) {
    const size_t end = events.find("\n\n", begin);
    parsed.push_back(Json::parse(events.substr(begin + 6, end - begin - 6)));
    begin = end;
  }
  return parsed;
}

// A reply with one of everything.
void Speak(ResponseOutput& output) {
  output.Add(Reasoning("Let me"));
  output.Add(Reasoning(" think"));
  output.AddLogprobs(R"({"token":"Hel"})");
  output.Add(Content("Hel"));
  output.Add(Content("lo\n"));
  output.Add(CallBegin("f", ""));
  output.Add(Arguments("{\"a\":"));
  output.Add(Arguments("1}"));
  output.Add(CallBegin("g", "call_model"));
  output.Add(Arguments("{}"));
  output.Close(ItemStatus::kCompleted);
}

TEST(ResponseOutputTest, EventsTellTheItems) {
  ResponseEvents numbers;
  ResponseOutput output("resp_7", &numbers);
  Speak(output);
  const std::vector<Json> events = Parse(output.TakeEvents());
  const Json items = Json::parse(output.ItemsJson());
  ASSERT_EQ(items.size(), 4u);

  std::map<std::string, std::string> deltas;  // by item
  std::map<std::string, int> open;
  int last_index = -1;
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i]["sequence_number"], i);
    const std::string type = events[i]["type"];
    if (type == "response.output_item.added") {
      EXPECT_EQ(events[i]["output_index"], ++last_index);
      EXPECT_EQ(events[i]["item"]["status"], "in_progress");
      open[events[i]["item"]["id"]] = 1;
    } else if (type == "response.output_item.done") {
      EXPECT_EQ(events[i]["item"], items[static_cast<size_t>(last_index)]);
      EXPECT_EQ(open.erase(events[i]["item"]["id"]), 1u);
    } else if (type.ends_with(".delta")) {
      deltas[events[i]["item_id"]] += events[i]["delta"].get<std::string>();
    } else if (type.ends_with("text.done")) {
      EXPECT_EQ(events[i]["text"], deltas[events[i]["item_id"]]);
    } else if (type.ends_with("arguments.done")) {
      EXPECT_EQ(events[i]["arguments"], deltas[events[i]["item_id"]]);
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(items[0]["content"][0]["text"], "Let me think");
  EXPECT_EQ(items[1]["content"][0]["text"], "Hello\n");
  EXPECT_EQ(items[1]["content"][0]["logprobs"].size(), 1u);
  EXPECT_EQ(items[2]["arguments"], "{\"a\":1}");
  EXPECT_EQ(items[2]["call_id"], "call_7_2");
  EXPECT_EQ(items[3]["call_id"], "call_model");
}

TEST(ResponseOutputTest, ItemsAreTheSameWithoutEvents) {
  ResponseEvents numbers;
  ResponseOutput streamed("resp_7", &numbers);
  ResponseOutput whole("resp_7", nullptr);
  Speak(streamed);
  Speak(whole);
  EXPECT_EQ(whole.ItemsJson(), streamed.ItemsJson());
  EXPECT_EQ(whole.TakeEvents(), "");
}

TEST(ResponseOutputTest, SaysWhatIsUnfinished) {
  ResponseOutput cut("resp_1", nullptr);
  cut.Add(Content("Once"));
  cut.Close(ItemStatus::kIncomplete);
  EXPECT_EQ(Json::parse(cut.ItemsJson())[0]["status"], "incomplete");

  ResponseOutput broken("resp_1", nullptr);
  broken.Add(CallBegin("f", ""));
  broken.Add(Arguments("{\"a"));
  broken.Close(ItemStatus::kCompleted);
  EXPECT_EQ(Json::parse(broken.ItemsJson())[0]["status"], "incomplete");

  ResponseOutput empty("resp_1", nullptr);
  empty.Close(ItemStatus::kCompleted);
  EXPECT_EQ(Json::parse(empty.ItemsJson())[0]["content"][0]["text"], "");
}

TEST(ResponseObjectTest, HasAllMembersInEveryState) {
  const ResponseObject object("resp_1", 5, "m", "\"tools\":[]");
  const Json queued = Json::parse(object.Json({.status = "queued"}));
  EXPECT_EQ(queued["usage"], nullptr);
  EXPECT_EQ(queued["output"], Json::array());
  EXPECT_EQ(queued["completed_at"], nullptr);
  const Json done = Json::parse(object.Json({.status = "completed", .completed_at = 6}));
  EXPECT_EQ(done["completed_at"], 6);
  const Json cut = Json::parse(object.Json({.status = "incomplete",
                                            .output_json = "[1]",
                                            .incomplete_reason = "max_output_tokens",
                                            .usage = ResponseUsage{7, 3, 2, 1}}));
  EXPECT_EQ(cut["incomplete_details"]["reason"], "max_output_tokens");
  EXPECT_EQ(cut["usage"]["total_tokens"], 9);
  EXPECT_EQ(cut["usage"]["input_tokens_details"]["cached_tokens"], 3);
}

}  // namespace
}  // namespace baton::frontend
