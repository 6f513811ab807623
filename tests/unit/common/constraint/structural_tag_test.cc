#include "common/constraint/structural_tag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/constraint/structural_tag_reader.h"
#include "tests/unit/common/constraint/constraint_rig.h"

namespace baton {
namespace {

using testing::HasSubstr;
using namespace baton::tag;  // NOLINT: the functions read as a language of their own

constexpr char kInteger[] = R"({"type":"integer"})";

Format Call(const char* name) {
  return Tag(Text(std::string("<f=") + name + ">"), JsonSchema(kInteger), Text("</f>"));
}

class StructuralTagTest : public testing::Test {
 protected:
  bool Admits(const Format& format, std::string_view text) {
    return rig_.Admits(ToSpec(format), text);
  }
  std::string Refusal(const Format& format) { return rig_.Refusal(ToSpec(format)); }
  std::string Refusal(const char* json) {
    return rig_.Refusal(ConstraintSpec::StructuralTag(json));
  }
  ConstraintRig rig_;
};

TEST_F(StructuralTagTest, TheJsonFormComesBackTheSame) {
  const Format format =
      Sequence({Optional(Text("a\n")), Or({Regex("[0-9]+"), Star(Token("<|start|>"))}),
                Repeat(Call("x"), 1, 3), Grammar("root ::= \"g\""), AnyText({"</x>"}), Text("</x>"),
                TagsWithSeparator({Call("y")}, ", ", {.at_least_one = true})});
  const auto back = ReadStructuralTag(ToJson(format));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(ToJson(*back), ToJson(format));
}

TEST_F(StructuralTagTest, PartsAreMatchedInTurn) {
  const Format format = Sequence({Text("n="), JsonSchema(kInteger), Text(";"), Regex("[a-c]{2}"),
                                  Or({Text("!"), Text("?")}), Plus(Text("."))});
  EXPECT_TRUE(Admits(format, "n=12;ab!..."));
  EXPECT_FALSE(Admits(format, "n=12;ad!."));
  EXPECT_FALSE(Admits(format, "n=x;ab!."));
  EXPECT_FALSE(Admits(format, "n=12;ab!"));
}

TEST_F(StructuralTagTest, TriggeredTagsStandInFreeText) {
  const Format format = TriggeredTags({Text("<f=")}, {Call("foo"), Call("bar")});
  EXPECT_TRUE(Admits(format, "no call, 1 < 2 and <f"));
  EXPECT_TRUE(Admits(format, ""));
  EXPECT_TRUE(Admits(format, "well: <f=foo>1</f> and <f=bar>22</f> done"));
  EXPECT_FALSE(Admits(format, "<f=foo>x</f>"));
  EXPECT_FALSE(Admits(format, "<f=none>1</f>"));
  EXPECT_FALSE(Admits(format, "<f=foo>1"));
}

TEST_F(StructuralTagTest, TagsMayBeRequiredAndLast) {
  const Format required = TriggeredTags({Text("<f=")}, {Call("foo")}, {.at_least_one = true});
  EXPECT_TRUE(Admits(required, "<f=foo>1</f>"));
  EXPECT_TRUE(Admits(required, "<f=foo>1</f> and <f=foo>2</f>!"));
  EXPECT_FALSE(Admits(required, "text <f=foo>1</f>"));
  EXPECT_FALSE(Admits(required, ""));
  const Format once =
      TriggeredTags({Text("<f=")}, {Call("foo")}, {.at_least_one = true, .stop_after_first = true});
  EXPECT_TRUE(Admits(once, "<f=foo>1</f>"));
  EXPECT_FALSE(Admits(once, "<f=foo>1</f>."));
}

TEST_F(StructuralTagTest, TokensTriggerToo) {
  const Format format = TriggeredTags(
      {Token("<|start|>")}, {Tag(Token("<|start|>"), JsonSchema(kInteger), Token("<|extra|>"))});
  const auto grammar = rig_.Compile(ToSpec(format));
  ASSERT_TRUE(grammar.ok()) << grammar.status();
  EXPECT_TRUE(ConstraintRig::AdmitsTokens(**grammar, {'h', 'i', kByteStart, '7', kByteExtra, '.'}));
  EXPECT_TRUE(ConstraintRig::AdmitsTokens(**grammar, {'h', 'i'}));
  EXPECT_FALSE(ConstraintRig::AdmitsTokens(**grammar, {kByteStart, 'x'}));
  EXPECT_FALSE(ConstraintRig::AdmitsTokens(**grammar, {kByteExtra}));
}

TEST_F(StructuralTagTest, FreeTextEndsWhereTheNextLiteralBegins) {
  const Format format =
      Sequence({Text("<think>"), AnyText(), Text("</think>"), JsonSchema(kInteger)});
  EXPECT_TRUE(Admits(format, "<think>a < b </thin </think>5"));
  EXPECT_FALSE(Admits(format, "<think>a</think>b</think>5"));
  EXPECT_TRUE(Admits(Sequence({AnyText({"bad"}), Text(".")}), "good ba d."));
  EXPECT_FALSE(Admits(Sequence({AnyText({"bad"}), Text(".")}), "a bad one."));
  EXPECT_THAT(Refusal(Sequence({AnyText(), JsonSchema(kInteger)})), HasSubstr("free text"));
}

TEST_F(StructuralTagTest, TagsWithSeparatorAreAList) {
  const Format list = TagsWithSeparator({Call("a"), Call("b")}, ", ", {.at_least_one = true});
  EXPECT_TRUE(Admits(list, "<f=a>1</f>, <f=b>2</f>"));
  EXPECT_FALSE(Admits(list, "<f=a>1</f>,<f=b>2</f>"));
  EXPECT_FALSE(Admits(list, ""));
  EXPECT_TRUE(Admits(TagsWithSeparator({Call("a")}, ","), ""));
}

TEST_F(StructuralTagTest, TheOlderFormIsRead) {
  const auto spec = ConstraintSpec::StructuralTag(
      R"({"type":"structural_tag","structures":[{"begin":"<f=foo>","schema":{"type":"integer"},
          "end":"</f>"}],"triggers":["<f="]})");
  EXPECT_TRUE(rig_.Admits(spec, "see <f=foo>1</f>"));
  EXPECT_FALSE(rig_.Admits(spec, "see <f=foo>a</f>"));
}

TEST_F(StructuralTagTest, ErrorsNameThePath) {
  EXPECT_THAT(Refusal("{}"), HasSubstr("structural tag: has neither"));
  EXPECT_THAT(Refusal(R"({"format":{"type":"dance"}})"), HasSubstr("format.type: 'dance'"));
  EXPECT_THAT(Refusal(R"({"format":{"type":"tag","begin":"a","end":"b"}})"),
              HasSubstr("format.content: is missing"));
  EXPECT_THAT(Refusal(TriggeredTags({Text("<f=")}, {Tag(Text("<g>"), Text(""), Text(""))})),
              HasSubstr("format.tags[0].begin"));
  EXPECT_THAT(
      Refusal(TriggeredTags({Text("<f")},
                            {Tag(Text("<f>"), JsonSchema(R"({"contains":{}})"), Text("</f>"))})),
      HasSubstr("format.tags[0].content: #/contains"));
  EXPECT_THAT(Refusal(Token("<|none|>")), HasSubstr("no token '<|none|>'"));
  EXPECT_THAT(Refusal(TriggeredTags({Text("<f"), Text("<f=")}, {Call("a")})),
              HasSubstr("a part of"));
}

}  // namespace
}  // namespace baton
