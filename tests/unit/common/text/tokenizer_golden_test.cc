// Ids and text against what Hugging Face's tokenizers answered. BATON_TOKENIZER_GOLDEN="FILE
// GOLDEN" compares another vocabulary: a tokenizer.json or GGUF file and what make_golden.py wrote
// for it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/gguf/gguf_file.h"
#include "common/text/tokenizer/incremental_detokenizer.h"
#include "common/text/tokenizer/tokenizer.h"
#include "tests/unit/common/text/text_test_data.h"
#include "tests/unit/common/text/tokenizer_fuzz.h"

namespace baton {
namespace {

constexpr EncodeOptions kPlain = {.add_special_tokens = false};

// FNV-1a over everything that the golden script hashes.
class Hash {
 public:
  void Add(std::string_view bytes) {
    for (const char c : bytes) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  }
  std::string Hex() const {
    char text[17];
    std::snprintf(text, sizeof(text), "%016lx", static_cast<unsigned long>(value_));
    return text;
  }

 private:
  uint64_t value_ = 0xCBF29CE484222325u;
};

// Feeds the ids one at a time; every step leaves whole characters behind.
std::string DecodeInSteps(const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                          SpecialTokens special) {
  IncrementalDetokenizer detokenizer(tokenizer, special);
  std::string text;
  for (const TokenId id : ids) {
    std::string delta;
    detokenizer.Push(id, delta);
    EXPECT_TRUE(IsValidUtf8(delta));
    text += delta;
  }
  detokenizer.Finish(text);
  return text;
}

void ExpectCases(const Tokenizer& tokenizer, const nlohmann::json& golden) {
  for (const nlohmann::json& expected : golden["cases"]) {
    const std::string text = expected["text"];
    const std::vector<TokenId> ids = tokenizer.Encode(text, kPlain).value();
    EXPECT_EQ(ids, expected["ids"].get<std::vector<TokenId>>()) << text;
    const std::string kept = tokenizer.Decode(ids, SpecialTokens::kKeep);
    EXPECT_EQ(kept, expected.value("kept", text));
    const std::string skipped = tokenizer.Decode(ids, SpecialTokens::kSkip);
    EXPECT_EQ(skipped, expected.value("skipped", kept)) << text;
  }
}

void ExpectFuzz(const Tokenizer& tokenizer, const nlohmann::json& golden) {
  const FuzzAlphabet alphabet(golden);
  const uint64_t group = golden["group"];
  uint64_t number = 0;
  size_t wrong_groups = 0;
  for (const std::string expected : golden["hashes"]) {
    Hash hash;
    for (const uint64_t end = number + group; number < end; ++number) {
      const std::string text = TokenizerFuzz(alphabet, tokenizer, number).Text();
      const std::vector<TokenId> ids = tokenizer.Encode(text, kPlain).value();
      hash.Add({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(TokenId)});
      for (const SpecialTokens special : {SpecialTokens::kKeep, SpecialTokens::kSkip}) {
        const std::string decoded = tokenizer.Decode(ids, special);
        hash.Add(decoded);
        hash.Add({"\0", 1});
        EXPECT_EQ(DecodeInSteps(tokenizer, ids, special), decoded) << "string " << number;
      }
    }
    if (hash.Hex() == expected) continue;
    ++wrong_groups;
    EXPECT_GT(wrong_groups, 5u) << "strings " << number - group << " to " << number - 1;
  }
  EXPECT_EQ(wrong_groups, 0u) << "of " << golden["hashes"].size() << " groups";
}

void ExpectGolden(const std::string& tokenizer_path, const std::string& golden_path) {
  const auto tokenizer = LoadTokenizerForTest(tokenizer_path);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const nlohmann::json golden = nlohmann::json::parse(ReadFileForTest(golden_path), nullptr, false);
  ASSERT_TRUE(golden.is_object()) << golden_path;
  ASSERT_EQ((*tokenizer)->vocab_size(), golden["vocab_size"].get<size_t>());
  ExpectCases(**tokenizer, golden);
  ExpectFuzz(**tokenizer, golden);
}

TEST(TokenizerGolden, SmolLm2) {
  const std::string model = ModelFileForTest("smollm2-135m", ".gguf");
  if (model.empty()) GTEST_SKIP() << "model smollm2-135m is absent: deploy/models.sh smollm2-135m";
  ExpectGolden(model, BATON_SOURCE_DIR "/tests/golden/tokenizer/smollm2.json");
}

TEST(TokenizerGolden, OneNamedByTheEnvironment) {
  const char* named = std::getenv("BATON_TOKENIZER_GOLDEN");
  if (named == nullptr) GTEST_SKIP() << "BATON_TOKENIZER_GOLDEN is not set";
  std::istringstream words(named);
  std::string tokenizer, golden;
  words >> tokenizer >> golden;
  ExpectGolden(tokenizer, golden);
}

}  // namespace
}  // namespace baton
