#include "frontend/answer/logprobs_json.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/token_table.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {
namespace {

constexpr double kLogprobMin = -9999.0;  // stands for minus infinity, which JSON has not

void AppendLogprob(float logprob, std::string* out) {
  const double value = static_cast<double>(logprob);
  AppendJsonDouble(value > kLogprobMin ? value : kLogprobMin, out);
}

// As a string of JSON.
void AppendToken(const TokenStyle& style, const TokenTexts& texts, TokenId id, std::string* out) {
  if (style.as_ids) {
    absl::StrAppend(out, "\"token_id:", id, "\"");
  } else {
    AppendJsonString(texts.Of(style.tokenizer, id), out);
  }
}

// By itself: half a character is one U+FFFD, as a decoder shows it.
void AppendLoneToken(const Tokenizer& tokenizer, TokenId id, std::string* out) {
  std::string shown;
  AppendLossy(tokenizer.TokenBytes(id), shown);
  AppendJsonString(shown, out);
}

size_t CharacterCount(std::string_view text) {
  size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(DecodeChar(text).length);
  return count;
}

void AppendBytes(const TokenStyle& style, TokenId id, std::string* out) {
  *out += '[';
  bool first = true;
  for (const char c : style.tokenizer.TokenBytes(id)) {
    absl::StrAppend(out, first ? "" : ",", static_cast<int>(static_cast<unsigned char>(c)));
    first = false;
  }
  *out += ']';
}

// {"token":…,"logprob":…,"bytes":[…] without the closing brace.
void AppendChatEntry(const TokenStyle& style, const TokenTexts& texts, TokenId id, float logprob,
                     std::string* out) {
  *out += "{\"token\":";
  AppendToken(style, texts, id, out);
  *out += ",\"logprob\":";
  AppendLogprob(logprob, out);
  *out += ",\"bytes\":";
  AppendBytes(style, id, out);
}

// The alternatives of the token at `index`, at most as many as were asked for and were sent.
struct Alternatives {
  std::span<const uint32_t> ids;
  std::span<const float> logprobs;
};
Alternatives AlternativesOf(const TokenStyle& style, const v1::TokenLogprobs& logprobs,
                            size_t index) {
  const size_t stride = logprobs.top_count();
  const size_t begin = index * stride;
  const size_t sent = static_cast<size_t>(std::min(logprobs.top_ids_size(), logprobs.top_size()));
  size_t count = begin + stride <= sent ? std::min(stride, style.top_count) : 0;
  const uint32_t* const row = logprobs.top_ids().data() + (count > 0 ? begin : 0);
  count = static_cast<size_t>(std::find(row, row + count, kNoToken) - row);
  return {.ids = {row, count},
          .logprobs = {logprobs.top().data() + (count > 0 ? begin : 0), count}};
}

// How many alternatives may follow the drawn token where that counts as one of them.
size_t LeftBehindDrawn(const TokenStyle& style, const Alternatives& tops) {
  if (!style.drawn_is_first) return tops.ids.size();
  return style.top_count > 0 ? style.top_count - 1 : 0;
}

size_t CoveredCount(std::span<const TokenId> ids, const v1::TokenLogprobs& logprobs) {
  return std::min(ids.size(), static_cast<size_t>(logprobs.sampled_size()));
}

void Separate(std::string& list) {
  if (!list.empty()) list += ',';
}

}  // namespace

std::string TokenTexts::Of(const Tokenizer& tokenizer, TokenId id) const {
  Utf8Assembler with_it = so_far_;
  std::string text;
  with_it.Push(tokenizer.TokenBytes(id), text);
  return text;
}

void TokenTexts::Advance(const Tokenizer& tokenizer, TokenId id) {
  std::string text;
  so_far_.Push(tokenizer.TokenBytes(id), text);
}

void TokenTexts::Advance(const Tokenizer& tokenizer, std::span<const TokenId> ids) {
  for (const TokenId id : ids) Advance(tokenizer, id);
}

void AppendChatLogprobs(const TokenStyle& style, std::span<const TokenId> ids,
                        const v1::TokenLogprobs& logprobs, TokenTexts& texts, std::string* out) {
  for (size_t i = 0; i < CoveredCount(ids, logprobs); ++i) {
    if (i > 0) *out += ',';
    AppendChatEntry(style, texts, ids[i], logprobs.sampled(static_cast<int>(i)), out);
    *out += ",\"top_logprobs\":[";
    const Alternatives tops = AlternativesOf(style, logprobs, i);
    bool first = true;
    const auto append = [&](TokenId id, float logprob) {
      if (!std::exchange(first, false)) *out += ',';
      AppendChatEntry(style, texts, id, logprob, out);
      *out += '}';
    };
    const bool begins_with_drawn = style.adds_drawn || style.drawn_is_first;
    if (begins_with_drawn) append(ids[i], logprobs.sampled(static_cast<int>(i)));
    size_t left = LeftBehindDrawn(style, tops);
    for (size_t k = 0; k < tops.ids.size() && left > 0; ++k) {
      if (begins_with_drawn && tops.ids[k] == ids[i]) continue;
      append(tops.ids[k], tops.logprobs[k]);
      --left;
    }
    *out += "]}";
    texts.Advance(style.tokenizer, ids[i]);
  }
}

void AppendTokenLogprobs(const TokenStyle& style, std::span<const TokenId> ids,
                         const v1::TokenLogprobs& logprobs, std::string* out) {
  const auto append = [out](TokenId id, float logprob, size_t rank) {
    absl::StrAppend(out, "{\"token_id\":", id, ",\"logprob\":");
    AppendLogprob(logprob, out);
    absl::StrAppend(out, ",\"rank\":", rank);
  };
  for (size_t i = 0; i < CoveredCount(ids, logprobs); ++i) {
    const float drawn = logprobs.sampled(static_cast<int>(i));
    const size_t rank = logprobs.rank(static_cast<int>(i));
    *out += i > 0 ? "," : "";
    append(ids[i], drawn, rank);
    *out += ",\"top_logprobs\":[";
    append(ids[i], drawn, rank);
    *out += '}';
    const Alternatives tops = AlternativesOf(style, logprobs, i);
    size_t left = LeftBehindDrawn(style, tops);
    for (size_t k = 0; k < tops.ids.size() && left > 0; ++k) {
      if (tops.ids[k] == ids[i]) continue;
      *out += ',';
      append(tops.ids[k], tops.logprobs[k], k + 1);
      *out += '}';
      --left;
    }
    *out += "]}";
  }
}

void AppendLlamaProbabilities(const TokenStyle& style, bool as_probabilities,
                              std::span<const TokenId> ids, const v1::TokenLogprobs& logprobs,
                              std::string* out) {
  const auto append = [&](TokenId id, float logprob) {
    absl::StrAppend(out, "{\"id\":", id, ",\"token\":");
    AppendLoneToken(style.tokenizer, id, out);
    *out += ",\"bytes\":";
    AppendBytes(style, id, out);
    *out += as_probabilities ? ",\"prob\":" : ",\"logprob\":";
    if (as_probabilities) {
      AppendJsonDouble(std::exp(static_cast<double>(logprob)), out);
    } else {
      AppendLogprob(logprob, out);
    }
  };
  for (size_t i = 0; i < CoveredCount(ids, logprobs); ++i) {
    if (i > 0) *out += ',';
    append(ids[i], logprobs.sampled(static_cast<int>(i)));
    *out += as_probabilities ? ",\"top_probs\":[" : ",\"top_logprobs\":[";
    const Alternatives tops = AlternativesOf(style, logprobs, i);
    bool first = true;
    for (size_t k = 0; k < tops.ids.size(); ++k) {
      if (as_probabilities && std::isinf(tops.logprobs[k])) continue;
      if (!std::exchange(first, false)) *out += ',';
      append(tops.ids[k], tops.logprobs[k]);
      *out += '}';
    }
    *out += "]}";
  }
}

void AppendPromptLogprobs(const TokenStyle& style, std::span<const TokenId> prompt,
                          const v1::TokenLogprobs& logprobs, std::string* out) {
  TokenTexts texts;
  const auto append = [&](TokenId id, float logprob, size_t rank) {
    absl::StrAppend(out, "\"", id, "\":{\"logprob\":");
    AppendLogprob(logprob, out);
    absl::StrAppend(out, ",\"rank\":", rank, ",\"decoded_token\":");
    AppendToken(style, texts, id, out);
    *out += '}';
  };
  *out += "[null";
  texts.Advance(style.tokenizer, prompt.front());
  const std::span<const TokenId> rest = prompt.subspan(1);
  for (size_t i = 0; i < CoveredCount(rest, logprobs); ++i) {
    const int index = static_cast<int>(i);
    *out += ",{";
    append(rest[i], logprobs.sampled(index), logprobs.rank(index));
    const Alternatives tops = AlternativesOf(style, logprobs, i);
    for (size_t k = 0; k < tops.ids.size(); ++k) {
      if (tops.ids[k] == rest[i]) continue;
      *out += ',';
      append(tops.ids[k], tops.logprobs[k], k + 1);
    }
    *out += '}';
    texts.Advance(style.tokenizer, rest[i]);
  }
  *out += ']';
}

void LegacyLogprobs::AddPrompt(const TokenStyle& style, std::span<const TokenId> prompt,
                               const v1::TokenLogprobs& logprobs) {
  AddToken(style, prompt.front(), nullptr);
  tops_ += "null";
  texts_.Advance(style.tokenizer, prompt.front());
  Add(style, prompt.subspan(1), logprobs);
}

void LegacyLogprobs::AddToken(const TokenStyle& style, TokenId id, const float* logprob) {
  for (std::string* list : {&offsets_, &values_, &tokens_, &tops_}) Separate(*list);
  absl::StrAppend(&offsets_, offset_);
  offset_ += style.as_ids ? absl::StrCat("token_id:", id).size()
                          : CharacterCount(texts_.Of(style.tokenizer, id));
  AppendToken(style, texts_, id, &tokens_);
  if (logprob == nullptr) {
    values_ += "null";
  } else {
    AppendLogprob(*logprob, &values_);
  }
}

void LegacyLogprobs::Add(const TokenStyle& style, std::span<const TokenId> ids,
                         const v1::TokenLogprobs& logprobs) {
  for (size_t i = 0; i < CoveredCount(ids, logprobs); ++i) {
    const float sampled = logprobs.sampled(static_cast<int>(i));
    AddToken(style, ids[i], &sampled);

    // The sampled token is always in its map, first; of several that show the same text the first
    // stays, which is the likeliest.
    std::vector<std::string> shown;
    const auto append = [&](TokenId id, float logprob) {
      std::string token;
      AppendToken(style, texts_, id, &token);
      if (std::ranges::find(shown, token) != shown.end()) return;
      absl::StrAppend(&tops_, shown.empty() ? "" : ",", token, ":");
      AppendLogprob(logprob, &tops_);
      shown.push_back(std::move(token));
    };
    tops_ += '{';
    append(ids[i], sampled);
    const Alternatives tops = AlternativesOf(style, logprobs, i);
    for (size_t k = 0; k < tops.ids.size(); ++k) append(tops.ids[k], tops.logprobs[k]);
    tops_ += '}';
    texts_.Advance(style.tokenizer, ids[i]);
  }
}

void LegacyLogprobs::AppendTo(std::string* out) {
  absl::StrAppend(out, "{\"text_offset\":[", offsets_, "],\"token_logprobs\":[", values_,
                  "],\"tokens\":[", tokens_, "],\"top_logprobs\":[", tops_, "]}");
  for (std::string* list : {&offsets_, &values_, &tokens_, &tops_}) list->clear();
}

}  // namespace baton::frontend
