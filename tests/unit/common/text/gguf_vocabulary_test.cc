// Vocabularies of real models as GGUF files, with strings and the ids that llama.cpp gives them.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "tests/unit/common/text/text_test_data.h"

namespace baton {
namespace {

std::vector<std::string> SplitBy(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  size_t at = 0;
  for (size_t end; (end = text.find(separator, at)) != std::string::npos;) {
    parts.push_back(text.substr(at, end - at));
    at = end + separator.size();
  }
  parts.push_back(text.substr(at));
  return parts;
}

class GgufVocabulary : public testing::TestWithParam<const char*> {};

TEST_P(GgufVocabulary, GivesTheExpectedIds) {
  const std::string path = SharedDataForTest("tokenizer-data/gguf-vocab/") + GetParam() + ".gguf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "test data is absent: " << path;
  const auto tokenizer = LoadTokenizerForTest(path);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const std::vector<std::string> texts =
      SplitBy(ReadFileForTest(path + ".inp"), "\n__ggml_vocab_test__\n");
  const std::vector<std::string> lines = SplitBy(ReadFileForTest(path + ".out"), "\n");
  ASSERT_GE(lines.size(), texts.size());
  ASSERT_GT(texts.size(), 40u);
  for (size_t i = 0; i < texts.size(); ++i) {
    std::vector<TokenId> expected;
    std::istringstream numbers(lines[i]);
    for (TokenId id; numbers >> id;) expected.push_back(id);
    const EncodeOptions options = {.add_special_tokens = false, .parse_special = false};
    EXPECT_EQ((*tokenizer)->Encode(texts[i], options).value(), expected) << texts[i];
  }
}

INSTANTIATE_TEST_SUITE_P(All, GgufVocabulary,
                         testing::Values("bert-bge", "deepseek-coder", "deepseek-llm", "falcon",
                                         "gpt-2", "llama-spm", "phi-3", "starcoder"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace baton
