#include "frontend/scale_out/derender_state.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/token_table.h"
#include "common/text/unicode/utf8.h"
#include "frontend/answer/answer_format.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kById = "token_id:";
constexpr int64_t kCountMax = int64_t{1} << 53;

absl::Status BadState(std::string_view what) {
  return WithField(InvalidArgument(absl::StrCat("invalid stream_state: ", ToAbsl(what))),
                   "stream_state");
}

size_t ReadCount(const JsonField& field) {
  return static_cast<size_t>(field.IntInRange(0, kCountMax).value_or(0));
}

std::vector<TokenId> ReadIds(const JsonField& field) {
  std::vector<TokenId> ids;
  field.VisitItems([&ids](const JsonField& item) {
    ids.push_back(static_cast<TokenId>(item.IntInRange(0, kNoToken - 1).value_or(0)));
  });
  return ids;
}

std::vector<std::string> ReadPrevTokens(const JsonField& field) {
  std::vector<std::string> tokens = field.StringList().value_or(std::vector<std::string>());
  if (tokens.size() > DerenderState::kPrevTokensMax) {
    const std::string reason =
        absl::StrCat("prev_tokens length (", tokens.size(), ") exceeds maximum (",
                     DerenderState::kPrevTokensMax, ")");
    field.Problem("value_error", "Value error, " + reason,
                  absl::StrCat("'error': ValueError('", reason, "')"));
  }
  return tokens;
}

std::vector<TokenId> ReadContext(const JsonField& field) {
  std::vector<TokenId> ids = ReadIds(field);
  if (ids.size() > DerenderState::kContextMax) {
    field.Problem("too_long",
                  absl::StrCat("List should have at most ", DerenderState::kContextMax,
                               " items after validation, not ", ids.size()),
                  absl::StrCat("'field_type': 'List', 'max_length': ", DerenderState::kContextMax,
                               ", 'actual_length': ", ids.size()));
  }
  return ids;
}

// A vocabulary may spell two tokens alike, or in bytes that are no text.
std::string Spell(const Tokenizer& tokenizer, TokenId id) {
  const std::string_view text = tokenizer.TokenText(id);
  const bool is_own = !text.empty() && IsValidUtf8(text) && !text.starts_with(kById) &&
                      tokenizer.FindToken(text) == id;
  return is_own ? std::string(text) : absl::StrCat(ToAbsl(kById), id);
}

std::optional<TokenId> Unspell(const Tokenizer& tokenizer, std::string_view token) {
  TokenId id = 0;
  if (token.starts_with(kById)) {
    if (!absl::SimpleAtoi(ToAbsl(token.substr(kById.size())), &id)) return std::nullopt;
    return id < tokenizer.vocab_size() ? std::optional(id) : std::nullopt;
  }
  return tokenizer.FindToken(token);
}

}  // namespace

DerenderState DerenderState::Read(const JsonField& field) {
  DerenderState state;
  size_t chunk_sum = 0;
  field.VisitMembers([&](std::string_view name, const JsonField& member) {
    if (name == "prev_tokens") state.prev_tokens = ReadPrevTokens(member);
    if (name == "prefix_offset") state.prefix_offset = ReadCount(member);
    if (name == "read_offset") state.read_offset = ReadCount(member);
    if (name == "role_sent") state.role_sent = member.Bool().value_or(false);
    if (name == "logprob_context_token_ids") state.context_ids = ReadContext(member);
    if (name == "logprob_text_offset") state.text_offset = ReadCount(member);
    if (name == "output_token_ids") state.output_ids = ReadIds(member);
    if (name == "output_chunk_lens") {
      member.VisitItems([&chunk_sum](const JsonField& item) {
        chunk_sum += static_cast<size_t>(item.IntInRange(1, UINT32_MAX).value_or(0));
      });
    }
  });
  if (chunk_sum != state.output_ids.size()) {
    const std::string reason =
        absl::StrCat("output_chunk_lens must sum to len(output_token_ids) (got sum=", chunk_sum,
                     ", len(output_token_ids)=", state.output_ids.size(), ")");
    field.Problem("value_error", "Value error, " + reason,
                  absl::StrCat("'error': ValueError('", reason, "')"));
  }
  return state;
}

void DerenderState::AppendTo(std::string* out) const {
  std::string tokens;
  for (const std::string& token : prev_tokens) {
    if (!tokens.empty()) tokens += ',';
    AppendJsonString(token, &tokens);
  }
  absl::StrAppend(out, "{\"prev_tokens\":[", tokens, "],\"prefix_offset\":", prefix_offset,
                  ",\"read_offset\":", read_offset, ",\"role_sent\":", role_sent ? "true" : "false",
                  ",\"logprob_context_token_ids\":");
  AppendTokenIds(context_ids, out);
  absl::StrAppend(out, ",\"logprob_text_offset\":", text_offset, ",\"output_token_ids\":");
  AppendTokenIds(output_ids, out);
  *out += ",\"output_chunk_lens\":[";
  if (!output_ids.empty()) absl::StrAppend(out, output_ids.size());
  *out += "]}";
}

CarriedText::CarriedText(const GenerationSpec& spec)
    : spec_(&spec),
      detokenizer_(*spec.model->tokenizer,
                   spec.skip_special_tokens ? SpecialTokens::kSkip : SpecialTokens::kKeep,
                   spec.kept_special_tokens) {}

absl::StatusOr<CarriedText> CarriedText::From(const GenerationSpec& spec,
                                              const DerenderState& state) {
  const size_t size = state.prev_tokens.size();
  if (state.prefix_offset > state.read_offset || state.read_offset > size) {
    return BadState(absl::StrCat("prefix_offset=", state.prefix_offset,
                                 " read_offset=", state.read_offset, " of ", size, " prev_tokens"));
  }
  CarriedText text(spec);
  std::string told;
  for (size_t i = state.prefix_offset; i < size; ++i) {
    if (state.prev_tokens[i].empty()) continue;  // an id that is no token
    const auto id = Unspell(*spec.model->tokenizer, state.prev_tokens[i]);
    if (!id.has_value()) return BadState(absl::StrCat("prev_tokens.", i, " is no token"));
    text.Push(*id, i < state.read_offset ? told : text.untold_);
  }
  return text;
}

// What has no text, and what is not shown.
bool CarriedText::AddsNothing(TokenId id) const {
  const Tokenizer& tokenizer = *spec_->model->tokenizer;
  const auto& kept = spec_->kept_special_tokens;
  return tokenizer.TokenText(id).empty() ||
         (spec_->skip_special_tokens && tokenizer.IsSpecial(id) &&
          std::ranges::find(kept, id) == kept.end());
}

void CarriedText::Push(TokenId id, std::string& text) {
  if (AddsNothing(id)) return;
  detokenizer_.Push(id, text);
  if (!detokenizer_.pending()) window_.clear();
  window_.push_back(id);
}

void CarriedText::Push(std::span<const TokenId> ids, bool is_last, std::string& text) {
  text += std::exchange(untold_, {});
  for (const TokenId id : ids) Push(id, text);
  if (is_last) detokenizer_.Finish(text);
}

absl::Status CarriedText::Save(DerenderState& state) const {
  if (window_.size() > DerenderState::kPrevTokensMax) {
    return InvalidArgument(absl::StrCat("the last ", window_.size(),
                                        " tokens are no text yet; a stream_state holds ",
                                        DerenderState::kPrevTokensMax));
  }
  state.prev_tokens.clear();
  for (const TokenId id : window_) state.prev_tokens.push_back(Spell(*spec_->model->tokenizer, id));
  state.prefix_offset = 0;
  state.read_offset = window_.size();
  return absl::OkStatus();
}

}  // namespace baton::frontend
