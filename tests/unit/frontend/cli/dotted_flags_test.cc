#include "frontend/cli/dotted_flags.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton::frontend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Folded(const std::vector<std::string>& arguments) {
  const auto folded = FoldDottedFlags(arguments);
  EXPECT_TRUE(folded.ok()) << folded.status();
  return folded.ok() ? *folded : std::vector<std::string>();
}

TEST(DottedFlagsTest, MembersBecomeOneObjectBehindTheRest) {
  EXPECT_THAT(Folded({"m.gguf", "--a-b.temperature", "0.5", "--port", "8000", "--a-b.deep.name=x",
                      "--a-b.deep.on", "true"}),
              ElementsAre("m.gguf", "--port", "8000", "--a-b",
                          R"({"deep":{"name":"x","on":true},"temperature":0.5})"));
  EXPECT_THAT(Folded({"-cc.mode=3", "--list.items+", "a,2", "--list.items+=b"}),
              ElementsAre("--cc", R"({"mode":3})", "--list", R"({"items":["a",2,"b"]})"));
}

TEST(DottedFlagsTest, OtherArgumentsStayAsTheyAre) {
  EXPECT_THAT(Folded({"./m.gguf", "--watermark", "-0.5", "--root-path=/a.b", "-q", "int8", "-",
                      "--", "--a.b"}),
              ElementsAre("./m.gguf", "--watermark", "-0.5", "--root-path=/a.b", "-q", "int8", "-",
                          "--", "--a.b"));
  EXPECT_THAT(Folded({"-O3"}), ElementsAre("--optimization-level", "3"));
}

TEST(DottedFlagsTest, WhatIsNoMemberIsSaid) {
  const std::vector<std::string> missing = {"--a.b"};
  EXPECT_THAT(FoldDottedFlags(missing).status().message(), HasSubstr("--a.b needs a value"));
  const std::vector<std::string> clash = {"--a.b=1", "--a.b.c=2"};
  EXPECT_THAT(FoldDottedFlags(clash).status().message(), HasSubstr("--a.b.c is no member"));
}

}  // namespace
}  // namespace baton::frontend
