// The recorded replies of tests/golden/tools, and how each is to be read.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "frontend/tools/reply_parser.h"

namespace baton::frontend {

// A file of tests/golden/tools: cases.json, tools.json, vllm.json.
inline nlohmann::json RecordedReplies(const std::string& name) {
  std::ifstream file(std::filesystem::path(BATON_SOURCE_DIR) / "tests/golden/tools" / name);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return nlohmann::json::parse(text, nullptr, false);
}

// Those that the recorded replies call.
inline const ToolSet& RecordedTools() {
  static const ToolSet& tools = *new ToolSet(*ToolSet::Parse(RecordedReplies("tools.json").dump()));
  return tools;
}

// How the reply of one of cases.json is read.
inline ReplyPlan RecordedPlan(const nlohmann::json& test) {
  ReplyPlan plan;
  if (test["tool"].is_string()) {
    plan.tool_format = FindToolFormat(test["tool"].get<std::string>());
    EXPECT_NE(plan.tool_format, nullptr) << test["tool"];
    plan.tools = RecordedTools();
  }
  if (test["reasoning"].is_string()) {
    plan.reasoning = FindReasoningFormat(test["reasoning"].get<std::string>());
    EXPECT_NE(plan.reasoning, nullptr) << test["reasoning"];
    const bool outside = test.value("start", "") == "outside";
    plan.reasoning_start = outside ? ReasoningStart::kOutside
                                   : (plan.reasoning->begins_inside ? ReasoningStart::kInside
                                                                    : ReasoningStart::kByText);
  }
  return plan;
}

}  // namespace baton::frontend
