#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "frontend/answer/answer_format.h"
#include "frontend/answer/choice_reply.h"
#include "frontend/answer/logprobs_json.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {
namespace {

// Puts a delta behind what a message has so far.
void AddTo(MessageDelta& message, MessageDelta delta) {
  message.reasoning += delta.reasoning;
  message.content += delta.content;
  for (MessageDelta::Call& call : delta.calls) {
    if (call.name.empty()) {
      message.calls.back().arguments += call.arguments;
    } else {
      message.calls.push_back(std::move(call));
    }
  }
}

class ChatFormat : public AnswerFormat {
 public:
  explicit ChatFormat(const AnswerPlan& plan)
      : plan_(plan),
        style_{.tokenizer = *plan.context->tokenizer,
               .as_ids = plan.tokens_as_ids,
               .top_count = static_cast<size_t>(plan.logprobs.value_or(0)),
               .adds_drawn = plan.logprobs_of_named},
        head_(absl::StrCat("data: ", Head("chat.completion.chunk"))),
        texts_(plan.choice_count()) {
    replies_.reserve(plan.choice_count());
    for (uint32_t i = 0; i < plan.choice_count(); ++i) replies_.emplace_back(plan.reply.get());
    if (!plan.carried.has_value()) return;
    for (TokenTexts& texts : texts_) texts.Advance(style_.tokenizer, plan.carried->last_ids);
  }

  void AddPromptLogprobs(uint32_t, const v1::TokenLogprobs& logprobs) override {
    prompt_logprobs_.MergeFrom(logprobs);
  }

  void AppendOpening(const AnswerUsage* usage, std::string* out) override {
    for (uint32_t choice = 0; choice < plan_.choice_count(); ++choice) {
      BeginChunk(choice, out);
      *out += "{\"role\":";
      AppendJsonString(plan_.PromptOfChoice(choice).role, out);
      *out += ",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]";
      AppendChunkUsage(usage, out);
      AppendPromptFields(out);
      *out += "}\n\n";
    }
    for (uint32_t choice = 0; choice < plan_.choice_count(); ++choice) {
      const std::string& echo = plan_.PromptOfChoice(choice).echo;
      if (echo.empty()) continue;
      BeginChunk(choice, out);
      *out += "{\"content\":";
      AppendJsonString(echo, out);
      *out += "},\"logprobs\":null,\"finish_reason\":null}]";
      AppendChunkUsage(usage, out);
      *out += "}\n\n";
    }
  }

  void AppendDelta(uint32_t choice, const ChoiceDelta& delta, const AnswerUsage* usage,
                   std::string* out) override {
    const MessageDelta message = replies_[choice].Read(delta);
    const bool shows_tokens = !replies_[choice].is_hidden();
    const bool shows_more =
        delta.end != nullptr || (shows_tokens && ShowsMoreThanText(delta, plan_));
    if (message.empty() && !shows_more && !plan_.carried.has_value()) return;
    BeginChunk(choice, out);
    const bool names_role = plan_.carried.has_value() && !plan_.carried->role_sent;
    const std::string_view role =
        names_role ? std::string_view(plan_.PromptOfChoice(choice).role) : std::string_view();
    AppendMessageDelta(plan_.reply.get(), role, message, out);
    *out += ",\"logprobs\":";
    if (shows_tokens && delta.logprobs != nullptr && plan_.logprobs.has_value() &&
        !delta.ids.empty()) {
      *out += "{\"content\":[";
      AppendChatLogprobs(style_, delta.ids, *delta.logprobs, texts_[choice], out);
      *out += "]}";
    } else {
      *out += "null";
    }
    if (delta.end == nullptr) {
      *out += ",\"finish_reason\":null";
    } else {
      absl::StrAppend(out, ",\"finish_reason\":\"",
                      ToAbsl(replies_[choice].FinishReason(*delta.end)), "\",\"stop_reason\":");
      AppendStopReason(*delta.end, out);
    }
    *out += ",\"token_ids\":";
    if (plan_.return_token_ids && shows_tokens) {
      AppendTokenIds(delta.ids, out);
    } else {
      *out += "null";
    }
    *out += "}]";
    AppendChunkUsage(usage, out);
    if (delta.end != nullptr && !plan_.include_usage && !plan_.fingerprint.empty()) {
      AppendFingerprint(plan_, out);
    }
    *out += "}\n\n";
  }

  void AppendEnd(const AnswerUsage& usage, std::string* out) override {
    if (plan_.include_usage) AppendBareChunk(&usage, out);
    *out += kStreamDone;
  }

  void AppendBareChunk(const AnswerUsage* usage, std::string* out) override {
    absl::StrAppend(out, head_, "],\"usage\":");
    if (usage != nullptr) {
      AppendUsageJson(*usage, out);
    } else {
      *out += "null";
    }
    AppendFingerprint(plan_, out);
    *out += "}\n\n";
  }

  void Collect(uint32_t choice, const ChoiceDelta& delta, CollectedChoice& collected) override {
    AddTo(collected.message, replies_[choice].Read(delta));
    if (delta.end != nullptr) collected.end = *delta.end;
    if (replies_[choice].is_hidden()) return;
    collected.ids.insert(collected.ids.end(), delta.ids.begin(), delta.ids.end());
    if (delta.logprobs != nullptr && plan_.logprobs.has_value() && !delta.ids.empty()) {
      if (!collected.logprobs_json.empty()) collected.logprobs_json += ',';
      AppendChatLogprobs(style_, delta.ids, *delta.logprobs, texts_[choice],
                         &collected.logprobs_json);
    }
  }

  std::optional<uint32_t> ReasoningTokens(uint32_t choice) const override {
    if (plan_.reply == nullptr || plan_.reply->parse.reasoning == nullptr) return std::nullopt;
    return replies_[choice].reasoning_tokens();
  }

  std::string Body(absl::Span<const CollectedChoice> choices, const AnswerUsage& usage) override {
    std::string body = Head("chat.completion");
    for (size_t i = 0; i < choices.size(); ++i) {
      if (i > 0) body += ',';
      AppendChoice(static_cast<uint32_t>(i), choices[i], &body);
    }
    body += "],\"service_tier\":\"default\"";
    AppendFingerprint(plan_, &body);
    body += ",\"usage\":";
    AppendUsageJson(usage, &body);
    body += ",\"prompt_logprobs\":";
    AppendOwnPromptLogprobs(&body);
    AppendPromptFields(&body);
    body += ",\"kv_transfer_params\":null,\"ec_transfer_params\":null,\"metrics\":null}";
    return body;
  }

 private:
  void AppendOwnPromptLogprobs(std::string* out) const {
    if (!plan_.prompt_logprobs.has_value() || plan_.prompts.front().ids.empty()) {
      *out += "null";
      return;
    }
    TokenStyle style = style_;
    style.top_count = static_cast<size_t>(*plan_.prompt_logprobs);
    AppendPromptLogprobs(style, plan_.prompts.front().ids, prompt_logprobs_, out);
  }

  // {"id":…,"object":…,"created":…,"model":…,"choices":[
  std::string Head(std::string_view object) const {
    std::string head = "{\"id\":";
    AppendJsonString(plan_.id, &head);
    absl::StrAppend(&head, ",\"object\":\"", ToAbsl(object), "\",\"created\":", plan_.created,
                    ",\"model\":");
    AppendJsonString(plan_.model, &head);
    head += ",\"choices\":[";
    return head;
  }

  void BeginChunk(uint32_t choice, std::string* out) const {
    *out += head_;
    *out += "{\"index\":";
    absl::StrAppend(out, plan_.NumberOf(choice));
    *out += ",\"delta\":";
  }

  void AppendChunkUsage(const AnswerUsage* usage, std::string* out) const {
    if (usage == nullptr) return;
    *out += ",\"usage\":";
    AppendUsageJson(*usage, out);
    if (usage->reasoning_tokens.has_value()) return;
    out->pop_back();
    *out += ",\"completion_tokens_details\":null}";
  }

  // Of one prompt; a batch shows none.
  void AppendPromptFields(std::string* out) const {
    const bool is_one = plan_.prompts.size() == 1;
    *out += ",\"prompt_token_ids\":";
    if (is_one && plan_.ShowsIds(plan_.prompts.front())) {
      AppendTokenIds(plan_.prompts.front().ids, out);
    } else {
      *out += "null";
    }
    *out += ",\"prompt_text\":";
    if (plan_.prompt_text.has_value() && is_one) {
      AppendJsonString(*plan_.prompt_text, out);
    } else {
      *out += "null";
    }
  }

  void AppendChoice(uint32_t index, const CollectedChoice& choice, std::string* out) const {
    absl::StrAppend(out, "{\"index\":", plan_.NumberOf(index), ",\"message\":{\"role\":");
    AppendJsonString(plan_.PromptOfChoice(index).role, out);
    *out += ',';
    AppendMessageMembers(plan_.reply.get(), plan_.PromptOfChoice(index).echo, choice.message, out);
    *out += "},\"logprobs\":";
    if (plan_.logprobs.has_value()) {
      absl::StrAppend(out, "{\"content\":[", choice.logprobs_json, "]}");
    } else {
      *out += "null";
    }
    absl::StrAppend(out, ",\"finish_reason\":\"", ToAbsl(replies_[index].FinishReason(choice.end)),
                    "\",\"stop_reason\":");
    AppendStopReason(choice.end, out);
    *out += ",\"token_ids\":";
    if (plan_.return_token_ids) {
      AppendTokenIds(choice.ids, out);
    } else {
      *out += "null";
    }
    *out += ",\"routed_experts\":null}";
  }

  const AnswerPlan& plan_;
  const TokenStyle style_;
  v1::TokenLogprobs prompt_logprobs_;
  const std::string head_;
  std::vector<ChoiceReply> replies_;  // by choice
  std::vector<TokenTexts> texts_;     // by choice
};

}  // namespace

std::unique_ptr<AnswerFormat> MakeChatFormat(const AnswerPlan& plan) {
  return std::make_unique<ChatFormat>(plan);
}

}  // namespace baton::frontend
