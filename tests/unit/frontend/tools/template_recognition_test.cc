// Which notation and which reasoning each real chat template shows
// (tests/golden/tools/templates.tsv; the templates themselves are shared test data).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "frontend/tools/reasoning_format.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {
namespace {

namespace fs = std::filesystem;

fs::path TemplateFolder() {
  const char* const set = std::getenv("BATON_TEST_DATA");  // NOLINT(concurrency-mt-unsafe)
  return (set != nullptr ? fs::path(set) : fs::path(BATON_SOURCE_DIR) / "../shared") / "templates";
}

std::string Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(TemplateRecognition, KnowsRealTemplates) {
  if (!fs::exists(TemplateFolder())) GTEST_SKIP() << "no templates at " << TemplateFolder();
  std::ifstream golden(fs::path(BATON_SOURCE_DIR) / "tests/golden/tools/templates.tsv");
  std::string name;
  std::string tools;
  std::string reasoning;
  int count = 0;
  while (golden >> name >> tools >> reasoning) {
    const std::string source = Read(TemplateFolder() / name);
    ASSERT_FALSE(source.empty()) << name;
    const ToolFormat* tool_format = RecogniseToolFormat(source);
    const ReasoningFormat* reasoning_format = RecogniseReasoningFormat(source);
    EXPECT_EQ(tool_format != nullptr ? tool_format->names[0] : "-", tools) << name;
    EXPECT_EQ(reasoning_format != nullptr ? reasoning_format->names[0] : "-", reasoning) << name;
    ++count;
  }
  EXPECT_GE(count, 100);
}

}  // namespace
}  // namespace baton::frontend
