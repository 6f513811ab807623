// Options that real tokenizers rarely use, against what Hugging Face's tokenizers answered: flags
// of added tokens, split behaviors, unknown bytes, templates.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "common/text/tokenizer/incremental_detokenizer.h"
#include "common/text/unicode/utf8.h"
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

// Text that is no UTF-8 at all: sanitizers watch, and a stream still equals the whole.
TEST(TokenizerSynthetic, RandomBytesDoNoHarm) {
  std::mt19937_64 random(5);
  for (const json& entry : Golden()["tokenizers"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto tokenizer = Tokenizer::FromJson(TokenizerJson(entry), {});
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    for (int round = 0; round < 200; ++round) {
      std::string text;
      for (uint64_t left = random() % 40; left > 0; --left) {
        const uint64_t kind = random() % 4;
        text += static_cast<char>(kind == 0   ? 0xE0 + random() % 32
                                  : kind == 1 ? 0x80 + random() % 64
                                              : random() % 256);
      }
      const std::vector<TokenId> ids = (*tokenizer)->Encode(text, {}).value();
      const std::string decoded = (*tokenizer)->Decode(ids, SpecialTokens::kSkip);
      EXPECT_TRUE(IsValidUtf8(decoded));
      IncrementalDetokenizer detokenizer(**tokenizer, SpecialTokens::kSkip);
      std::string streamed;
      detokenizer.Push(ids, streamed);
      detokenizer.Finish(streamed);
      EXPECT_EQ(streamed, decoded);
      if (entry["name"] == "plain") {
        std::string repaired;
        AppendLossy(text, repaired);
        EXPECT_EQ(decoded, repaired);
      }
    }
  }
}

// No damage to a file may do more than make it fail to load.
TEST(TokenizerSynthetic, SurvivesMutatedFiles) {
  const std::string original = TokenizerJson(Golden()["tokenizers"].back());
  std::mt19937_64 random(6);
  for (int round = 0; round < 400; ++round) {
    std::string text = original;
    for (uint64_t flips = random() % 3 + 1; flips > 0; --flips) {
      const size_t at = random() % text.size();
      text[at] = original[random() % original.size()];
    }
    const auto tokenizer = Tokenizer::FromJson(text, {});
    if (!tokenizer.ok()) continue;
    EXPECT_TRUE((*tokenizer)->Encode("hello <s>world 123", {}).ok());
  }
}

}  // namespace
}  // namespace baton
