#include "common/text/tokenizer/unigram_model.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/text/tokenizer/byte_fallback.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

constexpr double kUnknownPenalty = 10.0;
constexpr uint32_t kUnreached = UINT32_MAX;

TokenTable Visible(const TokenTable& tokens, const std::vector<bool>& hidden) {
  TokenTable visible;
  for (TokenId id = 0; id < tokens.size(); ++id) {
    visible.Append(!hidden.empty() && hidden[id] ? std::string_view() : tokens[id]);
  }
  return visible;
}

absl::Status UnknownCharacter() {
  return InvalidArgument("tokenize: a character outside the vocabulary, which has no unk_id");
}

}  // namespace

absl::StatusOr<std::unique_ptr<const UnigramModel>> UnigramModel::Make(
    TokenTable tokens, std::span<const double> scores, const UnigramOptions& options) {
  if (options.unk_id && *options.unk_id >= tokens.size()) {
    return InvalidArgument(absl::StrCat("load tokenizer: unk_id ", *options.unk_id,
                                        ", expected below ", tokens.size()));
  }
  return std::unique_ptr<const UnigramModel>(new UnigramModel(std::move(tokens), scores, options));
}

UnigramModel::UnigramModel(TokenTable tokens, std::span<const double> scores,
                           const UnigramOptions& options)
    : tokens_(std::move(tokens)),
      options_(options),
      scores_(scores.begin(), scores.end()),
      trie_(Visible(tokens_, options_.hidden)) {
  double lowest = scores_.empty() ? kUnknownPenalty : std::numeric_limits<double>::infinity();
  for (TokenId id = 0; id < scores_.size(); ++id) {
    if (!IsHidden(id)) lowest = std::min(lowest, scores_[id]);
  }
  unk_score_ = lowest - kUnknownPenalty;
  for (size_t byte = 0; byte < fallback_ids_.size(); ++byte) {
    fallback_ids_[byte] = tokens_.Find(TokenOfByte(static_cast<uint8_t>(byte)));
  }
}

absl::Status UnigramModel::Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const {
  std::vector<Best> best;
  for (const Piece piece : pieces.pieces()) {
    RETURN_IF_ERROR(EncodePiece(pieces.TextOf(piece), best, ids));
  }
  return absl::OkStatus();
}

absl::Status UnigramModel::Search(std::string_view piece, std::vector<Best>& best) const {
  best.assign(piece.size() + 1, {0, kUnreached, kNoToken});
  for (uint32_t at = 0; at < piece.size();) {
    const double score = best[at].score;
    const uint32_t char_length = DecodeChar(piece.substr(at)).length;
    bool has_single = false;
    // Only a better way replaces one that was found before.
    const auto improves = [&](size_t end, double candidate) {
      return best[end].begin == kUnreached || candidate > best[end].score;
    };
    trie_.ForEachPrefix(piece.substr(at), [&](size_t length, TokenId id) {
      const double candidate = score + scores_[id];
      if (improves(at + length, candidate)) best[at + length] = {candidate, at, id};
      has_single = has_single || length == char_length;
    });
    const double unknown = score + unk_score_;
    if (!has_single && improves(at + char_length, unknown)) {
      if (!options_.unk_id) return UnknownCharacter();
      best[at + char_length] = {unknown, at, kNoToken};
    }
    at += char_length;
  }
  return absl::OkStatus();
}

absl::Status UnigramModel::AppendUnknown(std::string_view text, std::vector<TokenId>& ids) const {
  // Unknown characters in a row may happen to spell a token together.
  if (const TokenId id = tokens_.Find(text); id != kNoToken && !IsHidden(id)) {
    ids.push_back(id);
    return absl::OkStatus();
  }
  const bool has_bytes =
      options_.byte_fallback && std::all_of(text.begin(), text.end(), [this](char c) {
        return fallback_ids_[static_cast<unsigned char>(c)] != kNoToken;
      });
  if (has_bytes) {
    for (const char c : text) ids.push_back(fallback_ids_[static_cast<unsigned char>(c)]);
    return absl::OkStatus();
  }
  if (!options_.unk_id) {
    return UnknownCharacter();
  }
  ids.push_back(*options_.unk_id);
  return absl::OkStatus();
}

absl::Status UnigramModel::EncodePiece(std::string_view piece, std::vector<Best>& best,
                                       std::vector<TokenId>& ids) const {
  RETURN_IF_ERROR(Search(piece, best));
  // The path backwards, turned into its order; unknown stretches in a row are one.
  std::vector<Piece> path;
  for (auto end = static_cast<uint32_t>(piece.size()); end > 0; end = best[end].begin) {
    path.push_back({best[end].begin, end});
  }
  const auto is_unknown = [&](Piece part) {
    const TokenId id = best[part.end].id;
    return id == kNoToken || (options_.unk_id && id == *options_.unk_id);
  };
  for (size_t i = path.size(); i-- > 0;) {
    if (!is_unknown(path[i])) {
      const TokenId id = best[path[i].end].id;
      ids.push_back(id);
      continue;
    }
    Piece stretch = path[i];
    for (; i > 0 && is_unknown(path[i - 1]); --i) stretch.end = path[i - 1].end;
    RETURN_IF_ERROR(AppendUnknown(piece.substr(stretch.begin, stretch.end - stretch.begin), ids));
  }
  return absl::OkStatus();
}

}  // namespace baton
