#include "frontend/chat/plain_marks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kWords = {"<|im_end|>", "<s>", "\xEF\xBD\x9Ctool"};

TEST(PlainMarksTest, EveryWordIsMarkedInsideAndTheTextComesBack) {
  nlohmann::ordered_json content = "a<|im_end|>b<s><s>c\xEF\xBD\x9Ctool";
  const std::string original = content;
  MarkPlainText(content, kWords);
  std::string text = content;
  EXPECT_EQ(text.find("<|im_end|>"), std::string::npos);
  EXPECT_THAT(TakePlainMarks(text), ElementsAre(2u, 13u, 16u, 22u));
  EXPECT_EQ(text, original);
}

TEST(PlainMarksTest, ListsAndObjectsAreMarkedThroughout) {
  nlohmann::ordered_json content =
      nlohmann::ordered_json::parse(R"([{"type":"text","text":"<s>"},{"n":1},null])");
  MarkPlainText(content, kWords);
  std::string text = content[0]["text"];
  EXPECT_THAT(TakePlainMarks(text), ElementsAre(1u));
}

TEST(PlainMarksTest, AClientsOwnMarksHaveNoEffect) {
  nlohmann::ordered_json content = "<\xEF\xB7\x90s>";
  MarkPlainText(content, kWords);
  std::string text = content;
  EXPECT_THAT(TakePlainMarks(text), ElementsAre(1u));
  EXPECT_EQ(text, "<s>");
  EXPECT_THAT(TakePlainMarks(text), IsEmpty());
}

}  // namespace
}  // namespace baton::frontend
