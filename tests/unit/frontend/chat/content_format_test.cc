#include "frontend/chat/content_format.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "frontend/chat/chat_template.h"

namespace baton::frontend {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

ContentFormat FormatOf(const std::string& source) {
  return ChatTemplate::Compile(source)->content_format();
}

TEST(ContentFormatTest, FindsLoopsOverContent) {
  EXPECT_EQ(FormatOf("{% for m in messages %}{{ m.content }}{% endfor %}"), ContentFormat::kString);
  for (const char* source :
       {"{% for m in messages %}{% for p in m.content %}{% endfor %}{% endfor %}",
        "{% for m in messages[1:] %}{% for p in m['content'] | list %}{% endfor %}{% endfor %}",
        "{% set x = messages %}{% for m in x %}{% for p in m.content %}{% endfor %}{% endfor %}",
        "{% macro r(c) %}{% for p in c %}{% endfor %}{% endmacro %}"
        "{% for m in messages %}{{ r(m.content) }}{% endfor %}",
        "{% macro r(c) %}{% for p in c %}{% endfor %}{% endmacro %}"
        "{% for m in messages %}{{ r(c=m['content']) }}{% endfor %}",
        "{% set content = messages[0].content %}{% for p in content %}{% endfor %}"}) {
    EXPECT_EQ(FormatOf(source), ContentFormat::kParts) << source;
  }
  EXPECT_EQ(FormatOf("{% macro r(content) %}{% for p in content %}{% endfor %}{% endmacro %}"),
            ContentFormat::kString);
}

TEST(ContentFormatTest, AgreesWithTheReferenceOnRealTemplates) {
  const char* data = std::getenv("BATON_TEST_DATA");
  const fs::path folder =
      (data != nullptr ? fs::path(data) : fs::path(BATON_SOURCE_DIR) / "../shared") / "templates";
  if (!fs::is_directory(folder)) GTEST_SKIP() << "no templates: set BATON_TEST_DATA";
  std::ifstream golden(fs::path(BATON_SOURCE_DIR) / "tests/golden/chat/formats.tsv");
  std::string name;
  std::string expected;
  int compared = 0;
  while (golden >> name >> expected) {
    std::ostringstream source;
    source << std::ifstream(folder / name, std::ios::binary).rdbuf();
    EXPECT_EQ(FormatOf(source.str()) == ContentFormat::kParts ? "openai" : "string", expected)
        << name;
    ++compared;
  }
  EXPECT_GT(compared, 100);
}

std::string Normalized(const char* message, ContentFormat format) {
  ordered_json json = ordered_json::parse(message);
  NormalizeContent(json, format);
  return json["content"].dump();
}

TEST(ContentFormatTest, JoinsTextPartsByNewlines) {
  constexpr auto kFormat = ContentFormat::kString;
  EXPECT_EQ(Normalized(R"({"content": "a"})", kFormat), R"("a")");
  EXPECT_EQ(Normalized(R"({"content": null})", kFormat), R"("")");
  EXPECT_EQ(Normalized(R"({})", kFormat), R"("")");
  EXPECT_EQ(Normalized(R"({"content": [{"type": "text", "text": "a"}, "b", {"text": "c"},
                          {"type": "image_url", "image_url": {}}, {"type": "refusal",
                          "refusal": "d"}, {"type": "input_text", "text": "e"}]})",
                       kFormat),
            R"("a\nb\nc\nd\ne")");
}

TEST(ContentFormatTest, WrapsTextInParts) {
  constexpr auto kFormat = ContentFormat::kParts;
  EXPECT_EQ(Normalized(R"({"content": "a"})", kFormat), R"([{"type":"text","text":"a"}])");
  EXPECT_EQ(Normalized(R"({"content": null})", kFormat), "[]");
  EXPECT_EQ(Normalized(R"({"content": ["a", {"type": "image", "x": 1}]})", kFormat),
            R"([{"type":"text","text":"a"},{"type":"image","x":1}])");
  EXPECT_EQ(Normalized(R"({"role": "tool", "content": ["a", "b"]})", kFormat), R"("a\nb")");
  EXPECT_EQ(Normalized(R"({"role": "tool", "content": [{"type": "tool_reference"}]})", kFormat),
            R"([{"type":"tool_reference"}])");
}

std::string NormalizedArguments(const std::string& arguments) {
  ordered_json message = ordered_json::parse(
      R"({"tool_calls": [{"function": {"name": "f", "arguments": )" + arguments + "}}]}");
  NormalizeToolCalls(message);
  return message["tool_calls"][0]["function"]["arguments"].dump();
}

TEST(ContentFormatTest, ParsesToolArguments) {
  EXPECT_EQ(NormalizedArguments(R"("{\"b\": 1, \"a\": [2]}")"), R"({"b":1,"a":[2]})");
  EXPECT_EQ(NormalizedArguments(R"({"x": 1})"), R"({"x":1})");
  for (const char* none : {"null", R"("")", R"("nonsense")", R"("[1]")", "5"}) {
    EXPECT_EQ(NormalizedArguments(none), "{}") << none;
  }
  EXPECT_EQ(NormalizedArguments("\"" + std::string(100'000, '[') + "\""), "{}");
  ordered_json empty = ordered_json::parse(R"({"tool_calls": []})");
  NormalizeToolCalls(empty);
  EXPECT_FALSE(empty.contains("tool_calls"));
}

}  // namespace
}  // namespace baton::frontend
