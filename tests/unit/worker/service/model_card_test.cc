#include "worker/service/model_card.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace baton::worker {
namespace {

using Files = std::vector<ModelCard::File>;

TEST(ModelCard, ChunksRebuildTheFiles) {
  const std::string big(ModelCard::kPieceBytesMax * 2 + 5, 'x');
  const ModelCard card(Files{{"tokenizer.json", big}, {"empty.json", ""}, {"config.json", "{}"}});
  v1::ModelInfo info;
  info.set_name("smol");
  const v1::ModelCardChunk header = card.Message(0, info);
  EXPECT_EQ(header.header().card_digest(), card.digest());
  EXPECT_EQ(header.header().model().name(), "smol");
  std::map<std::string, std::string> files;
  int complete = 0;
  for (size_t i = 1; i < card.message_count(); ++i) {
    const v1::ModelCardChunk::Piece piece = card.Message(i, info).piece();
    EXPECT_LE(piece.data().size(), ModelCard::kPieceBytesMax);
    files[piece.file()] += piece.data();
    complete += piece.last();
  }
  EXPECT_EQ(complete, 3);
  EXPECT_EQ(files["tokenizer.json"], big);
  EXPECT_EQ(files["config.json"], "{}");
  EXPECT_EQ(files.count("empty.json"), 1u);
}

TEST(ModelCard, TheDigestIsOfNamesAndContents) {
  const ModelCard card(Files{{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(card.digest().size(), 32u);
  EXPECT_EQ(card.digest(), ModelCard(Files{{"b", "2"}, {"a", "1"}}).digest());
  EXPECT_NE(card.digest(), ModelCard(Files{{"a", "12"}, {"b", ""}}).digest());
  EXPECT_NE(card.digest(), ModelCard(Files{{"a", "2"}, {"b", "1"}}).digest());
}

TEST(ModelCard, SaysWhenThereIsNoTokenizer) {
  EXPECT_TRUE(absl::IsNotFound(ModelCard(Files{{"config.json", "{}"}}).MakeTokenizer().status()));
  EXPECT_FALSE(ModelCard(Files{{"metadata.gguf", "nonsense"}}).MakeTokenizer().ok());
}

}  // namespace
}  // namespace baton::worker
