// Options that real tokenizers rarely use, against what Hugging Face's tokenizers answered: flags
// of added tokens, split behaviors, unknown bytes, templates.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/common/text/text_test_data.h"

namespace baton {
namespace {

using nlohmann::json;

const json& Golden() {
  static const json golden = json::parse(
      ReadFileForTest(BATON_SOURCE_DIR "/tests/golden/tokenizer/synthetic.json"), nullptr, false);
  return golden;
}

// The entry's tokenizer.json, with the common vocabulary where it has none of its own.
std::string TokenizerJson(const json& entry) {
  json document = entry["tokenizer"];
  for (const char* key : {"vocab", "merges"}) {
    if (!document["model"].contains(key)) document["model"][key] = Golden()[key];
  }
  return document.dump();
}

TEST(TokenizerSynthetic, EveryOptionAgrees) {
  ASSERT_TRUE(Golden().is_object());
  ASSERT_GT(Golden()["tokenizers"].size(), 40u);
  for (const json& entry : Golden()["tokenizers"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto tokenizer = Tokenizer::FromJson(TokenizerJson(entry), {});
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    for (const json& expected : entry["cases"]) {
      const std::string text = expected["text"];
      const auto ids = expected["ids"].get<std::vector<TokenId>>();
      EXPECT_EQ((*tokenizer)->Encode(text, {}).value(), ids) << expected["text"];
      EXPECT_EQ((*tokenizer)->Decode(ids, SpecialTokens::kKeep), expected.value("kept", text));
      EXPECT_EQ((*tokenizer)->Decode(ids, SpecialTokens::kSkip), expected.value("skipped", text));
      const EncodeOptions plain = {.add_special_tokens = false, .parse_special = false};
      EXPECT_EQ((*tokenizer)->Encode(text, plain).value(), expected.value("plain", ids))
          << expected["text"];
    }
  }
}

}  // namespace
}  // namespace baton
