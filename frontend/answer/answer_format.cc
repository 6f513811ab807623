#include "frontend/answer/answer_format.h"

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {

void AnswerFormat::AppendError(const ApiError& error, std::string* out) {
  absl::StrAppend(out, "data: ", ErrorBody(error), "\n\n", ToAbsl(kStreamDone));
}

void AppendFingerprint(const AnswerPlan& plan, std::string* out) {
  *out += ",\"system_fingerprint\":";
  if (plan.fingerprint.empty()) {
    *out += "null";
  } else {
    AppendJsonString(plan.fingerprint, out);
  }
}

std::string_view FinishReasonName(EndReason reason) {
  switch (reason) {
    case EndReason::kStop:
      return "stop";
    case EndReason::kLength:
      return "length";
    case EndReason::kAbort:
      return "abort";
    case EndReason::kRepetition:
      break;
  }
  return "repetition";
}

void AppendStopReason(const ChoiceEnd& end, std::string* out) {
  if (const std::string* text = std::get_if<std::string>(&end.stop)) {
    AppendJsonString(*text, out);
  } else if (const TokenId* id = std::get_if<TokenId>(&end.stop)) {
    absl::StrAppend(out, *id);
  } else {
    *out += "null";
  }
}

bool ShowsMoreThanText(const ChoiceDelta& delta, const AnswerPlan& plan) {
  return delta.end != nullptr ||
         (!delta.ids.empty() && (delta.logprobs != nullptr || plan.return_token_ids));
}

void AppendTokenIds(absl::Span<const TokenId> ids, std::string* out) {
  char separator = '[';
  if (ids.empty()) *out += '[';
  for (const TokenId id : ids) {
    *out += separator;
    absl::StrAppend(out, id);
    separator = ',';
  }
  *out += ']';
}

namespace {

void AppendPromptDetails(uint32_t cached_tokens, std::string* out) {
  absl::StrAppend(out, "{\"cached_tokens\":", cached_tokens,
                  ",\"created_cache_tokens\":null,\"multimodal_tokens\":null}");
}

}  // namespace

void AppendUsageJson(const AnswerUsage& usage, std::string* out) {
  absl::StrAppend(out, "{\"prompt_tokens\":", usage.prompt_tokens,
                  ",\"total_tokens\":", usage.prompt_tokens + usage.completion_tokens,
                  ",\"completion_tokens\":", usage.completion_tokens);
  if (usage.cached_tokens.has_value()) {
    *out += ",\"prompt_tokens_details\":";
    AppendPromptDetails(*usage.cached_tokens, out);
  }
  if (usage.reasoning_tokens.has_value()) {
    absl::StrAppend(
        out, ",\"completion_tokens_details\":{\"reasoning_tokens\":", *usage.reasoning_tokens, "}");
  }
  *out += '}';
}

}  // namespace baton::frontend
