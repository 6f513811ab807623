#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "frontend/answer/answer_format.h"
#include "frontend/answer/logprobs_json.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {
namespace {

class CompletionFormat : public AnswerFormat {
 public:
  explicit CompletionFormat(const AnswerPlan& plan)
      : plan_(plan),
        style_{.tokenizer = *plan.context->tokenizer,
               .as_ids = plan.tokens_as_ids,
               .top_count = static_cast<size_t>(plan.logprobs.value_or(0))},
        head_(Head()),
        shown_(plan.choice_count(), plan.carried.has_value() && plan.carried->begun) {
    if (plan_.logprobs.has_value()) logprobs_.assign(plan_.choice_count(), FirstLogprobs());
    prompt_logprobs_.resize(plan_.prompts.size());
  }

  void AddPromptLogprobs(uint32_t prompt, const v1::TokenLogprobs& logprobs) override {
    prompt_logprobs_[prompt].MergeFrom(logprobs);
  }

  void AppendOpening(const AnswerUsage*, std::string*) override {}

  void AppendDelta(uint32_t choice, const ChoiceDelta& delta, const AnswerUsage* usage,
                   std::string* out) override {
    const bool shows = !delta.text.empty() || ShowsMoreThanText(delta, plan_);
    if (!shows && !plan_.carried.has_value()) return;
    const bool is_first = !shown_[choice];
    shown_[choice] = true;
    *out += "data: ";
    *out += head_;
    *out += "{\"index\":";
    absl::StrAppend(out, plan_.NumberOf(choice));
    *out += ",\"text\":\"";
    if (is_first) AppendJsonEscaped(plan_.PromptOfChoice(choice).echo, out);
    if (!plan_.only_echo) AppendJsonEscaped(delta.text, out);
    *out += "\",\"logprobs\":";
    if (is_first) EchoLogprobs(choice);
    AppendDeltaLogprobs(choice, delta, is_first, out);
    AppendEnd(delta.end, out);
    *out += ",\"prompt_token_ids\":";
    const AnswerPlan::Prompt& prompt = plan_.PromptOfChoice(choice);
    AppendIdsIf(is_first && plan_.ShowsIds(prompt), prompt.ids, out);
    *out += ",\"token_ids\":";
    AppendIdsIf(plan_.return_token_ids, delta.ids, out);
    *out += "}]";
    AppendChunkUsage(usage, out);
    if (delta.end != nullptr && !plan_.include_usage) AppendFingerprint(plan_, out);
    *out += "}\n\n";
  }

  void AppendEnd(const AnswerUsage& usage, std::string* out) override {
    if (plan_.include_usage) AppendBareChunk(&usage, out);
    *out += kStreamDone;
  }

  void AppendBareChunk(const AnswerUsage* usage, std::string* out) override {
    absl::StrAppend(out, "data: ", head_, "]");
    AppendChunkUsage(usage, out);
    AppendFingerprint(plan_, out);
    *out += "}\n\n";
  }

  void Collect(uint32_t choice, const ChoiceDelta& delta, CollectedChoice& collected) override {
    if (!plan_.only_echo) collected.text += delta.text;
    collected.ids.insert(collected.ids.end(), delta.ids.begin(), delta.ids.end());
    if (!shown_[choice]) EchoLogprobs(choice);
    shown_[choice] = true;
    if (delta.logprobs != nullptr && plan_.logprobs.has_value() && !plan_.only_echo) {
      logprobs_[choice].Add(style_, delta.ids, *delta.logprobs);
    }
    if (delta.end == nullptr) return;
    collected.end = *delta.end;
    if (plan_.logprobs.has_value()) logprobs_[choice].AppendTo(&collected.logprobs_json);
  }

  std::string Body(absl::Span<const CollectedChoice> choices, const AnswerUsage& usage) override {
    std::string body = head_;
    for (size_t i = 0; i < choices.size(); ++i) {
      if (i > 0) body += ',';
      AppendChoice(static_cast<uint32_t>(i), choices[i], &body);
    }
    body += "],\"service_tier\":null";
    AppendFingerprint(plan_, &body);
    body += ",\"usage\":";
    AppendUsageJson(usage, &body);
    body += ",\"kv_transfer_params\":null,\"ec_transfer_params\":null,\"metrics\":null}";
    return body;
  }

 private:
  // Of a choice's first token here.
  LegacyLogprobs FirstLogprobs() const {
    if (!plan_.carried.has_value()) return LegacyLogprobs(0);
    LegacyLogprobs logprobs(plan_.carried->text_offset);
    logprobs.GoOnBehind(style_.tokenizer, plan_.carried->last_ids);
    return logprobs;
  }

  std::string Head() const {
    std::string head = "{\"id\":";
    AppendJsonString(plan_.id, &head);
    absl::StrAppend(&head, ",\"object\":\"text_completion\",\"created\":", plan_.created,
                    ",\"model\":");
    AppendJsonString(plan_.model, &head);
    head += ",\"choices\":[";
    return head;
  }

  // The prompt's, before those of a choice's first token.
  void EchoLogprobs(uint32_t choice) {
    if (!plan_.echo_logprobs || !plan_.logprobs.has_value()) return;
    logprobs_[choice].AddPrompt(style_, plan_.PromptOfChoice(choice).ids,
                                prompt_logprobs_[choice / plan_.n]);
  }

  void AppendDeltaLogprobs(uint32_t choice, const ChoiceDelta& delta, bool is_first,
                           std::string* out) {
    const bool has_own = delta.logprobs != nullptr && !delta.ids.empty();
    if (!plan_.logprobs.has_value() || !(has_own || (is_first && plan_.echo_logprobs))) {
      *out += "null";
      return;
    }
    if (has_own && !plan_.only_echo) logprobs_[choice].Add(style_, delta.ids, *delta.logprobs);
    logprobs_[choice].AppendTo(out);
  }

  void AppendOwnPromptLogprobs(uint32_t choice, std::string* out) const {
    if (!plan_.prompt_logprobs.has_value() || plan_.PromptOfChoice(choice).ids.empty()) {
      *out += "null";
      return;
    }
    TokenStyle style = style_;
    style.top_count = static_cast<size_t>(*plan_.prompt_logprobs);
    AppendPromptLogprobs(style, plan_.PromptOfChoice(choice).ids,
                         prompt_logprobs_[choice / plan_.n], out);
  }

  // ,"finish_reason":…,"stop_reason":…
  static void AppendEnd(const ChoiceEnd* end, std::string* out) {
    if (end == nullptr) {
      *out += ",\"finish_reason\":null,\"stop_reason\":null";
      return;
    }
    absl::StrAppend(out, ",\"finish_reason\":\"", ToAbsl(FinishReasonName(end->reason)),
                    "\",\"stop_reason\":");
    AppendStopReason(*end, out);
  }

  static void AppendIdsIf(bool wanted, absl::Span<const TokenId> ids, std::string* out) {
    if (wanted) {
      AppendTokenIds(ids, out);
    } else {
      *out += "null";
    }
  }

  static void AppendChunkUsage(const AnswerUsage* usage, std::string* out) {
    if (usage == nullptr) return;
    *out += ",\"usage\":";
    AppendUsageJson(*usage, out);
  }

  void AppendChoice(uint32_t index, const CollectedChoice& choice, std::string* out) const {
    const AnswerPlan::Prompt& prompt = plan_.PromptOfChoice(index);
    absl::StrAppend(out, "{\"index\":", plan_.NumberOf(index), ",\"text\":\"");
    AppendJsonEscaped(prompt.echo, out);
    AppendJsonEscaped(choice.text, out);
    *out += "\",\"logprobs\":";
    *out += plan_.logprobs.has_value() ? std::string_view(choice.logprobs_json) : "null";
    AppendEnd(&choice.end, out);
    *out += ",\"token_ids\":";
    AppendIdsIf(plan_.return_token_ids, choice.ids, out);
    *out += ",\"prompt_logprobs\":";
    AppendOwnPromptLogprobs(index, out);
    *out += ",\"prompt_token_ids\":";
    AppendIdsIf(plan_.ShowsIds(prompt), prompt.ids, out);
    *out += ",\"routed_experts\":null}";
  }

  const AnswerPlan& plan_;
  const TokenStyle style_;
  const std::string head_;
  std::vector<bool> shown_;                         // by choice: its first chunk is out
  std::vector<LegacyLogprobs> logprobs_;            // by choice, when asked for
  std::vector<v1::TokenLogprobs> prompt_logprobs_;  // by prompt
};

}  // namespace

std::unique_ptr<AnswerFormat> MakeCompletionFormat(const AnswerPlan& plan) {
  return std::make_unique<CompletionFormat>(plan);
}

}  // namespace baton::frontend
