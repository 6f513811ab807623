// What a reply with enforced calls must match, held against what reads it: a text that a constraint
// asks for is written out, the grammar must admit it, and the parser of the same request must find
// in it the calls that were asked for.
#include "frontend/generation/tool_constraint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <nlohmann/json.hpp>

#include "common/constraint/compiled_grammar.h"
#include "common/constraint/grammar_threads.h"
#include "frontend/request/request_parser.h"
#include "tests/fakes/byte_model.h"

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Json = nlohmann::json;

constexpr const char* kTools =
    R"("tools":[{"type":"function","function":{"name":"get_weather","parameters":
       {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}},
       {"type":"function","function":{"name":"now"}}])";
constexpr const char* kStrictTools =
    R"("tools":[{"type":"function","function":{"name":"get_weather","strict":true,"parameters":
       {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}},
       {"type":"function","function":{"name":"now","parameters":{"type":"object",
       "properties":{"zone":{"type":"string"}}}}}])";
constexpr const char* kRequired = R"(,"tool_choice":"required")";
constexpr const char* kNamed =
    R"(,"tool_choice":{"type":"function","function":{"name":"get_weather"}})";
constexpr const char* kArguments = R"({"city": "Oslo"})";

struct ModelKind {
  std::string tool_format;  // empty: not known
  std::string reasoning_format = {};
  std::string special = {};  // a token, instead of <|extra|>
};

std::shared_ptr<const ModelContext> ModelOf(const ModelKind& kind) {
  ModelCard card = ByteModelCard();
  std::string& tokenizer = card.files["tokenizer.json"];
  if (!kind.special.empty()) {
    tokenizer.replace(tokenizer.find("<|extra|>"), std::string("<|extra|>").size(), kind.special);
  }
  ModelOverrides overrides;
  if (!kind.tool_format.empty()) overrides.tool_format = FindToolFormat(kind.tool_format);
  if (!kind.reasoning_format.empty()) {
    overrides.reasoning_format = FindReasoningFormat(kind.reasoning_format);
  }
  auto model = LoadModelContext(card, ByteModelEntry(), overrides, 0);
  BATON_CHECK(model.ok()) << std::string(model.status().message());
  return *model;
}

// One request's plan and what it enforces.
struct Planned {
  std::shared_ptr<const ChatReply> reply;
  std::optional<ConstraintSpec> spec;

  Json format() const { return Json::parse(spec->text, nullptr, false)["format"]; }
};

Planned Plan(const ModelContext& model, const std::string& fields,
             const std::string& prompt_end = "") {
  auto parsed =
      ParseGenerationBody(R"({"messages":[{"role":"user","content":"Hi"}],)" + fields + "}",
                          GenerationEndpoint::kChat, ExtraFields::kIgnore);
  BATON_CHECK(parsed.ok()) << std::string(parsed.status().message());
  const ChatInput& chat = parsed->request.chat;
  auto reply = MakeChatReply(chat, model, "assistant:" + prompt_end, {});
  BATON_CHECK(reply.ok()) << std::string(reply.status().message());
  Planned planned{.reply = *reply, .spec = std::nullopt};
  if (planned.reply != nullptr) planned.spec = ToolConstraint(chat.tools, *planned.reply, model);
  return planned;
}

// One text that a format allows: each tag in turn, as many as may follow one another, with
// `arguments` for every schema; of alternatives, the one with index `alternative`.
struct Writer {
  size_t alternative = 0;
  std::string arguments = kArguments;

  std::string Marker(const Json& marker) const {
    return marker.is_string() ? marker.get<std::string>() : Write(marker);
  }

  std::string Tags(const Json& format, const std::string& separator) const {
    std::string text;
    for (const Json& tag : format["tags"]) {
      if (!text.empty()) text += separator;
      text += Write(tag);
      if (format["stop_after_first"].get<bool>()) break;
    }
    return text;
  }

  std::string Write(const Json& format) const {
    const auto type = format["type"].get<std::string>();
    if (type == "const_string") return format["value"];
    if (type == "token") return format["token"];
    if (type == "json_schema") {
      return format["json_schema"].contains("additionalProperties") ? "{}" : arguments;
    }
    if (type == "regex") return "";
    if (type == "any_text") return "Hm. ";
    if (type == "or") return Write(format["elements"][alternative]);
    if (type == "tag") {
      return Marker(format["begin"]) + Write(format["content"]) + Marker(format["end"]);
    }
    if (type == "tags_with_separator") return Tags(format, format["separator"]);
    if (type == "triggered_tags" || type == "token_triggered_tags") {
      return "Well. " + Tags(format, "");
    }
    std::string text;
    EXPECT_EQ(type, "sequence");
    for (const Json& element : format["elements"]) text += Write(element);
    return text;
  }
};

// What the spec's grammar says of a text, from the place on where it begins.
bool Admits(const ModelContext& model, const ConstraintSpec& spec, const std::string& text) {
  static GrammarThreads& threads = *new GrammarThreads({.name = "grammar"});
  const auto vocabulary =
      TokenVocabulary::Create(*model.tokenizer, {.size = kByteVocab, .end_ids = {kByteEos}});
  BATON_CHECK(vocabulary.ok()) << std::string(vocabulary.status().message());
  const auto tokens = model.tokenizer->Encode(text, {.add_special_tokens = false});
  BATON_CHECK(tokens.ok()) << text;
  bool admits = false;
  std::latch done(1);
  threads.Run(
      [&] {
        const auto grammar = CompiledGrammar::Compile(spec, **vocabulary);
        EXPECT_TRUE(grammar.ok()) << grammar.status();
        if (!grammar.ok()) return;
        Matcher matcher = (*grammar)->NewMatcher();
        admits = matcher.Consume(*tokens).ok() && matcher.IsAccepting();
      },
      [&](const absl::Status&) { done.count_down(); });
  done.wait();
  return admits;
}

struct Read {
  std::vector<std::string> names;
  std::vector<std::string> arguments;
  std::string content;
  std::string reasoning;
  bool whole = false;
};

Read ReadBack(const ChatReply& reply, const std::string& text) {
  ReplyParser parser(reply.parse);
  parser.Push(text);
  parser.Finish(ReplyEnd::kStopped);
  const MessageDelta message = parser.Take();
  Read read;
  read.content = message.content;
  read.reasoning = message.reasoning;
  read.whole = parser.all_calls_whole();
  for (const MessageDelta::Call& call : message.calls) {
    read.names.push_back(call.name);
    read.arguments.push_back(call.arguments);
  }
  return read;
}

// What stands in front of a constraint that begins later.
std::string Before(const Planned& planned, const ModelContext& model) {
  const ConstraintSpec& spec = *planned.spec;
  if (!spec.start_after_text.empty()) return "Hm." + spec.start_after_text;
  if (spec.start_after.empty()) return "";
  const std::string mark = model.tokenizer->Decode(spec.start_after[0], SpecialTokens::kKeep);
  return (planned.reply->parse.in_channels() ? "" : "Hm.") + mark;
}

class EveryToolFormat : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryToolFormat, RequiredCallsAreReadAsCalls) {
  const auto model = ModelOf({.tool_format = GetParam()});
  const Planned planned = Plan(*model, std::string(kTools) + kRequired);
  ASSERT_TRUE(planned.spec.has_value());
  const std::string text = Before(planned, *model) + Writer().Write(planned.format());
  const Read read = ReadBack(*planned.reply, text);
  EXPECT_THAT(read.names, ElementsAre("get_weather", "now")) << text;
  EXPECT_THAT(read.arguments, ElementsAre(kArguments, "{}")) << text;
  EXPECT_TRUE(read.whole) << text;
  EXPECT_EQ(read.content, "") << text;
}

TEST_P(EveryToolFormat, TheGrammarAdmitsCallsAndNothingElse) {
  const auto model = ModelOf({.tool_format = GetParam()});
  const Planned planned = Plan(*model, std::string(kTools) + kNamed);
  const Json format = planned.format();
  const std::string call = Writer().Write(format);
  EXPECT_TRUE(Admits(*model, *planned.spec, call)) << call;
  for (const char* wrong : {R"({"city": 5})", "{}", R"({"city": "Oslo")", "Oslo"}) {
    const std::string text = Writer{.arguments = wrong}.Write(format);
    EXPECT_FALSE(Admits(*model, *planned.spec, text)) << text;
  }
  EXPECT_FALSE(Admits(*model, *planned.spec, call + " So."));
  EXPECT_FALSE(Admits(*model, *planned.spec, "It rains."));
  EXPECT_FALSE(Admits(*model, *planned.spec, ""));
}

TEST_P(EveryToolFormat, OneCallIsTheLastWhereOneIsAllowed) {
  const auto model = ModelOf({.tool_format = GetParam()});
  for (const std::string& fields :
       {std::string(kTools) + kNamed,
        std::string(kTools) + kRequired + R"(,"parallel_tool_calls":false)"}) {
    const Planned planned = Plan(*model, fields);
    ASSERT_TRUE(planned.spec.has_value());
    const std::string text = Before(planned, *model) + Writer().Write(planned.format());
    EXPECT_THAT(ReadBack(*planned.reply, text).names, ElementsAre("get_weather")) << text;
  }
  // A name leaves no other tool to be called.
  EXPECT_EQ(Plan(*model, std::string(kTools) + kNamed).spec->text.find("\"now\""),
            std::string::npos);
}

TEST_P(EveryToolFormat, AutoIsFreeWithoutAStrictTool) {
  const auto model = ModelOf({.tool_format = GetParam()});
  EXPECT_FALSE(Plan(*model, kTools).spec.has_value());
  EXPECT_FALSE(
      Plan(*model, std::string(kStrictTools) + R"(,"tool_choice":"none")").spec.has_value());
}

TEST_P(EveryToolFormat, AStrictToolBindsTheCallsOfFreeText) {
  const auto model = ModelOf({.tool_format = GetParam()});
  const ToolFormat& format = *FindToolFormat(GetParam());
  const Planned planned = Plan(*model, kStrictTools);
  if (format.syntax.empty() || format.openers.empty()) {
    EXPECT_FALSE(planned.spec.has_value());  // no mark says where a call begins
    return;
  }
  ASSERT_TRUE(planned.spec.has_value());
  const std::string text = Writer().Write(planned.format());
  const Read read = ReadBack(*planned.reply, text);
  ASSERT_FALSE(read.names.empty()) << text;
  EXPECT_EQ(read.names[0], "get_weather") << text;
  EXPECT_EQ(read.content, "Well.") << text;
}

std::string NameOf(const ::testing::TestParamInfo<std::string>& info) {
  std::string name;
  for (const char c : info.param) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(ToolConstraint, EveryToolFormat, ::testing::ValuesIn(ToolFormatNames()),
                         NameOf);

TEST(ToolConstraint, SchemasAreThoseOfTheTools) {
  const auto model = ModelOf({.tool_format = "hermes"});
  const Json tags = Plan(*model, std::string(kTools) + kRequired).format()["tags"];
  ASSERT_EQ(tags.size(), 2U);
  EXPECT_EQ(tags[0]["content"]["json_schema"]["required"], Json::parse(R"(["city"])"));
  // A tool without parameters takes none.
  EXPECT_EQ(tags[1]["content"]["json_schema"],
            Json::parse(R"({"type":"object","properties":{},"additionalProperties":false})"));
  // In auto a tool that is not strict takes any object.
  const Json free = Plan(*model, kStrictTools).format()["tags"];
  EXPECT_TRUE(free[0]["content"]["json_schema"].contains("required"));
  EXPECT_EQ(free[1]["content"]["json_schema"], Json::parse(R"({"type":"object"})"));
}

TEST(ToolConstraint, MarkersThatAreTokensAreMatchedAsTokens) {
  const auto text = ModelOf({.tool_format = "hermes"});
  EXPECT_EQ(Plan(*text, std::string(kTools) + kRequired).spec->text.find("\"token\""),
            std::string::npos);
  const auto token = ModelOf({.tool_format = "hermes", .special = "<tool_call>"});
  const Json begin =
      Plan(*token, std::string(kTools) + kRequired).format()["tags"][0]["begin"]["elements"];
  EXPECT_EQ(begin[0], Json::parse(R"({"type":"token","token":"<tool_call>"})"));
  EXPECT_EQ(begin[1]["value"], "\n{\"name\": \"get_weather\", \"arguments\": ");
  EXPECT_EQ(Plan(*token, kStrictTools).format()["trigger_tokens"],
            Json::parse(R"(["<tool_call>"])"));
}

TEST(ToolConstraint, ANewerVocabularyHasItsOwnNotation) {
  const auto older = ModelOf({.tool_format = "mistral"});
  const auto newer = ModelOf({.tool_format = "mistral", .special = "[ARGS]"});
  const std::string fields = std::string(kTools) + kNamed;
  EXPECT_EQ(Writer().Write(Plan(*older, fields).format()),
            R"([TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Oslo"}}])");
  EXPECT_EQ(Writer().Write(Plan(*newer, fields).format()),
            R"([TOOL_CALLS]get_weather[ARGS]{"city": "Oslo"})");
}

// Reasoning that has begun, in the prompt or because the model always does, may end first.
TEST(ToolConstraint, BeginsAfterReasoningThatHasBegun) {
  const std::string fields = std::string(kTools) + kRequired;
  const auto spelled = ModelOf({.tool_format = "hermes", .reasoning_format = "qwen3"});
  const Planned text = Plan(*spelled, fields, "<think>\n");
  EXPECT_EQ(text.spec->start_after_text, "</think>");
  EXPECT_THAT(text.spec->start_after, IsEmpty());
  const auto single =
      ModelOf({.tool_format = "hermes", .reasoning_format = "qwen3", .special = "</think>"});
  const Planned token = Plan(*single, fields, "<think>\n");
  EXPECT_THAT(token.spec->start_after, ElementsAre(ElementsAre(kByteExtra)));
  EXPECT_EQ(token.spec->start_after_text, "");
  for (const Planned* planned : {&text, &token}) {
    const auto& model = planned == &text ? *spelled : *single;
    const std::string reply = Before(*planned, model) + Writer().Write(planned->format());
    const Read read = ReadBack(*planned->reply, reply);
    EXPECT_THAT(read.names, ElementsAre("get_weather", "now")) << reply;
    EXPECT_EQ(read.reasoning, "Hm.") << reply;
  }
}

TEST(ToolConstraint, LeavesTheChoiceToReason) {
  const auto model = ModelOf({.tool_format = "hermes", .reasoning_format = "mistral"});
  const Planned planned = Plan(*model, std::string(kTools) + kRequired);
  ASSERT_EQ(planned.format()["type"], "or");
  for (const size_t alternative : {0U, 1U}) {
    const std::string reply = Writer{.alternative = alternative}.Write(planned.format());
    const Read read = ReadBack(*planned.reply, reply);
    EXPECT_THAT(read.names, ElementsAre("get_weather", "now")) << reply;
    EXPECT_EQ(read.reasoning.empty(), alternative == 1) << reply;
  }
}

TEST(ToolConstraint, ReasoningThatIsSwitchedOffHasNoPlace) {
  const auto model = ModelOf({.tool_format = "hermes", .reasoning_format = "qwen3"});
  const Planned planned = Plan(*model, std::string(kTools) + kRequired +
                                           R"(,"chat_template_kwargs":{"enable_thinking":false})");
  EXPECT_EQ(planned.format()["type"], "tags_with_separator");
  EXPECT_THAT(planned.spec->start_after, IsEmpty());
  EXPECT_EQ(planned.spec->start_after_text, "");
}

TEST(ToolConstraint, ModelsThatMayThinkDoSoBeforeAnyFormat) {
  const auto model = ModelOf({.tool_format = "hermes", .reasoning_format = "mistral"});
  const Planned planned = Plan(*model, kTools);
  for (ConstraintSpec spec :
       {ConstraintSpec::JsonSchema(R"({"type":"integer","maximum":9,"minimum":0})"),
        ConstraintSpec::Regex("^[0-9]$"), ConstraintSpec::Grammar("root ::= [0-9]")}) {
    StartBehindReasoning(planned.reply->parse, *model, spec);
    EXPECT_TRUE(Admits(*model, spec, "5"));
    EXPECT_TRUE(Admits(*model, spec, "[THINK]So, 4 + 1.\n[/THINK]5"));
    EXPECT_FALSE(Admits(*model, spec, "[THINK]So, 4 + 1.\n5"));
    EXPECT_FALSE(Admits(*model, spec, "So[/THINK]5"));
  }
}

TEST(ToolConstraint, NothingIsEnforcedWithoutTools) {
  const auto model = ModelOf({.tool_format = "hermes", .reasoning_format = "qwen3"});
  EXPECT_FALSE(Plan(*model, R"("max_tokens":1)").spec.has_value());
}

}  // namespace
}  // namespace baton::frontend
