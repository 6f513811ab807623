#include "common/constraint/constraint_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton {
namespace {

using testing::HasSubstr;
using Spec = ConstraintSpec;

TEST(ConstraintMessageTest, EveryFormComesBackAsItWas) {
  Spec marked = Spec::JsonSchema(R"({"type":"object"})");
  marked.layout = {.compact = true, .whitespace_pattern = " ", .closed_objects = true};
  marked.start_after = {{1, 2}, {3}};
  Spec text_marker = Spec::Regex("a");
  text_marker.start_after_text = "</think>";
  for (const Spec& spec : {marked, text_marker, Spec::JsonObject(), Spec::Choice({"a", "b"}),
                           Spec::Grammar("root ::= \"a\""), Spec::StructuralTag("{}")}) {
    const auto back = FromMessage(ToMessage(spec));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, spec);
  }
}

TEST(ConstraintMessageTest, RefusesWhatSaysNothing) {
  const auto refusal = [](const v1::Constraint& message) {
    return std::string(FromMessage(message).status().message());
  };
  EXPECT_THAT(refusal({}), HasSubstr("says nothing"));
  v1::Constraint message;
  message.set_json_object(false);
  EXPECT_THAT(refusal(message), HasSubstr("json_object"));
  message.set_json_object(true);
  message.add_start_after();
  EXPECT_THAT(refusal(message), HasSubstr("start_after"));
  message.mutable_start_after(0)->add_ids(1);
  message.set_start_after_text("x");
  EXPECT_THAT(refusal(message), HasSubstr("start_after_text"));
}

}  // namespace
}  // namespace baton
