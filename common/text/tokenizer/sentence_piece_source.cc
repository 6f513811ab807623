#include "common/text/tokenizer/sentence_piece_source.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/charsmap.h"
#include "common/text/tokenizer/word_mark.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

using Type = SentencePieceSource::Type;

// The library's own way to normalize: the longest rewrite first, spaces marked, one in front.
class SentencePieceNormalizer : public Normalizer {
 public:
  SentencePieceNormalizer(Charsmap charsmap, const SentencePieceSource& model)
      : charsmap_(std::move(charsmap)),
        add_prefix_(model.add_dummy_prefix && !model.space_as_suffix),
        add_suffix_(model.add_dummy_prefix && model.space_as_suffix),
        remove_extra_spaces_(model.remove_extra_spaces),
        space_(model.escape_spaces ? kWordMark : std::string_view(" ")) {}

  absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                             std::string& storage) const override {
    storage.clear();
    storage.reserve(text.size() * 5 / 4 + 4);
    bool after_space = remove_extra_spaces_;
    while (!text.empty()) {
      const size_t kept = charsmap_.KeptFront(text);
      Append(text.substr(0, kept), after_space, storage);
      text.remove_prefix(kept);
      if (text.empty()) break;
      const Charsmap::Rewrite rewrite = charsmap_.RewriteFront(text);
      Append(rewrite.text, after_space, storage);
      text.remove_prefix(rewrite.length);
    }
    while (remove_extra_spaces_ && storage.ends_with(space_)) {
      storage.resize(storage.size() - space_.size());
    }
    if (add_suffix_ && !storage.empty()) storage.append(space_);
    return std::string_view(storage);
  }

 private:
  // Appends rewritten text; `after_space`: spaces at its front are superfluous.
  void Append(std::string_view text, bool& after_space, std::string& storage) const {
    while (!text.empty()) {
      const bool space = text[0] == ' ';
      const size_t end = space ? 1 : std::min(text.find(' '), text.size());
      if (!space || !after_space) {
        // Only now is it certain that the text is more than spaces.
        if (storage.empty() && add_prefix_) storage.append(space_);
        storage.append(space ? space_ : text.substr(0, end));
      }
      after_space = remove_extra_spaces_ && space;
      text.remove_prefix(end);
    }
  }

  const Charsmap charsmap_;
  const bool add_prefix_;
  const bool add_suffix_;
  const bool remove_extra_spaces_;
  const std::string_view space_;
};

bool IsPiece(Type type) {
  return type == Type::kNormal || type == Type::kUserDefined || type == Type::kUnused;
}

// Pieces by falling score: any two that make one of them merge, the best first. None where every
// character is a piece.
std::vector<TokenId> ProductsOf(const SentencePieceSource& model) {
  if (model.model == SentencePieceSource::Model::kChar) return {};
  std::vector<TokenId> products(model.entries.size());
  std::iota(products.begin(), products.end(), 0);
  std::erase_if(products, [&](TokenId id) { return !IsPiece(model.entries[id].type); });
  std::stable_sort(products.begin(), products.end(), [&](TokenId a, TokenId b) {
    return model.entries[a].score > model.entries[b].score;
  });
  return products;
}

void FillVocabulary(const SentencePieceSource& model, TokenizerSource& source) {
  for (TokenId id = 0; id < model.entries.size(); ++id) {
    const SentencePieceSource::Entry& entry = model.entries[id];
    source.model.tokens.push_back(entry.text);
    source.model.scores.push_back(entry.score);
    source.model.hidden.push_back(!IsPiece(entry.type) ||
                                  (entry.type == Type::kUnused && !model.as_llama_cpp));
    if (entry.type == Type::kByte) source.model.byte_fallback = true;
    const bool markup = entry.type == Type::kControl || entry.type == Type::kUnknown;
    if ((!markup && entry.type != Type::kUserDefined) || entry.text.empty()) continue;
    AddedToken token;
    token.id = id;
    token.content = std::string(entry.text);
    token.special = markup;
    token.normalized = token.spelled_normalized = !markup && !model.as_llama_cpp;
    source.added.push_back(std::move(token));
  }
}

nlohmann::json DecoderOf(const SentencePieceSource& model) {
  nlohmann::json decoders = nlohmann::json::array();
  decoders.push_back({{"type", "Replace"}, {"pattern", {{"String", kWordMark}}}, {"content", " "}});
  decoders.push_back({{"type", "ByteFallback"}});
  decoders.push_back({{"type", "Fuse"}});
  if (model.add_dummy_prefix || model.remove_extra_spaces) {
    const uint32_t start = model.remove_extra_spaces ? UINT32_MAX : 1;
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", start}, {"stop", 0}});
  }
  return {{"type", "Sequence"}, {"decoders", std::move(decoders)}};
}

}  // namespace

absl::Status FillFromSentencePiece(const SentencePieceSource& model, TokenizerSource& source) {
  FillVocabulary(model, source);
  const bool unigram = model.model == SentencePieceSource::Model::kUnigram;
  source.model.kind = unigram ? TokenModelSource::Kind::kUnigram : TokenModelSource::Kind::kBpe;
  source.model.unk_id = model.unk_id;
  source.model.fuse_unk = true;
  if (!unigram) source.model.products = ProductsOf(model);
  const nlohmann::json document = {{"decoder", DecoderOf(model)}};
  ASSIGN_OR_RETURN(source.components, MakeComponents(ComponentConfig(document, "sentencepiece")));
  Charsmap charsmap;
  if (!model.charsmap.empty()) {
    ASSIGN_OR_RETURN(charsmap, Charsmap::Parse(model.charsmap));
  }
  source.components.normalizer =
      std::make_unique<SentencePieceNormalizer>(std::move(charsmap), model);
  return absl::OkStatus();
}

}  // namespace baton
