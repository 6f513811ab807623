#include "frontend/answer/token_offsets.h"

#include <gtest/gtest.h>

#include "tests/fakes/byte_model.h"

namespace baton::frontend {
namespace {

using Spans = std::vector<TextSpan>;

TEST(TokenOffsetsTest, CountCharactersAndNotBytes) {
  const auto model = MakeByteModel();
  const std::string text = "a\xC3\xA9z";  // é is two tokens
  EXPECT_EQ(TokenOffsets(*model->tokenizer, BytesOf(text), text),
            (Spans{{0, 1}, {1, 2}, {1, 2}, {2, 3}}));
}

TEST(TokenOffsetsTest, MarkersStandForTheirSpellingOrForNothing) {
  const auto model = MakeByteModel();
  const TokenId marker = *model->tokenizer->FindToken("<|end|>");
  EXPECT_EQ(TokenOffsets(*model->tokenizer, std::vector<TokenId>{'a', marker, 'b'}, "a<|end|>b"),
            (Spans{{0, 1}, {1, 8}, {8, 9}}));
  EXPECT_EQ(TokenOffsets(*model->tokenizer, std::vector<TokenId>{marker, 'a'}, "a"),
            (Spans{{0, 0}, {0, 1}}));
}

TEST(TokenOffsetsTest, TokensThatDoNotSpellTheTextHaveNone) {
  const auto model = MakeByteModel();
  EXPECT_EQ(TokenOffsets(*model->tokenizer, BytesOf("ab"), "aB"), std::nullopt);
  EXPECT_EQ(TokenOffsets(*model->tokenizer, BytesOf("ab"), "abc"), std::nullopt);
  EXPECT_EQ(TokenOffsets(*model->tokenizer, {}, ""), Spans());
}

}  // namespace
}  // namespace baton::frontend
