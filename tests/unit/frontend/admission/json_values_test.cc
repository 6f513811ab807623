#include "frontend/admission/json_values.h"

#include <gtest/gtest.h>

#include <string>

namespace baton::frontend {
namespace {

// The number of values of `body`, found by asking.
size_t ValuesOf(const std::string& body) {
  size_t values = 0;
  while (HoldsMoreJsonValues(body, values)) ++values;
  return values;
}

TEST(JsonValues, ObjectsArraysAndTextsCount) {
  EXPECT_EQ(ValuesOf(""), 0u);
  EXPECT_EQ(ValuesOf("[1, 2, 3.5, true, null]"), 1u);
  EXPECT_EQ(ValuesOf(R"({"a": {"b": [[], ["c"]]}})"), 8u);
}

TEST(JsonValues, WhatATextHoldsIsNoValue) {
  EXPECT_EQ(ValuesOf(R"(["{[{[", 1])"), 2u);
  EXPECT_EQ(ValuesOf(R"(["a\"[{", "\\", [], "\\\"[", []])"), 6u);
}

TEST(JsonValues, WhatIsNoJsonEndsToo) {
  EXPECT_EQ(ValuesOf("\""), 1u);
  EXPECT_EQ(ValuesOf("[\"no end\\\""), 2u);
  EXPECT_EQ(ValuesOf("\\\\\\"), 0u);
  EXPECT_EQ(ValuesOf("\\\"\""), 1u);
}

TEST(JsonValues, TheBoundItselfIsAllowed) {
  EXPECT_FALSE(HoldsMoreJsonValues("[[],[],[],[]]", 5));
  EXPECT_TRUE(HoldsMoreJsonValues("[[],[],[],[]]", 4));
}

}  // namespace
}  // namespace baton::frontend
