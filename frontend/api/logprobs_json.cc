#include "frontend/api/logprobs_json.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "common/text/unicode/utf8.h"
#include "frontend/api/json_writer.h"

namespace baton::frontend {
namespace {

constexpr double kLogprobMin = -9999.0;  // stands for minus infinity, which JSON has not

void AppendLogprob(float logprob, std::string* out) {
  const double value = static_cast<double>(logprob);
  AppendJsonDouble(value > kLogprobMin ? value : kLogprobMin, out);
}

void AppendToken(const TokenStyle& style, TokenId id, std::string* out) {
  if (style.as_ids) {
    absl::StrAppend(out, "\"token_id:", id, "\"");
  } else {
    // Half a character is one U+FFFD, as a decoder shows it.
    std::string shown;
    AppendLossy(style.tokenizer.TokenBytes(id), shown);
    AppendJsonString(shown, out);
  }
}

// The length of the shown token, in characters.
size_t ShownLength(const TokenStyle& style, TokenId id) {
  if (style.as_ids) return absl::StrCat("token_id:", id).size();
  size_t count = 0;
  std::string_view rest = style.tokenizer.TokenBytes(id);
  for (; !rest.empty(); ++count) rest.remove_prefix(DecodeChar(rest).length);
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
void AppendChatEntry(const TokenStyle& style, TokenId id, float logprob, std::string* out) {
  *out += "{\"token\":";
  AppendToken(style, id, out);
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
  const size_t count = begin + stride <= sent ? std::min(stride, style.top_count) : 0;
  return {.ids = {logprobs.top_ids().data() + (count > 0 ? begin : 0), count},
          .logprobs = {logprobs.top().data() + (count > 0 ? begin : 0), count}};
}

size_t CoveredCount(std::span<const TokenId> ids, const v1::TokenLogprobs& logprobs) {
  return std::min(ids.size(), static_cast<size_t>(logprobs.sampled_size()));
}

void Separate(std::string& list) {
  if (!list.empty()) list += ',';
}

}  // namespace

void AppendChatLogprobs(const TokenStyle& style, std::span<const TokenId> ids,
                        const v1::TokenLogprobs& logprobs, std::string* out) {
  for (size_t i = 0; i < CoveredCount(ids, logprobs); ++i) {
    if (i > 0) *out += ',';
    AppendChatEntry(style, ids[i], logprobs.sampled(static_cast<int>(i)), out);
    *out += ",\"top_logprobs\":[";
    const Alternatives tops = AlternativesOf(style, logprobs, i);
    bool first = true;
    const auto append = [&](TokenId id, float logprob) {
      if (!std::exchange(first, false)) *out += ',';
      AppendChatEntry(style, id, logprob, out);
      *out += '}';
    };
    if (style.adds_drawn) append(ids[i], logprobs.sampled(static_cast<int>(i)));
    for (size_t k = 0; k < tops.ids.size(); ++k) {
      if (style.adds_drawn && tops.ids[k] == ids[i]) continue;
      append(tops.ids[k], tops.logprobs[k]);
    }
    *out += "]}";
  }
}

void AppendLlamaProbabilities(const TokenStyle& style, bool as_probabilities,
                              std::span<const TokenId> ids, const v1::TokenLogprobs& logprobs,
                              std::string* out) {
  const auto append = [&](TokenId id, float logprob) {
    absl::StrAppend(out, "{\"id\":", id, ",\"token\":");
    AppendToken(style, id, out);
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
  const auto append = [&](TokenId id, float logprob, size_t rank) {
    absl::StrAppend(out, "\"", id, "\":{\"logprob\":");
    AppendLogprob(logprob, out);
    absl::StrAppend(out, ",\"rank\":", rank, ",\"decoded_token\":");
    AppendToken(style, id, out);
    *out += '}';
  };
  *out += "[null";
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
  }
  *out += ']';
}

void LegacyLogprobs::AddPrompt(const TokenStyle& style, std::span<const TokenId> prompt,
                               const v1::TokenLogprobs& logprobs) {
  for (std::string* list : {&offsets_, &values_, &tokens_, &tops_}) Separate(*list);
  absl::StrAppend(&offsets_, offset_);
  offset_ += ShownLength(style, prompt.front());
  AppendToken(style, prompt.front(), &tokens_);
  values_ += "null";
  tops_ += "null";
  Add(style, prompt.subspan(1), logprobs);
}

void LegacyLogprobs::Add(const TokenStyle& style, std::span<const TokenId> ids,
                         const v1::TokenLogprobs& logprobs) {
  for (size_t i = 0; i < CoveredCount(ids, logprobs); ++i) {
    const float sampled = logprobs.sampled(static_cast<int>(i));
    for (std::string* list : {&offsets_, &values_, &tokens_, &tops_}) Separate(*list);
    absl::StrAppend(&offsets_, offset_);
    offset_ += ShownLength(style, ids[i]);
    AppendLogprob(sampled, &values_);
    AppendToken(style, ids[i], &tokens_);

    // The sampled token is always in its map, first.
    tops_ += '{';
    AppendToken(style, ids[i], &tops_);
    tops_ += ':';
    AppendLogprob(sampled, &tops_);
    const Alternatives tops = AlternativesOf(style, logprobs, i);
    for (size_t k = 0; k < tops.ids.size(); ++k) {
      if (tops.ids[k] == ids[i]) continue;
      tops_ += ',';
      AppendToken(style, tops.ids[k], &tops_);
      tops_ += ':';
      AppendLogprob(tops.logprobs[k], &tops_);
    }
    tops_ += '}';
  }
}

void LegacyLogprobs::AppendTo(std::string* out) {
  absl::StrAppend(out, "{\"text_offset\":[", offsets_, "],\"token_logprobs\":[", values_,
                  "],\"tokens\":[", tokens_, "],\"top_logprobs\":[", tops_, "]}");
  for (std::string* list : {&offsets_, &values_, &tokens_, &tops_}) list->clear();
}

}  // namespace baton::frontend
