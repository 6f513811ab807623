// Small models of sentencepiece, written here field by field, and what its library (0.2.3) answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "common/text/tokenizer/tokenizer.h"

namespace baton {
namespace {

using ::testing::ElementsAre;

constexpr char kUnigram = 1;
constexpr char kBpe = 2;
constexpr char kChar = 4;

struct Piece {
  std::string text;
  float score;
  char type;
};

const std::vector<Piece> kPieces = {
    {"<unk>", 0, 2}, {"</s>", 0, 3},   {"▁", -2, 1}, {"a", -3, 1}, {"b", -3.5f, 1},
    {"▁a", -4, 1},   {"ab", -1, 5},    {"s", -5, 1}, {"<", -6, 1}, {">", -6.5f, 1},
    {"/", -7, 1},    {"b▁", -2.5f, 1}, {"a▁", -3, 1}};

// The pieces with these settings of trainer and normalizer.
class Model {
 public:
  explicit Model(char type) : trainer_({'\x18', type}) {}

  Model& SpaceAsSuffix() {
    trainer_ += "\xC0\x01\x01";
    return *this;
  }
  Model& NoDummyPrefix() {
    normalizer_ += std::string("\x18\x00", 2);
    return *this;
  }

  std::unique_ptr<const Tokenizer> Load() const {
    std::string bytes;
    for (const Piece& piece : kPieces) {
      char score[sizeof(float)];
      std::memcpy(score, &piece.score, sizeof(score));
      Append('\x0A',
             Message('\x0A', piece.text) + "\x15" + std::string(score, sizeof(score)) + '\x18' +
                 piece.type,
             bytes);
    }
    Append('\x12', trainer_, bytes);
    Append('\x1A', normalizer_, bytes);
    auto tokenizer = Tokenizer::FromSentencePiece(bytes, {});
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
    return *std::move(tokenizer);
  }

 private:
  static std::string Message(char tag, const std::string& body) {
    return std::string{tag, static_cast<char>(body.size())} + body;
  }
  static void Append(char tag, const std::string& body, std::string& bytes) {
    bytes += Message(tag, body);
  }

  std::string trainer_;
  std::string normalizer_;
};

// As the library encodes: nothing around the text, and markup in it is text.
std::vector<TokenId> Encode(const Tokenizer& tokenizer, std::string_view text) {
  return tokenizer.Encode(text, {.add_special_tokens = false, .parse_special = false}).value();
}

std::string Decode(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  return tokenizer.Decode(ids, SpecialTokens::kKeep);
}

TEST(SentencePiece, TextBecomesNoControlOrUnusedPiece) {
  const auto unigram = Model(kUnigram).Load();
  EXPECT_THAT(Encode(*unigram, "a</s>"), ElementsAre(5, 8, 10, 7, 9)) << "not forged";
  EXPECT_THAT(Encode(*unigram, "ab ba"), ElementsAre(5, 11, 4, 3)) << "ab is unused";
  EXPECT_THAT(Encode(*unigram, "ééa"), ElementsAre(2, 0, 3));
  EXPECT_THAT(Encode(*Model(kBpe).Load(), "a</s>"), ElementsAre(5, 8, 10, 7, 9));
}

TEST(SentencePiece, SpacesAsSuffix) {
  const auto bpe = Model(kBpe).SpaceAsSuffix().Load();
  EXPECT_THAT(Encode(*bpe, " a  b "), ElementsAre(12, 11));
  EXPECT_THAT(Encode(*bpe, ""), ElementsAre());
  EXPECT_EQ(Decode(*bpe, {12, 11}), "a b ");
  EXPECT_THAT(Encode(*Model(kUnigram).SpaceAsSuffix().Load(), "a</s>"),
              ElementsAre(3, 8, 10, 7, 9, 2));
}

TEST(SentencePiece, CharactersAsPieces) {
  const auto chars = Model(kChar).Load();
  EXPECT_THAT(Encode(*chars, "ab ba"), ElementsAre(2, 3, 4, 2, 4, 3));
  EXPECT_THAT(Encode(*chars, "ééa"), ElementsAre(2, 0, 3));
}

TEST(SentencePiece, WhatRemovesExtraSpacesDecodesNoneInFront) {
  EXPECT_EQ(Decode(*Model(kBpe).Load(), {2, 2, 5, 2, 5}), "a  a");
  EXPECT_EQ(Decode(*Model(kBpe).NoDummyPrefix().Load(), {2, 2, 5, 2, 5}), "a  a");
}

}  // namespace
}  // namespace baton
