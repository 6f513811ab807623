#include "common/text/tokenizer/tokenizer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/text/tokenizer/tokenizer_parts.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

// Leaves room for normalization to grow the text; offsets have 32 bits.
constexpr size_t kTextBytesMax = size_t{1} << 30;
constexpr size_t kNormalizedBytesMax = size_t{3} << 30;

}  // namespace

// Buffers of one call of Encode, reused from segment to segment.
struct Tokenizer::Scratch {
  std::vector<Segment> raw_segments;
  std::vector<Segment> segments;
  std::string normalized;
  PieceBuffer pieces;
};

Tokenizer::Tokenizer(TokenizerParts parts)
    : parts_(std::make_unique<const TokenizerParts>(std::move(parts))) {}

Tokenizer::~Tokenizer() = default;

absl::StatusOr<std::vector<TokenId>> Tokenizer::Encode(std::string_view text,
                                                       const EncodeOptions& options) const {
  if (text.size() > kTextBytesMax) {
    return InvalidArgument(
        absl::StrCat("tokenize: text has ", text.size(), " bytes, expected up to ", kTextBytesMax));
  }
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 4 + 16);
  const SpecialTokenFrame& frame = parts_->frame;
  if (options.add_special_tokens) ids = frame.before;
  Scratch scratch;
  parts_->raw_added.Split(text, options.parse_special, scratch.raw_segments, options.plain_at);
  for (const Segment& segment : scratch.raw_segments) {
    if (segment.id != kNoToken) {
      ids.push_back(segment.id);
    } else {
      // Normalization moves offsets: where any lies in the segment, all of it is plain.
      const auto next =
          std::lower_bound(options.plain_at.begin(), options.plain_at.end(), size_t{segment.begin});
      const bool marked = next != options.plain_at.end() && *next < segment.end;
      RETURN_IF_ERROR(EncodeSegment(text.substr(segment.begin, segment.end - segment.begin),
                                    segment.begin == 0, options.parse_special && !marked, scratch,
                                    ids));
    }
  }
  if (options.add_special_tokens) ids.insert(ids.end(), frame.after.begin(), frame.after.end());
  return ids;
}

absl::Status Tokenizer::EncodeSegment(std::string_view text, bool at_front, bool parse_special,
                                      Scratch& scratch, std::vector<TokenId>& ids) const {
  const bool marked =
      at_front && parts_->pre_tokenizer != nullptr && parts_->pre_tokenizer->marks_front();
  size_t front = marked ? DecodeChar(text).length : 0;
  if (parts_->normalizer != nullptr) {
    if (marked) front = parts_->normalizer->FrontAfter(text, front);
    ASSIGN_OR_RETURN(text, parts_->normalizer->Normalize(text, scratch.normalized));
    if (text.size() > kNormalizedBytesMax) {
      return InvalidArgument(absl::StrCat("tokenize: normalized text has ", text.size(),
                                          " bytes, expected up to ", kNormalizedBytesMax));
    }
  }
  parts_->normalized_added.Split(text, parse_special, scratch.segments);
  for (const Segment& segment : scratch.segments) {
    if (segment.id != kNoToken) {
      ids.push_back(segment.id);
      continue;
    }
    const size_t size = segment.end - segment.begin;
    RETURN_IF_ERROR(EncodePlain(
        text.substr(segment.begin, size),
        std::clamp<size_t>(front, segment.begin, segment.end) - segment.begin, scratch, ids));
  }
  return absl::OkStatus();
}

absl::Status Tokenizer::EncodePlain(std::string_view text, size_t front, Scratch& scratch,
                                    std::vector<TokenId>& ids) const {
  scratch.pieces.Reset(text, front);
  if (parts_->pre_tokenizer != nullptr) {
    RETURN_IF_ERROR(parts_->pre_tokenizer->Cut(scratch.pieces));
  }
  return parts_->model->Encode(scratch.pieces, ids);
}

std::string Tokenizer::Decode(std::span<const TokenId> ids, SpecialTokens special) const {
  const DetokenizerPlan& plan = parts_->detokenizer;
  std::string bytes;
  bytes.reserve(ids.size() * 5);
  if (!plan.context_free()) {
    DetokenizerPlan::State state;
    for (const TokenId id : ids) {
      if (special == SpecialTokens::kSkip && IsSpecial(id)) continue;
      plan.Push(id, state, bytes);
    }
    plan.Finish(state, bytes);
    return bytes;
  }
  for (const TokenId id : ids) {
    if (special == SpecialTokens::kSkip && IsSpecial(id)) continue;
    bytes.append(plan.TokenBytes(id));
  }
  if (IsValidUtf8(bytes)) return bytes;
  std::string text;
  text.reserve(bytes.size() + kReplacementUtf8.size());
  AppendLossy(bytes, text);
  return text;
}

size_t Tokenizer::vocab_size() const { return parts_->texts.size(); }

std::string_view Tokenizer::TokenBytes(TokenId id) const {
  return parts_->detokenizer.TokenBytes(id);
}

const DetokenizerPlan& Tokenizer::detokenizer() const { return parts_->detokenizer; }

std::string_view Tokenizer::TokenText(TokenId id) const { return parts_->texts[id]; }

std::optional<TokenId> Tokenizer::FindToken(std::string_view text) const {
  const TokenId id = parts_->texts.Find(text);
  if (id == kNoToken) return std::nullopt;
  return id;
}

bool Tokenizer::IsSpecial(TokenId id) const {
  return id < parts_->special.size() && parts_->special[id];
}

std::optional<TokenId> Tokenizer::bos_id() const { return parts_->bos_id; }
std::optional<TokenId> Tokenizer::eos_id() const { return parts_->eos_id; }
std::optional<TokenId> Tokenizer::unk_id() const { return parts_->unk_id; }
std::optional<TokenId> Tokenizer::pad_id() const { return parts_->pad_id; }
const std::vector<TokenId>& Tokenizer::stop_ids() const { return parts_->stop_ids; }

}  // namespace baton
