#include "common/text/tokenizer/tokenizer_source.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/bpe_model.h"
#include "common/text/tokenizer/byte_alphabet.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/tokenizer_parts.h"

namespace baton {
namespace {

// A damaged file must not make us fill memory with holes.
constexpr TokenId kIdMax = 1u << 24;

template <typename Component>
absl::StatusOr<std::unique_ptr<const Component>> MakeOptional(
    const ComponentConfig& document, std::string_view key,
    const ComponentFactories<Component>& factories) {
  if (!document.Has(key)) return nullptr;
  ASSIGN_OR_RETURN(const ComponentConfig config, document.Object(key));
  return factories.Make(config, RegisteredComponents());
}

// All texts by id: those of the model, then those that only added tokens have.
absl::StatusOr<TokenTable> MakeTexts(const TokenizerSource& source, const TokenTable& model) {
  std::vector<std::string_view> texts = source.tokens;
  for (const AddedToken& token : source.added) {
    if (token.id > kIdMax) {
      return InvalidArgument(absl::StrCat("load tokenizer: added token=", token.content, " id ",
                                          token.id, ", expected up to ", kIdMax));
    }
    const TokenId in_model = model.Find(token.content);
    if (token.id >= texts.size()) texts.resize(token.id + 1);
    std::string_view& text = texts[token.id];
    if ((in_model != kNoToken && in_model != token.id) ||
        (!text.empty() && text != token.content)) {
      return InvalidArgument(absl::StrCat("load tokenizer: added token=", token.content, " id ",
                                          token.id, " clashes with the vocabulary"));
    }
    text = token.content;
  }
  TokenTable table;
  for (const std::string_view text : texts) table.Append(text);
  table.BuildIndex();
  return table;
}

absl::StatusOr<std::vector<MergeTable::Merge>> ResolveMerges(const TokenizerSource& source,
                                                             const TokenTable& model) {
  std::vector<MergeTable::Merge> merges;
  merges.reserve(source.merges.size());
  std::string product;
  for (const auto& [left, right] : source.merges) {
    product.assign(left).append(right);
    const MergeTable::Merge merge = {model.Find(left), model.Find(right), model.Find(product)};
    if (merge.left == kNoToken || merge.right == kNoToken || merge.product == kNoToken) {
      return InvalidArgument(absl::StrCat("load tokenizer: merge ", merges.size(), " \"",
                                          ToAbsl(left), " ", ToAbsl(right),
                                          "\" has a part or product outside the vocabulary"));
    }
    merges.push_back(merge);
  }
  return merges;
}

absl::StatusOr<std::unique_ptr<const TokenModel>> MakeModel(const TokenizerSource& source,
                                                            const TokenTable& model) {
  const PreTokenizer* pre_tokenizer = source.components.pre_tokenizer.get();
  if (pre_tokenizer == nullptr || !pre_tokenizer->byte_level()) {
    return Unimplemented("load tokenizer: pre_tokenizer: BPE without ByteLevel as last component");
  }
  ASSIGN_OR_RETURN(const std::vector<MergeTable::Merge> merges, ResolveMerges(source, model));
  BpeOptions options;
  options.ignore_merges = source.ignore_merges;
  options.fuse_unk = source.fuse_unk;
  if (source.model_unk) {
    const TokenId unk = model.Find(*source.model_unk);
    if (unk == kNoToken) {
      return InvalidArgument("load tokenizer: model.unk_token is outside the vocabulary");
    }
    options.unk_id = unk;
  }
  TokenTable bytes;
  for (const std::string_view token : source.tokens) {
    bytes.Append(BytesOfLetters(token).value_or(""));
  }
  bytes.BuildIndex();
  ASSIGN_OR_RETURN(std::unique_ptr<const BpeModel> bpe,
                   BpeModel::Make(std::move(bytes), merges, options));
  return bpe;
}

// How an added token is spelled after normalization, if it is matched then.
std::string NormalizedContent(const AddedToken& token, const Normalizer* normalizer) {
  if (!token.normalized || normalizer == nullptr) return token.content;
  std::string storage;
  return std::string(normalizer->Normalize(token.content, storage));
}

TokenTable MakeBytes(const TokenizerSource& source, const TokenTable& texts) {
  std::vector<std::string> of_added(texts.size());
  for (const AddedToken& token : source.added) {
    of_added[token.id] = NormalizedContent(token, source.components.normalizer.get());
  }
  TokenTable bytes;
  for (TokenId id = 0; id < texts.size(); ++id) {
    const std::string_view text = of_added[id].empty() ? texts[id] : of_added[id];
    bytes.Append(source.components.decoder->BytesOf(text));
  }
  return bytes;
}

std::vector<AddedToken> AddedTokens(const TokenizerSource& source, bool normalized) {
  std::vector<AddedToken> result;
  for (AddedToken token : source.added) {
    if (token.normalized != normalized) continue;
    token.content = NormalizedContent(token, source.components.normalizer.get());
    result.push_back(std::move(token));
  }
  return result;
}

}  // namespace

absl::StatusOr<TokenizerComponents> MakeComponents(const ComponentConfig& document) {
  const ComponentRegistry& registry = RegisteredComponents();
  TokenizerComponents parts;
  ASSIGN_OR_RETURN(parts.normalizer, MakeOptional(document, "normalizer", registry.normalizers));
  ASSIGN_OR_RETURN(parts.pre_tokenizer,
                   MakeOptional(document, "pre_tokenizer", registry.pre_tokenizers));
  ASSIGN_OR_RETURN(parts.post_processor,
                   MakeOptional(document, "post_processor", registry.post_processors));
  ASSIGN_OR_RETURN(parts.decoder, MakeOptional(document, "decoder", registry.decoders));
  return parts;
}

absl::StatusOr<TokenizerParts> BuildTokenizer(TokenizerSource source) {
  if (source.components.decoder == nullptr) {
    return Unimplemented("load tokenizer: decoder: a tokenizer without decoder");
  }
  TokenTable model_texts;
  for (const std::string_view token : source.tokens) model_texts.Append(token);
  model_texts.BuildIndex();
  ASSIGN_OR_RETURN(TokenTable texts, MakeTexts(source, model_texts));
  ASSIGN_OR_RETURN(std::unique_ptr<const TokenModel> model, MakeModel(source, model_texts));
  std::vector<bool> special(texts.size(), false);
  for (const AddedToken& token : source.added) special[token.id] = token.special;
  SpecialTokenFrame frame;
  if (source.components.post_processor) source.components.post_processor->Surround(frame);
  frame.before.insert(frame.before.begin(), source.frame.before.begin(), source.frame.before.end());
  frame.after.insert(frame.after.end(), source.frame.after.begin(), source.frame.after.end());
  TokenTable bytes = MakeBytes(source, texts);
  AddedTokenMatcher raw_added(AddedTokens(source, false));
  AddedTokenMatcher normalized_added(AddedTokens(source, true));
  return TokenizerParts{
      .texts = std::move(texts),
      .bytes = std::move(bytes),
      .special = std::move(special),
      .raw_added = std::move(raw_added),
      .normalizer = std::move(source.components.normalizer),
      .normalized_added = std::move(normalized_added),
      .pre_tokenizer = std::move(source.components.pre_tokenizer),
      .model = std::move(model),
      .frame = std::move(frame),
      .bos_id = source.bos_id,
      .eos_id = source.eos_id,
      .unk_id = source.unk_id,
      .pad_id = source.pad_id,
      .stop_ids = std::move(source.stop_ids),
  };
}

}  // namespace baton
