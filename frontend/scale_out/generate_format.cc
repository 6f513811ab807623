#include "frontend/scale_out/generate_format.h"

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "frontend/answer/logprobs_json.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {
namespace {

class GenerateFormat : public AnswerFormat {
 public:
  explicit GenerateFormat(const AnswerPlan& plan)
      : plan_(plan),
        style_{.tokenizer = *plan.context->tokenizer,
               .as_ids = plan.tokens_as_ids,
               .top_count = static_cast<size_t>(plan.logprobs.value_or(0)),
               .adds_drawn = plan.logprobs_of_named,
               .drawn_is_first = !plan.logprobs_of_named},
        token_texts_(plan.choice_count()) {}

  void AddPromptLogprobs(uint32_t, const v1::TokenLogprobs& logprobs) override {
    prompt_logprobs_.MergeFrom(logprobs);
  }

  void AppendOpening(const AnswerUsage*, std::string*) override {}

  void AppendDelta(uint32_t choice, const ChoiceDelta& delta, const AnswerUsage* usage,
                   std::string* out) override {
    const bool shows_text = plan_.wants_text && !delta.text.empty();
    if (delta.ids.empty() && delta.end == nullptr && !shows_text) return;
    AppendChunkHead(usage, out);
    if (!prompt_is_shown_ && plan_.return_token_ids) {
      *out += ",\"prompt_token_ids\":";
      AppendTokenIds(plan_.prompts.front().ids, out);
      prompt_is_shown_ = true;
    }
    *out += ",\"output_mode\":";
    *out += ModeName();
    *out += ",\"choices\":[";
    AppendChoiceHead(choice, delta.end, out);
    AppendTokenIds(delta.ids, out);
    AppendWeights(delta.end == nullptr ? 0 : delta.output_tokens, out);
    AppendText(delta.text, out);
    *out += ",\"logprobs\":";
    if (plan_.logprobs.has_value() && delta.logprobs != nullptr) {
      *out += "{\"content\":[";
      AppendLogprobs(choice, delta, out);
      *out += "]}";
    } else {
      *out += plan_.logprobs.has_value() ? "{\"content\":[]}" : "null";
    }
    *out += "}]}\n\n";
  }

  void AppendEnd(const AnswerUsage& usage, std::string* out) override {
    if (plan_.include_usage) {
      AppendChunkHead(&usage, out);
      absl::StrAppend(out, ",\"output_mode\":", ToAbsl(ModeName()), ",\"choices\":[]}\n\n");
    }
    *out += kStreamDone;
  }

  void Collect(uint32_t choice, const ChoiceDelta& delta, CollectedChoice& collected) override {
    collected.text += delta.text;
    collected.ids.insert(collected.ids.end(), delta.ids.begin(), delta.ids.end());
    if (plan_.logprobs.has_value() && delta.logprobs != nullptr && !delta.ids.empty()) {
      if (!collected.logprobs_json.empty()) collected.logprobs_json += ',';
      AppendLogprobs(choice, delta, &collected.logprobs_json);
    }
    if (delta.end != nullptr) collected.end = *delta.end;
  }

  std::string Body(absl::Span<const CollectedChoice> choices, const AnswerUsage& usage) override {
    std::string body = "{\"request_id\":";
    AppendJsonString(plan_.id, &body);
    body += ",\"model\":";
    AppendJsonString(plan_.model, &body);
    absl::StrAppend(&body, ",\"created\":", plan_.created, ",\"usage\":");
    AppendUsageJson(usage, &body);
    AppendPromptMembers(&body);
    body +=
        ",\"mm_placeholders\":null,\"metrics\":null,\"kv_transfer_params\":null,"
        "\"ec_transfer_params\":null,\"output_mode\":";
    body += ModeName();
    body += ",\"choices\":[";
    for (size_t i = 0; i < choices.size(); ++i) {
      if (i > 0) body += ',';
      AppendChoice(static_cast<uint32_t>(i), choices[i], &body);
    }
    return body + "]}";
  }

 private:
  std::string_view ModeName() const { return plan_.wants_text ? "\"text\"" : "\"tokens\""; }

  void AppendChunkHead(const AnswerUsage* usage, std::string* out) const {
    *out += "data: {\"request_id\":";
    AppendJsonString(plan_.id, out);
    *out += ",\"usage\":";
    if (usage != nullptr) {
      AppendUsageJson(*usage, out);
    } else {
      *out += "null";
    }
  }

  // Up to the ids.
  static void AppendChoiceHead(uint32_t choice, const ChoiceEnd* end, std::string* out) {
    absl::StrAppend(out, "{\"index\":", choice, ",\"finish_reason\":");
    if (end == nullptr) {
      *out += "null,\"stop_reason\":null";
    } else {
      absl::StrAppend(out, "\"", ToAbsl(FinishReasonName(end->reason)), "\",\"stop_reason\":");
      AppendStopReason(*end, out);
    }
    *out += ",\"token_ids\":";
  }

  // Which weights made which tokens of a choice that is over: always the same ones.
  static void AppendWeights(uint32_t output_tokens, std::string* out) {
    *out += ",\"routed_experts\":null,\"sampling_mask\":null,\"weight_versions\":";
    if (output_tokens == 0) {
      *out += "null";
    } else {
      absl::StrAppend(out, "[{\"version\":\"default\",\"start\":0,\"end\":", output_tokens, "}]");
    }
  }

  void AppendText(std::string_view text, std::string* out) const {
    if (!plan_.wants_text) return;
    *out += ",\"text\":";
    AppendJsonString(text, out);
  }

  void AppendLogprobs(uint32_t choice, const ChoiceDelta& delta, std::string* out) {
    if (plan_.wants_text) {
      AppendChatLogprobs(style_, delta.ids, *delta.logprobs, token_texts_[choice], out);
    } else {
      AppendTokenLogprobs(style_, delta.ids, *delta.logprobs, out);
    }
  }

  void AppendPromptMembers(std::string* out) const {
    const std::vector<TokenId>& prompt = plan_.prompts.front().ids;
    *out += ",\"prompt_logprobs\":";
    if (plan_.prompt_logprobs.has_value()) {
      TokenStyle style = style_;
      style.top_count = static_cast<size_t>(*plan_.prompt_logprobs);
      AppendPromptLogprobs(style, prompt, prompt_logprobs_, out);
    } else {
      *out += "null";
    }
    *out += ",\"prompt_token_id_logprobs\":null,\"prompt_token_ids\":";
    if (plan_.return_token_ids) {
      AppendTokenIds(prompt, out);
    } else {
      *out += "null";
    }
  }

  void AppendChoice(uint32_t index, const CollectedChoice& choice, std::string* out) const {
    AppendChoiceHead(index, &choice.end, out);
    AppendTokenIds(choice.ids, out);
    AppendWeights(static_cast<uint32_t>(choice.ids.size()), out);
    AppendText(choice.text, out);
    *out += ",\"logprobs\":";
    if (plan_.logprobs.has_value()) {
      absl::StrAppend(out, "{\"content\":[", choice.logprobs_json, "]}");
    } else {
      *out += "null";
    }
    *out += '}';
  }

  const AnswerPlan& plan_;
  const TokenStyle style_;
  std::vector<TokenTexts> token_texts_;  // by choice
  v1::TokenLogprobs prompt_logprobs_;
  bool prompt_is_shown_ = false;
};

}  // namespace

std::unique_ptr<AnswerFormat> MakeGenerateFormat(const AnswerPlan& plan) {
  return std::make_unique<GenerateFormat>(plan);
}

}  // namespace baton::frontend
