// Replies put together at random from markers, JSON and text, and recorded ones that were damaged,
// for every notation: no crash, the same however they are cut, calls that were not cut off have
// valid JSON, and text without markup is text to the last byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/unit/frontend/tools/read_reply.h"
#include "tests/unit/frontend/tools/recorded_replies.h"

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
  return text.starts_with('{') && nlohmann::json::accept(text);
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

std::vector<size_t> RandomEnds(std::string_view text, size_t piece_max, std::mt19937& random) {
  std::vector<size_t> ends;
  for (size_t at = 0; (at += 1 + random() % piece_max) < text.size();) ends.push_back(at);
  return ends;
}

// One reply, whole, byte by byte and in random pieces.
void ExpectTheSameInPieces(const ReplyPlan& plan, const std::string& text, ReplyEnd end,
                           std::mt19937& random) {
  const ReadReply whole = ReadIn(plan, text, {}, end);
  ASSERT_EQ(ReadIn(plan, text, EveryByte(text), end), whole) << text;
  ASSERT_EQ(ReadIn(plan, text, RandomEnds(text, 12, random), end), whole) << text;
  ASSERT_TRUE(whole.in_order);
  if (end == ReplyEnd::kCut && !whole.whole) return;
  for (const ReadReply::Call& call : whole.calls) {
    ASSERT_TRUE(IsJsonObject(call.arguments)) << text << "\n" << call.arguments;
  }
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
    ASSERT_NO_FATAL_FAILURE(ExpectTheSameInPieces(plan, text, end, random)) << "round " << round;
  }
}

// Characters rather than bytes: what comes out of a detokeniser is never half of one.
std::vector<std::string> Characters(std::string_view text) {
  std::vector<std::string> characters;
  for (const char c : text) {
    if (BeginsCharacter(c)) characters.emplace_back();
    characters.back() += c;
  }
  return characters;
}

// What models do to their own markup: leave out, repeat, swap, break off, mix in, turn a letter.
void Damage(std::vector<std::string>& reply, const std::vector<std::string>& other,
            std::mt19937& random) {
  const auto place = [&](const std::vector<std::string>& in) {
    return static_cast<std::ptrdiff_t>(random() % (in.size() + 1));
  };
  const auto range = [&](const std::vector<std::string>& in) {
    const auto from = place(in);
    return std::pair(from, std::min(from + static_cast<std::ptrdiff_t>(random() % 20),
                                    static_cast<std::ptrdiff_t>(in.size())));
  };
  const auto [begin, end] = range(reply);
  switch (random() % 6) {
    case 0:
      reply.erase(reply.begin() + begin, reply.begin() + end);
      break;
    case 1: {
      const std::vector<std::string> copy(reply.begin() + begin, reply.begin() + end);
      reply.insert(reply.begin() + place(reply), copy.begin(), copy.end());
      break;
    }
    case 2:
      std::reverse(reply.begin() + begin, reply.begin() + end);
      break;
    case 3:
      reply.resize(static_cast<size_t>(begin));
      break;
    case 4: {
      const auto [from, to] = range(other);
      reply.insert(reply.begin() + begin, other.begin() + from, other.begin() + to);
      break;
    }
    default:
      if (begin < end) reply[static_cast<size_t>(begin)] = kPieces[random() % std::size(kPieces)];
  }
}

// Each recorded reply, in its own notation, damaged in up to four places.
TEST(ReplyFuzz, DamagedRepliesAreReadTheSameHoweverTheyAreCut) {
  constexpr int kRoundsPerReply = 60;
  std::mt19937 random(17);
  const nlohmann::json cases = RecordedReplies("cases.json");
  std::vector<std::vector<std::string>> replies;
  for (const auto& test : cases) {
    replies.push_back(Characters(test["text"].get_ref<const std::string&>()));
  }
  for (size_t i = 0; i < replies.size(); ++i) {
    SCOPED_TRACE(cases[i]["name"].get<std::string>());
    const ReplyPlan plan = RecordedPlan(cases[i]);
    for (int round = 0; round < kRoundsPerReply; ++round) {
      std::vector<std::string> reply = replies[i];
      for (size_t times = 1 + random() % 4; times > 0; --times) {
        Damage(reply, replies[random() % replies.size()], random);
      }
      std::string text;
      for (const std::string& character : reply) text += character;
      const ReplyEnd end = random() % 3 == 0 ? ReplyEnd::kCut : ReplyEnd::kStopped;
      ASSERT_NO_FATAL_FAILURE(ExpectTheSameInPieces(plan, text, end, random)) << "round " << round;
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
