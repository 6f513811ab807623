#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/bpe_model.h"
#include "common/text/tokenizer/byte_alphabet.h"
#include "common/text/tokenizer/byte_letters.h"
#include "common/text/tokenizer/tokenizer_source.h"
#include "common/text/tokenizer/unigram_model.h"
#include "common/text/tokenizer/word_models.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

using Kind = TokenModelSource::Kind;

absl::StatusOr<std::vector<MergeTable::Merge>> ResolveMerges(const TokenModelSource& model,
                                                             const TokenTable& texts) {
  std::vector<MergeTable::Merge> merges;
  merges.reserve(model.merges.size());
  std::string product;
  const size_t prefix = model.continuing_prefix.size();
  for (const auto& [left, right] : model.merges) {
    product.assign(left).append(right.substr(std::min(prefix, right.size())));
    const MergeTable::Merge merge = {texts.Find(left), texts.Find(right), texts.Find(product)};
    if (merge.left == kNoToken || merge.right == kNoToken || merge.product == kNoToken) {
      return InvalidArgument(absl::StrCat("load tokenizer: merge ", merges.size(), " \"",
                                          ToAbsl(left), " ", ToAbsl(right),
                                          "\" has a part or product outside the vocabulary"));
    }
    merges.push_back(merge);
  }
  return merges;
}

// Every way to make each product from two tokens.
std::vector<MergeTable::Merge> MergesInto(const std::vector<TokenId>& products,
                                          const TokenTable& tokens, BpeOptions::Unit unit) {
  std::vector<MergeTable::Merge> merges;
  for (const TokenId product : products) {
    const std::string_view text = tokens[product];
    for (size_t cut = 1; cut < text.size(); ++cut) {
      const bool inside = (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80;
      if (inside && unit == BpeOptions::Unit::kChar) continue;
      const TokenId left = tokens.Find(text.substr(0, cut));
      if (left == kNoToken) continue;
      const TokenId right = tokens.Find(text.substr(cut));
      if (right != kNoToken) merges.push_back({left, right, product});
    }
  }
  return merges;
}

// The tokens as the bytes they stand for, if the model can do without the letters.
bool CanReadBytes(const TokenModelSource& model, const PreTokenizer* pre_tokenizer) {
  return pre_tokenizer != nullptr && pre_tokenizer->byte_level() && !model.byte_fallback &&
         BytesOfLetters(model.continuing_prefix) == model.continuing_prefix &&
         BytesOfLetters(model.end_suffix) == model.end_suffix;
}

TokenTable BytesTable(const std::vector<std::string_view>& tokens) {
  TokenTable bytes;
  for (const std::string_view token : tokens) bytes.Append(BytesOfLetters(token).value_or(""));
  bytes.BuildIndex();
  return bytes;
}

absl::StatusOr<std::unique_ptr<const TokenModel>> MakeBpe(const TokenModelSource& model,
                                                          const TokenTable& texts,
                                                          std::optional<TokenId> unk_id,
                                                          bool bytes) {
  BpeOptions options;
  options.unit = bytes ? BpeOptions::Unit::kByte : BpeOptions::Unit::kChar;
  options.ignore_merges = model.ignore_merges;
  options.fuse_unk = model.fuse_unk;
  options.byte_fallback = model.byte_fallback;
  options.continuing_prefix = model.continuing_prefix;
  options.end_suffix = model.end_suffix;
  options.unk_id = unk_id;
  options.unk_missing = model.unk && !unk_id;
  TokenTable tokens = bytes ? BytesTable(model.tokens) : texts;
  std::vector<MergeTable::Merge> merges;
  auto order = MergeTable::Order::kByMerge;
  if (model.products) {
    merges = MergesInto(*model.products, tokens, options.unit);
    order = MergeTable::Order::kByProduct;
  } else {
    ASSIGN_OR_RETURN(merges, ResolveMerges(model, texts));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<const BpeModel> result,
                   BpeModel::Make(std::move(tokens), merges, order, std::move(options)));
  return result;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const TokenModel>> MakeTokenModel(
    const TokenModelSource& model, const TokenTable& texts,
    std::unique_ptr<const PreTokenizer>& pre_tokenizer) {
  std::optional<TokenId> unk_id = model.unk_id;
  if (model.unk) {
    const TokenId id = texts.Find(*model.unk);
    if (id != kNoToken) unk_id = id;
  }
  const bool bytes = model.kind == Kind::kBpe && CanReadBytes(model, pre_tokenizer.get());
  if (!bytes && pre_tokenizer != nullptr && pre_tokenizer->byte_level()) {
    pre_tokenizer = std::make_unique<ByteLetters>(std::move(pre_tokenizer));
  }
  switch (model.kind) {
    case Kind::kBpe:
      return MakeBpe(model, texts, unk_id, bytes);
    case Kind::kUnigram: {
      ASSIGN_OR_RETURN(
          std::unique_ptr<const UnigramModel> result,
          UnigramModel::Make(
              texts, model.scores,
              {.unk_id = unk_id, .byte_fallback = model.byte_fallback, .hidden = model.hidden}));
      return result;
    }
    case Kind::kWordPiece:
      return std::make_unique<WordPieceModel>(
          texts, WordPieceOptions{.unk_id = unk_id,
                                  .continuing_prefix = model.continuing_prefix,
                                  .word_chars_max = model.word_chars_max});
    case Kind::kWordLevel:
      return std::make_unique<WordLevelModel>(texts, unk_id);
  }
  return Unimplemented("load tokenizer: unknown kind of model");
}

}  // namespace baton
