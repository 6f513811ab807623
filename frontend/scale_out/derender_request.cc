#include "frontend/scale_out/derender_request.h"

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/token_table.h"
#include "frontend/json/json_body.h"
#include "frontend/json/json_field.h"

namespace baton::frontend {
namespace {

using Field = const JsonField&;

constexpr size_t kParserRoom = 64;
constexpr std::string_view kTokenById = "token_id:";

TokenId ReadId(Field field) {
  return static_cast<TokenId>(field.IntInRange(0, kNoToken - 1).value_or(0));
}

uint32_t ReadCount(Field field) {
  return static_cast<uint32_t>(field.IntInRange(0, INT32_MAX).value_or(0));
}

std::vector<TokenId> ReadIds(Field field) {
  std::vector<TokenId> ids;
  field.VisitItems([&ids](Field item) { ids.push_back(ReadId(item)); });
  return ids;
}

// A token is named by its id, or in the chat's own shape: "token_id:17".
ScoredToken ReadScoredToken(Field field) {
  ScoredToken token;
  bool has_id = false;
  bool has_logprob = false;
  field.VisitMembers([&](std::string_view name, Field member) {
    if (name == "token_id") {
      token.id = ReadId(member);
      has_id = true;
    }
    std::string_view text;
    if (name == "token" && !has_id && member.value().get(text) == simdjson::SUCCESS &&
        text.starts_with(kTokenById)) {
      has_id = absl::SimpleAtoi(ToAbsl(text.substr(kTokenById.size())), &token.id);
    }
    if (name == "logprob") {
      token.logprob = static_cast<float>(member.Number().value_or(0));
      has_logprob = true;
    }
    if (name == "rank" && !member.IsNull()) token.rank = member.IntInRange(0, UINT32_MAX);
  });
  if (!has_id) field.Missing("token_id");
  if (!has_logprob) field.Missing("logprob");
  return token;
}

ScoredPlace ReadScoredPlace(Field field) {
  ScoredPlace place;
  place.own = ReadScoredToken(field);
  field.VisitMembers([&place](std::string_view name, Field member) {
    if (name != "top_logprobs" || member.IsNull()) return;
    member.VisitItems([&place](Field item) { place.likeliest.push_back(ReadScoredToken(item)); });
  });
  return place;
}

std::optional<std::vector<ScoredPlace>> ReadLogprobs(Field field) {
  std::optional<std::vector<ScoredPlace>> places;
  field.VisitMembers([&places](std::string_view name, Field member) {
    if (name != "content" || member.IsNull()) return;
    places.emplace();
    member.VisitItems([&places](Field item) { places->push_back(ReadScoredPlace(item)); });
  });
  return places;
}

// {"17":{"logprob":…,"rank":…},…}: the prompt's own token first.
ScoredPlace ReadPromptPlace(Field field) {
  ScoredPlace place;
  field.VisitMembers([&place](std::string_view name, Field member) {
    ScoredToken token;
    if (!absl::SimpleAtoi(ToAbsl(name), &token.id)) {
      member.Problem("int_parsing", "Input should be a valid integer");
    }
    member.VisitMembers([&token](std::string_view part, Field value) {
      if (part == "logprob") token.logprob = static_cast<float>(value.Number().value_or(0));
      if (part == "rank" && !value.IsNull()) token.rank = value.IntInRange(0, UINT32_MAX);
    });
    place.likeliest.push_back(token);
  });
  if (!place.likeliest.empty()) place.own = place.likeliest.front();
  return place;
}

std::vector<ScoredPlace> ReadPromptLogprobs(Field field) {
  std::vector<ScoredPlace> places;
  bool is_first = true;
  field.VisitItems([&](Field item) {
    // Of the first token nothing is known.
    if (!std::exchange(is_first, false)) places.push_back(ReadPromptPlace(item));
  });
  return places;
}

EndReason ReadFinishReason(Field field) {
  const std::string name = field.String().value_or("stop");
  for (const EndReason reason :
       {EndReason::kStop, EndReason::kLength, EndReason::kRepetition, EndReason::kAbort}) {
    if (name == FinishReasonName(reason)) return reason;
  }
  field.Problem("literal_error", "Input should be 'stop', 'length', 'repetition' or 'abort'",
                "'expected': \"'stop', 'length', 'repetition' or 'abort'\"");
  return EndReason::kStop;
}

// The text that ended a choice, or the token.
void ReadStopReason(Field field, ChoiceEnd& end) {
  if (field.value().is_string()) {
    end.stop = field.String().value_or("");
  } else {
    end.stop = ReadId(field);
  }
}

GeneratedChoice ReadChoice(Field field) {
  GeneratedChoice choice;
  ChoiceEnd end;
  bool has_number = false;
  bool has_end = false;
  field.VisitMembers([&](std::string_view name, Field member) {
    if (name == "index") {
      choice.number = ReadCount(member);
      has_number = true;
    }
    if (member.IsNull()) return;
    if (name == "token_ids") choice.ids = ReadIds(member);
    if (name == "finish_reason") {
      end.reason = ReadFinishReason(member);
      has_end = true;
    }
    if (name == "stop_reason") ReadStopReason(member, end);
    if (name == "logprobs") choice.logprobs = ReadLogprobs(member);
  });
  if (!has_number) field.Missing("index");
  if (has_end) choice.end = std::move(end);
  return choice;
}

AnswerUsage ReadUsage(Field field) {
  AnswerUsage usage;
  field.VisitMembers([&usage](std::string_view name, Field member) {
    if (member.IsNull()) return;
    if (name == "prompt_tokens") usage.prompt_tokens = ReadCount(member);
    if (name == "completion_tokens") usage.completion_tokens = ReadCount(member);
    if (name != "prompt_tokens_details") return;
    member.VisitMembers([&usage](std::string_view part, Field value) {
      if (part == "cached_tokens" && !value.IsNull()) usage.cached_tokens = ReadCount(value);
    });
  });
  return usage;
}

GeneratedReply ReadReply(Field field) {
  GeneratedReply reply;
  bool has_choices = false;
  field.VisitMembers([&](std::string_view name, Field member) {
    if (name == "choices") {
      has_choices = true;
      member.VisitItems([&reply](Field item) { reply.choices.push_back(ReadChoice(item)); });
    }
    if (member.IsNull()) return;
    if (name == "request_id") reply.request_id = member.String().value_or("");
    if (name == "usage") reply.usage = ReadUsage(member);
    if (name == "prompt_token_ids") reply.prompt_ids = ReadIds(member);
    if (name == "prompt_logprobs") reply.prompt_logprobs = ReadPromptLogprobs(member);
    if (name == "output_mode" && member.String() != "tokens") {
      member.Problem("literal_error", "Input should be 'tokens'", "'expected': \"'tokens'\"");
    }
  });
  if (!has_choices) field.Missing("choices");
  return reply;
}

bool IsStream(Field field) {
  SchemaProblems unreadable;  // reported when the whole is read
  return JsonField(field.value(), field.path(), unreadable).Bool().value_or(false);
}

// Reads the members of one body, which has one of three forms: a whole answer, several, or a chunk.
class BodyReader {
 public:
  BodyReader(GenerationEndpoint endpoint, bool stream)
      : endpoint_(endpoint),
        has_many_(endpoint == GenerationEndpoint::kCompletion && !stream),
        replies_field_(stream      ? "generate_chunk"
                       : has_many_ ? "generate_responses"
                                   : "generate_response") {
    request_.stream = stream;
  }

  void Read(std::string_view name, Field field) {
    if (name == "stream") field.Bool();
    if (name == replies_field_) ReadReplies(field);
    if (field.IsNull()) return;
    if (name == "model") request_.model = field.String().value_or("");
    if (name == "prompt_tokens") ReadPromptTokens(field);
    if (name == "prompt_token_ids") ReadPromptIds(field);
    if (name == "stream_state" && request_.stream) request_.state = DerenderState::Read(field);
    if (name == OriginalField(endpoint_) && field.VisitMembers([](std::string_view, Field) {})) {
      request_.original_body = simdjson::minify(field.value());
      request_.original_body.reserve(request_.original_body.size() + kParserRoom);
    }
  }

  absl::StatusOr<DerenderRequest> Take(size_t member_count, SchemaProblems& problems) {
    if (!has_replies_) {
      problems.Add({.kind = "missing",
                    .path = "body." + std::string(replies_field_),
                    .message = "Field required",
                    .input = absl::StrCat("<dict of ", member_count, " items>"),
                    .context = ""});
    }
    CheckLength("prompt_tokens", prompt_tokens_.size(), member_count, problems);
    CheckLength("prompt_token_ids", prompt_ids_.size(), member_count, problems);
    RETURN_IF_ERROR(problems.ToStatus());
    for (size_t i = 0; i < prompt_tokens_.size(); ++i) {
      request_.replies[i].prompt_tokens = prompt_tokens_[i];
    }
    for (size_t i = 0; i < prompt_ids_.size(); ++i) {
      if (prompt_ids_[i].has_value()) request_.replies[i].prompt_ids = std::move(prompt_ids_[i]);
    }
    return std::move(request_);
  }

 private:
  void ReadReplies(Field field) {
    has_replies_ = true;
    if (!has_many_) {
      request_.replies.push_back(ReadReply(field));
      return;
    }
    field.VisitItems([this](Field item) { request_.replies.push_back(ReadReply(item)); });
  }

  void ReadPromptTokens(Field field) {
    if (!has_many_) return prompt_tokens_.push_back(ReadCount(field));
    field.VisitItems([this](Field item) { prompt_tokens_.push_back(ReadCount(item)); });
  }

  void ReadPromptIds(Field field) {
    if (!has_many_) {
      prompt_ids_.emplace_back(ReadIds(field));
      return;
    }
    field.VisitItems([this](Field item) {
      prompt_ids_.emplace_back(item.IsNull() ? std::nullopt : std::optional(ReadIds(item)));
    });
  }

  // What is told for one prompt is told for each.
  void CheckLength(std::string_view name, size_t length, size_t member_count,
                   SchemaProblems& problems) const {
    if (length == 0 || !has_replies_ || length == request_.replies.size()) return;
    const std::string reason =
        absl::StrCat(ToAbsl(name), " length (", length, ") must equal ", ToAbsl(replies_field_),
                     " length (", request_.replies.size(), ")");
    problems.Add({.kind = "value_error",
                  .path = "body",
                  .message = "Value error, " + reason,
                  .input = absl::StrCat("<dict of ", member_count, " items>"),
                  .context = absl::StrCat("'error': ValueError('", reason, "')")});
  }

  const GenerationEndpoint endpoint_;
  const bool has_many_;
  const std::string_view replies_field_;
  DerenderRequest request_;
  bool has_replies_ = false;
  std::vector<uint32_t> prompt_tokens_;
  std::vector<std::optional<std::vector<TokenId>>> prompt_ids_;
};

// The first size that is beyond its bound, in the reference's words.
constexpr size_t kScoredTokensMax = 4 << 20;    // of one text, each place as wide as the widest
constexpr size_t kRepeatedTokensMax = 8 << 20;  // of one answer

absl::Status CheckSize(std::string_view what, size_t size, std::string_view where,
                       std::string_view bound_name, size_t bound) {
  if (size <= bound) return absl::OkStatus();
  return InvalidArgument(absl::StrCat(ToAbsl(what), " (", size, ")", ToAbsl(where), " exceeds ",
                                      ToAbsl(bound_name), " (", bound, ")."));
}

// As wide as the widest place: that is how they are kept.
absl::Status CheckTable(const std::vector<ScoredPlace>& places, std::string_view what,
                        std::string_view where) {
  size_t widest = 1;
  for (const ScoredPlace& place : places) widest = std::max(widest, place.likeliest.size());
  return CheckSize(absl::StrCat(ToAbsl(what), " count"), places.size() * widest, where,
                   "server maximum", kScoredTokensMax);
}

absl::Status CheckChoiceSizes(const GeneratedChoice& choice, const ModelLimits& limits) {
  const std::string where = absl::StrCat(" in choice ", choice.number);
  RETURN_IF_ERROR(CheckSize("token_ids length", choice.ids.size(), where, "max_model_len",
                            limits.max_model_len));
  if (!choice.logprobs.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckSize("logprobs.content length", choice.logprobs->size(), where,
                            "max_model_len", limits.max_model_len));
  for (const ScoredPlace& place : *choice.logprobs) {
    RETURN_IF_ERROR(CheckSize("top_logprobs count", place.likeliest.size(), where, "max_logprobs",
                              static_cast<size_t>(limits.LogprobsMax())));
  }
  RETURN_IF_ERROR(CheckTable(*choice.logprobs, "top_logprobs", where));
  const size_t scored = choice.logprobs->size();
  const bool agree =
      scored <= choice.ids.size() &&
      std::equal(choice.ids.begin(), choice.ids.begin() + static_cast<std::ptrdiff_t>(scored),
                 choice.logprobs->begin(),
                 [](TokenId id, const ScoredPlace& place) { return id == place.own.id; });
  if (agree) return absl::OkStatus();
  return InvalidArgument(absl::StrCat("logprobs.content", where, " is not of its token_ids."));
}

absl::Status CheckReplySizes(const GeneratedReply& reply, const ModelLimits& limits) {
  const std::string where = absl::StrCat(" in response '", reply.request_id, "'");
  RETURN_IF_ERROR(
      CheckSize("choices count", reply.choices.size(), where, "server maximum", kSequencesMax));
  for (const GeneratedChoice& choice : reply.choices) {
    RETURN_IF_ERROR(CheckChoiceSizes(choice, limits));
  }
  if (reply.prompt_logprobs.has_value()) {
    RETURN_IF_ERROR(CheckSize("prompt_logprobs length", reply.prompt_logprobs->size() + 1, where,
                              "max_model_len", limits.max_model_len));
    for (const ScoredPlace& place : *reply.prompt_logprobs) {
      // The prompt's own token stands beside the likeliest.
      RETURN_IF_ERROR(CheckSize("prompt_logprobs count", place.likeliest.size(), where,
                                "max_logprobs", static_cast<size_t>(limits.LogprobsMax()) + 1));
    }
    RETURN_IF_ERROR(CheckTable(*reply.prompt_logprobs, "prompt_logprobs", where));
  }
  const size_t prompt_size = reply.prompt_ids.has_value() ? reply.prompt_ids->size() : 0;
  return CheckSize("prompt_token_ids length", prompt_size, "", "max_model_len",
                   limits.max_model_len);
}

// What of the prompts is said again in every choice.
absl::Status CheckRepeated(const std::vector<GeneratedReply>& replies) {
  size_t choices = 0;
  size_t repeated = 0;
  for (const GeneratedReply& reply : replies) {
    size_t prompt = reply.prompt_ids.has_value() ? reply.prompt_ids->size() : 0;
    if (reply.prompt_logprobs.has_value()) {
      for (const ScoredPlace& place : *reply.prompt_logprobs) prompt += 1 + place.likeliest.size();
    }
    choices += reply.choices.size();
    repeated += reply.choices.size() * prompt;
  }
  RETURN_IF_ERROR(CheckSize("choices count", choices, "", "server maximum", kSequencesMax));
  return CheckSize("tokens of the prompts in all choices", repeated, "", "server maximum",
                   kRepeatedTokensMax);
}

// A stream's chunk is of one choice, whose state it comes with.
absl::Status CheckChunk(const DerenderRequest& request, GenerationEndpoint endpoint,
                        size_t max_model_len) {
  const GeneratedReply& chunk = request.replies.front();
  if (chunk.choices.size() > 1) {
    return InvalidArgument(
        absl::StrCat(endpoint == GenerationEndpoint::kChat ? "derender_chat_stream"
                                                           : "derender_completion_stream",
                     " expects at most one choice per chunk (got ", chunk.choices.size(), ")."));
  }
  const size_t prompt = chunk.prompt_ids.has_value() ? chunk.prompt_ids->size() : 0;
  const size_t before = request.state.has_value() ? request.state->output_ids.size() : 0;
  const size_t delta = chunk.choices.empty() ? 0 : chunk.choices.front().ids.size();
  if (prompt + before + delta <= max_model_len) return absl::OkStatus();
  return InvalidArgument(absl::StrCat("prompt_token_ids length (", prompt,
                                      ") plus output_token_ids length (", before, ") plus delta (",
                                      delta, ") exceeds max_model_len (", max_model_len, ")."));
}

// The likeliest first.
void SortRow(std::vector<ScoredToken>& row) {
  const bool ranked =
      std::ranges::all_of(row, [](const ScoredToken& token) { return token.rank.has_value(); });
  std::ranges::stable_sort(row, [ranked](const ScoredToken& a, const ScoredToken& b) {
    return ranked ? *a.rank < *b.rank : a.logprob > b.logprob;
  });
}

}  // namespace

std::string_view OriginalField(GenerationEndpoint endpoint) {
  return endpoint == GenerationEndpoint::kChat ? "chat_request" : "completion_request";
}

absl::StatusOr<DerenderRequest> ParseDerenderBody(std::string_view body,
                                                  GenerationEndpoint endpoint) {
  bool stream = false;
  SchemaProblems problems;
  const auto find_stream = [&stream](std::string_view name, Field field) {
    if (name == "stream") stream = IsStream(field);
  };
  RETURN_IF_ERROR(VisitBody(body, problems, find_stream).status());
  BodyReader reader(endpoint, stream);
  const auto read = [&reader](std::string_view name, Field field) { reader.Read(name, field); };
  ASSIGN_OR_RETURN(const size_t member_count, VisitBody(body, problems, read));
  return reader.Take(member_count, problems);
}

absl::Status CheckDerenderSizes(const DerenderRequest& request, GenerationEndpoint endpoint,
                                const ModelLimits& limits) {
  if (request.replies.empty()) return InvalidArgument("generate_responses must not be empty");
  RETURN_IF_ERROR(CheckSize("generate_responses count", request.replies.size(), "",
                            "server maximum", kSequencesMax));
  for (const GeneratedReply& reply : request.replies) {
    RETURN_IF_ERROR(CheckReplySizes(reply, limits));
  }
  RETURN_IF_ERROR(CheckRepeated(request.replies));
  return request.stream ? CheckChunk(request, endpoint, limits.max_model_len) : absl::OkStatus();
}

v1::TokenLogprobs ToTokenLogprobs(std::span<const ScoredPlace> places,
                                  std::optional<size_t> count) {
  v1::TokenLogprobs logprobs;
  size_t stride = 0;
  for (const ScoredPlace& place : places) {
    stride = std::max(stride, std::min(place.likeliest.size(), count.value_or(SIZE_MAX)));
  }
  logprobs.set_top_count(static_cast<uint32_t>(stride));
  for (const ScoredPlace& place : places) {
    logprobs.add_sampled(place.own.logprob);
    logprobs.add_rank(static_cast<uint32_t>(place.own.rank.value_or(0)));
    std::vector<ScoredToken> row = place.likeliest;
    if (count.has_value()) SortRow(row);
    row.resize(stride, {.id = kNoToken, .logprob = 0, .rank = {}});
    for (const ScoredToken& token : row) {
      logprobs.add_top_ids(token.id);
      logprobs.add_top(token.logprob);
    }
  }
  return logprobs;
}

}  // namespace baton::frontend
