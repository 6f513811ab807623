// Replies put together at random from markers, JSON and text, for every notation: no crash, the
// same however they are cut, calls that are said to be whole have valid JSON, and text without
// markup is text to the last byte.
#include <gtest/gtest.h>

#include <random>

#include "frontend/tools/json_reader.h"
#include "tests/unit/frontend/tools/read_reply.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kPieces[] = {"<tool_call>",
                                        "</tool_call>",
                                        "<think>",
                                        "</think>",
                                        "[TOOL_CALLS]",
                                        "[ARGS]",
                                        "[CALL_ID]",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        "(",
                                        ")",
                                        "\"",
                                        "\\",
                                        ":",
                                        ",",
                                        "'",
                                        "=",
                                        ">",
                                        "<",
                                        "\n",
                                        " ",
                                        "```json",
                                        "```",
                                        "{\"name\": \"get_weather\"",
                                        "\"arguments\": {\"city\": \"Oslo\"}",
                                        "\"name\": \"now\"",
                                        "{\"name\": \"now\", \"arguments\": {}}",
                                        "<function=",
                                        "<function=now>",
                                        "</function>",
                                        "<parameter=city>",
                                        "</parameter>",
                                        "<arg_key>",
                                        "</arg_key>",
                                        "<arg_value>",
                                        "</arg_value>",
                                        "<|tool_call|>",
                                        "functools",
                                        "<|python_tag|>",
                                        "<|python_start|>",
                                        "<|python_end|>",
                                        "[get_weather(city=",
                                        "now()",
                                        "<｜tool▁calls▁begin｜>",
                                        "<｜tool▁call▁begin｜>",
                                        "function<｜tool▁sep｜>now\n",
                                        "<｜tool▁sep｜>",
                                        "<｜tool▁call▁end｜>",
                                        "<|tool_call_begin|>",
                                        "functions.now:0",
                                        "<|tool_call_argument_begin|>",
                                        "<|channel|>",
                                        "<|message|>",
                                        "<|start|>",
                                        "<|end|>",
                                        "commentary to=functions.now",
                                        "analysis",
                                        "final",
                                        "True",
                                        "None",
                                        "1.5",
                                        "é",
                                        "雪",
                                        "word",
                                        "Here is my thought process:",
                                        "Here is my response:",
                                        "[THINK]",
                                        "[/THINK]",
                                        ";"};

ToolSet Tools() {
  return *ToolSet::Parse(
      R"([{"type":"function","function":{"name":"get_weather","parameters":{"type":"object",
          "properties":{"city":{"type":"string"}}}}},
          {"type":"function","function":{"name":"now"}}])");
}

bool IsJsonObject(const std::string& text) {
  JsonReader reader;
  std::string copy;
  JsonReader::Step step = JsonReader::Step::kMore;
  for (const char byte : text) step = reader.Push(byte, &copy);
  return step == JsonReader::Step::kEnd && text.front() == '{';
}

std::vector<ReplyPlan> Plans() {
  std::vector<ReplyPlan> plans;
  const std::vector<std::string> kinds = ReasoningFormatNames();
  size_t next = 0;
  for (const std::string& name : ToolFormatNames()) {
    ReplyPlan plan;
    plan.tool_format = FindToolFormat(name);
    plan.tools = Tools();
    plans.push_back(plan);
    plan.reasoning = FindReasoningFormat(kinds[next++ % kinds.size()]);
    plans.push_back(plan);
    plan.reasoning_start = ReasoningStart::kInside;
    plans.push_back(plan);
  }
  return plans;
}

TEST(ReplyFuzz, AnyTextIsReadTheSameHoweverItIsCut) {
  std::mt19937 random(11);
  const std::vector<ReplyPlan> plans = Plans();
  for (int round = 0; round < 6000; ++round) {
    const ReplyPlan& plan = plans[random() % plans.size()];
    std::string text;
    for (size_t pieces = 1 + random() % 24; pieces > 0; --pieces) {
      text += kPieces[random() % std::size(kPieces)];
    }
    const ReplyEnd end = random() % 3 == 0 ? ReplyEnd::kCut : ReplyEnd::kStopped;
    const ReadReply whole = ReadIn(plan, text, {}, end);
    ASSERT_EQ(ReadIn(plan, text, EveryByte(text), end), whole) << round << ": " << text;
    std::vector<size_t> ends;
    for (size_t at = 0; (at += 1 + random() % 12) < text.size();) ends.push_back(at);
    ASSERT_EQ(ReadIn(plan, text, ends, end), whole) << round << ": " << text;
    ASSERT_TRUE(whole.in_order);
    if (!whole.whole) continue;
    for (const ReadReply::Call& call : whole.calls) {
      ASSERT_TRUE(IsJsonObject(call.arguments)) << text << "\n" << call.arguments;
    }
  }
}

TEST(ReplyFuzz, TextWithoutMarkupIsText) {
  std::mt19937 random(13);
  constexpr std::string_view kWords[] = {"a",   "é",    "雪 ", "\n",   " ",  "word. ",
                                         "< b", "</",   "{ ",  "}",    "[",  "]",
                                         "`",   "``` ", "\"",  "func", "1;", "Here "};
  for (const std::string& name : ToolFormatNames()) {
    ReplyPlan plan;
    plan.tool_format = FindToolFormat(name);
    plan.tools = Tools();
    for (int round = 0; round < 100; ++round) {
      std::string text = "x";
      for (size_t words = random() % 40; words > 0; --words) {
        text += kWords[random() % std::size(kWords)];
      }
      const ReadReply reply = ReadIn(plan, text, EveryByte(text));
      ASSERT_EQ(reply.content, text) << name;
      ASSERT_TRUE(reply.calls.empty());
    }
  }
}

// What a hostile or broken model can make a parser do is bounded: this takes milliseconds.
TEST(ReplyFuzz, LongRepliesAreReadInBoundedTime) {
  std::vector<ReplyPlan> plans = Plans();
  for (const std::string_view piece :
       {std::string_view("<tool_call>{\"arguments\": \""), std::string_view("{\"id\": \""),
        std::string_view("<function="), std::string_view("[TOOL_CALLS]x"),
        std::string_view("<think>")}) {
    std::string text;
    while (text.size() < 40000) text += piece;
    for (const char* name : {"hermes", "llama3_json", "qwen3_coder", "mistral"}) {
      ReplyPlan plan;
      plan.tool_format = FindToolFormat(name);
      plan.tools = Tools();
      const ReadReply reply = ReadIn(plan, text, {});
      EXPECT_LE(reply.content.size(), text.size());
    }
  }
}

}  // namespace
}  // namespace baton::frontend
