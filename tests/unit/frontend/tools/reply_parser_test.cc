// Recorded replies of every family: what vLLM's own parsers make of them (tests/golden/tools), and
// what stands in cases.json where Baton differs on purpose; each in every way to cut it in two,
// byte by byte, and in random pieces.
#include "frontend/tools/reply_parser.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "absl/strings/ascii.h"
#include "tests/unit/frontend/tools/read_reply.h"
#include "tests/unit/frontend/tools/recorded_replies.h"

namespace baton::frontend {
namespace {

using nlohmann::json;

void ExpectCalls(const json& expected, const ReadReply& reply) {
  ASSERT_EQ(reply.calls.size(), expected["calls"].size());
  for (size_t i = 0; i < reply.calls.size(); ++i) {
    const json& call = expected["calls"][i];
    EXPECT_EQ(reply.calls[i].name, call["name"].get<std::string>());
    if (expected.contains("raw")) {
      EXPECT_EQ(reply.calls[i].arguments, expected["raw"].get<std::string>());
    } else {
      EXPECT_EQ(json::parse(reply.calls[i].arguments, nullptr, false), call["arguments"])
          << reply.calls[i].arguments;
    }
  }
}

TEST(ReplyParser, ReadsRecordedReplies) {
  const json vllm = RecordedReplies("vllm.json");
  for (const json& test : RecordedReplies("cases.json")) {
    const auto name = test["name"].get<std::string>();
    SCOPED_TRACE(name);
    const json& expected = test.contains("expect") ? test["expect"] : vllm[name];
    const ReadReply reply = ReadIn(RecordedPlan(test), test["text"].get<std::string>(), {});
    ExpectCalls(expected, reply);
    std::string content = expected["content"];
    // White space in front of markup belongs to it.
    if (!reply.calls.empty()) content = std::string(absl::StripTrailingAsciiWhitespace(content));
    EXPECT_EQ(reply.content, content);
    EXPECT_EQ(reply.reasoning, expected["reasoning"].get<std::string>());
    EXPECT_EQ(reply.whole, !reply.calls.empty() && expected.value("whole", true));
    if (test.contains("ids")) {
      for (size_t i = 0; i < reply.calls.size(); ++i) {
        EXPECT_EQ(reply.calls[i].id, test["ids"][i].get<std::string>());
      }
    }
  }
}

TEST(ReplyParser, ReadsTheSameHoweverTheTextIsCut) {
  std::mt19937 random(7);
  for (const json& test : RecordedReplies("cases.json")) {
    SCOPED_TRACE(test["name"].get<std::string>());
    const ReplyPlan plan = RecordedPlan(test);
    const auto text = test["text"].get<std::string>();
    for (const ReplyEnd end : {ReplyEnd::kStopped, ReplyEnd::kCut}) {
      const ReadReply whole = ReadIn(plan, text, {}, end);
      EXPECT_TRUE(whole.in_order);
      EXPECT_EQ(ReadIn(plan, text, EveryByte(text), end), whole);
      for (size_t cut = 1; cut < text.size(); ++cut) {
        ASSERT_EQ(ReadIn(plan, text, {cut}, end), whole) << "cut at " << cut;
      }
      for (int i = 0; i < 50; ++i) {
        std::vector<size_t> ends;
        for (size_t at = 0; (at += 1 + random() % 9) < text.size();) ends.push_back(at);
        ASSERT_EQ(ReadIn(plan, text, ends, end), whole) << "seed round " << i;
      }
    }
  }
}

// Whatever is cut off, what was told of calls is a beginning of what would have been told.
TEST(ReplyParser, NeverTakesBackWhatItSaid) {
  for (const json& test : RecordedReplies("cases.json")) {
    SCOPED_TRACE(test["name"].get<std::string>());
    const ReplyPlan plan = RecordedPlan(test);
    const auto text = test["text"].get<std::string>();
    const ReadReply whole = ReadIn(plan, text, {});
    for (size_t cut = 1; cut < text.size(); ++cut) {
      if (!BeginsCharacter(text[cut])) continue;
      ReplyParser parser(plan);
      parser.Push(std::string_view(text).substr(0, cut));
      ReadReply part;
      part.Add(parser.Take());
      ASSERT_TRUE(whole.content.starts_with(part.content)) << cut;
      ASSERT_TRUE(whole.reasoning.starts_with(part.reasoning)) << cut;
      ASSERT_LE(part.calls.size(), whole.calls.size()) << cut;
      for (size_t i = 0; i < part.calls.size(); ++i) {
        ASSERT_EQ(part.calls[i].name, whole.calls[i].name);
        ASSERT_TRUE(whole.calls[i].arguments.starts_with(part.calls[i].arguments)) << cut;
      }
    }
  }
}

ReplyPlan Hermes() {
  ReplyPlan plan;
  plan.tool_format = FindToolFormat("hermes");
  plan.tools = RecordedTools();
  return plan;
}

TEST(ReplyParser, StreamsArgumentsAsTheyCome) {
  const ReplyPlan plan = Hermes();
  ReplyParser parser(plan);
  parser.Push("<tool_call>\n{\"name\": \"get_weather\", \"arguments\": ");
  EXPECT_TRUE(parser.Take().empty());
  parser.Push("{\"city\": \"Os");
  const MessageDelta first = parser.Take();
  ASSERT_EQ(first.calls.size(), 1U);
  EXPECT_EQ(first.calls[0].name, "get_weather");
  EXPECT_EQ(first.calls[0].arguments, "{\"city\": \"Os");
  parser.Push("lo\"");
  const MessageDelta second = parser.Take();
  ASSERT_EQ(second.calls.size(), 1U);
  EXPECT_EQ(second.calls[0].name, "");
  EXPECT_EQ(second.calls[0].arguments, "lo\"");
}

TEST(ReplyParser, StreamsTextOfTaggedArguments) {
  ReplyPlan plan = Hermes();
  plan.tool_format = FindToolFormat("qwen3_coder");
  ReplyParser parser(plan);
  parser.Push("<tool_call><function=get_weather><parameter=city>\nOs");
  EXPECT_EQ(parser.Take().calls.at(0).arguments, "{\"city\": \"Os");
  parser.Push("lo\n</par");
  EXPECT_EQ(parser.Take().calls.at(0).arguments, "lo");
}

TEST(ReplyParser, PassesTextAtOnce) {
  const ReplyPlan plan = Hermes();
  ReplyParser parser(plan);
  parser.Push("It is");
  EXPECT_EQ(parser.Take().content, "It is");
  parser.Push(" sunny <");
  EXPECT_EQ(parser.Take().content, " sunny");
  parser.Push("b>");
  EXPECT_EQ(parser.Take().content, " <b>");
}

TEST(ReplyParser, CountsOnlyTheFirstCallWhereOneIsAllowed) {
  ReplyPlan plan = Hermes();
  plan.parallel_calls = false;
  const std::string call = "<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>";
  const ReadReply reply = ReadIn(plan, call + call, {});
  ASSERT_EQ(reply.calls.size(), 1U);
  EXPECT_TRUE(reply.whole);
  EXPECT_TRUE(reply.in_order);
}

TEST(ReplyParser, LeavesACallThatWasCutOffOpen) {
  const std::string text = "<tool_call>{\"name\":\"get_weather\",\"arguments\":{\"city\":\"O";
  const ReadReply reply = ReadIn(Hermes(), text, {}, ReplyEnd::kCut);
  ASSERT_EQ(reply.calls.size(), 1U);
  EXPECT_EQ(reply.calls[0].arguments, "{\"city\":\"O");
  EXPECT_FALSE(reply.whole);
}

TEST(ReplyParser, SaysWhetherItIsInReasoning) {
  ReplyPlan plan;
  plan.reasoning = FindReasoningFormat("qwen3");
  plan.reasoning_start = ReasoningStart::kInside;
  ReplyParser parser(plan);
  EXPECT_TRUE(parser.in_reasoning());
  parser.Push("hm</think>");
  EXPECT_FALSE(parser.in_reasoning());
}

TEST(StartAfter, LooksAtThePromptsEnd) {
  const ReasoningFormat& format = *FindReasoningFormat("qwen3");
  const auto start = [&](std::string_view prompt) {
    return StartAfter(prompt, format, ReasoningStart::kByText);
  };
  EXPECT_EQ(start("<|im_start|>assistant\n<think>\n"), ReasoningStart::kInside);
  EXPECT_EQ(start("<|im_start|>assistant\n<think>\n\n</think>\n\n"), ReasoningStart::kOutside);
  EXPECT_EQ(start("<think> is a tag.<|im_start|>assistant\n"), ReasoningStart::kByText);
  EXPECT_EQ(start(""), ReasoningStart::kByText);
}

TEST(ToolFormats, MarkersBeginNoOtherMarker) {
  for (const std::string& name : ToolFormatNames()) {
    const ToolFormat& format = *FindToolFormat(name);
    std::vector<std::string_view> markers = format.openers;
    markers.insert(markers.end(), format.sections.begin(), format.sections.end());
    markers.insert(markers.end(), format.closers.begin(), format.closers.end());
    for (size_t i = 0; i < markers.size(); ++i) {
      for (size_t j = 0; j < markers.size(); ++j) {
        EXPECT_FALSE(i != j && markers[i].starts_with(markers[j])) << name << " " << markers[j];
      }
    }
  }
}

TEST(ToolFormats, AreFoundByEveryNameOnce) {
  std::vector<std::string> names = ToolFormatNames();
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  for (const char* vllm : {"hermes", "llama3_json", "llama4_json", "llama4_pythonic", "pythonic",
                           "mistral", "deepseek_v3", "deepseek_v31", "qwen3_coder", "qwen3_xml",
                           "openai", "granite", "phi4_mini_json", "kimi_k2", "glm45", "glm47"}) {
    EXPECT_NE(FindToolFormat(vllm), nullptr) << vllm;
  }
  EXPECT_EQ(FindToolFormat("nonsense"), nullptr);
}

}  // namespace
}  // namespace baton::frontend
