#include "frontend/api/responses_format.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "common/json/json.h"
#include "frontend/answer/choice_reply.h"
#include "frontend/answer/logprobs_json.h"
#include "frontend/json/own_names.h"
#include "frontend/responses/response_object.h"
#include "frontend/responses/response_output.h"

namespace baton::frontend {
namespace {

constexpr OwnName kOwnNames[] = {
    {"max_completion_tokens", "max_output_tokens"}, {"max_tokens", "max_output_tokens"},
    {"response_format.json_schema", "text.format"}, {"response_format", "text.format"},
    {"reasoning_effort", "reasoning.effort"},       {"input_tokens", "input"}};

class ResponsesFormat : public AnswerFormat {
 public:
  ResponsesFormat(const AnswerPlan& plan, ResponsesAnswer answer)
      : plan_(plan),
        stored_(std::move(answer.stored)),
        clock_(answer.clock),
        style_{.tokenizer = *plan.context->tokenizer,
               .as_ids = plan.tokens_as_ids,
               .top_count = static_cast<size_t>(plan.logprobs.value_or(0)),
               .adds_drawn = plan.logprobs_of_named},
        object_(plan.id, plan.created, plan.model, answer.echo_json),
        output_(plan.id, plan.stream ? &events_ : nullptr),
        reply_(plan.reply.get()) {
    // Numbered first, though the first item may be told of before the stream begins.
    const std::string begun = object_.Json({.status = "in_progress"});
    events_.AppendResponse("response.created", begun, &opening_);
    events_.AppendResponse("response.in_progress", begun, &opening_);
  }

  // The client left before the end.
  ~ResponsesFormat() override {
    if (stored_ != nullptr) stored_->End(object_.Json({.status = "cancelled"}));
  }

  void AppendOpening(const AnswerUsage*, std::string* out) override {
    *out += opening_;
    if (stored_ != nullptr) stored_->Update(object_.Json({.status = "in_progress"}));
  }

  void AppendDelta(uint32_t, const ChoiceDelta& delta, const AnswerUsage*,
                   std::string* out) override {
    Take(delta);
    *out += output_.TakeEvents();
  }

  void AppendEnd(const AnswerUsage& usage, std::string* out) override {
    const std::string response = Conclude(usage);
    *out += output_.TakeEvents();
    events_.AppendResponse(is_cut() ? "response.incomplete" : "response.completed", response, out);
  }

  void AppendError(const ApiError& error, std::string* out) override {
    const std::string what = ResponseErrorJson(error.http_status, error.message);
    output_.Close(ItemStatus::kIncomplete);
    *out += output_.TakeEvents();
    const std::string items = output_.ItemsJson();
    const std::string response =
        object_.Json({.status = "failed", .output_json = items, .error_json = what});
    if (stored_ != nullptr) stored_->Conclude(response, items);
    events_.AppendResponse("response.failed", response, out);
  }

  void Collect(uint32_t, const ChoiceDelta& delta, CollectedChoice&) override { Take(delta); }

  std::string Body(absl::Span<const CollectedChoice>, const AnswerUsage& usage) override {
    return Conclude(usage);
  }

  std::optional<uint32_t> ReasoningTokens(uint32_t) const override {
    return reply_.reasoning_tokens();
  }

 private:
  bool is_cut() const { return end_.reason == EndReason::kLength; }

  void Take(const ChoiceDelta& delta) {
    const MessageDelta message = reply_.Read(delta);
    if (delta.logprobs != nullptr && plan_.logprobs.has_value()) {
      std::string entries;
      AppendChatLogprobs(style_, delta.ids, *delta.logprobs, texts_, &entries);
      if (!message.content.empty()) output_.AddLogprobs(entries);
    }
    output_.Add(message);
    if (delta.end != nullptr) end_ = *delta.end;
  }

  std::string Conclude(const AnswerUsage& usage) {
    output_.Close(is_cut() ? ItemStatus::kIncomplete : ItemStatus::kCompleted);
    const std::string items = output_.ItemsJson();
    std::string response = object_.Json(
        {.status = is_cut() ? "incomplete" : "completed",
         .output_json = items,
         .incomplete_reason = is_cut() ? "max_output_tokens" : "",
         .completed_at =
             is_cut() ? std::nullopt : std::optional<int64_t>(UnixSeconds(clock_.WallNow())),
         .usage = ResponseUsage{.input_tokens = usage.prompt_tokens,
                                .cached_tokens = usage.cached_tokens.value_or(0),
                                .output_tokens = usage.completion_tokens,
                                .reasoning_tokens = usage.reasoning_tokens.value_or(0)}});
    if (stored_ != nullptr) stored_->Conclude(response, items);
    return response;
  }

  const AnswerPlan& plan_;
  const std::shared_ptr<StoredResponse> stored_;
  Clock& clock_;
  const TokenStyle style_;
  TokenTexts texts_;
  const ResponseObject object_;
  ResponseEvents events_;
  ResponseOutput output_;
  std::string opening_;
  ChoiceReply reply_;
  ChoiceEnd end_;
};

}  // namespace

std::unique_ptr<AnswerFormat> MakeResponsesFormat(const AnswerPlan& plan, ResponsesAnswer answer) {
  return std::make_unique<ResponsesFormat>(plan, std::move(answer));
}

HttpResponse ResponsesErrorResponse(const ApiError& error) {
  ApiError own = WithOwnNames(error, kOwnNames);
  if (own.param.has_value() && absl::StartsWith(*own.param, "body.")) own.type = "Bad Request";
  const bool of_kept = own.param == "response_id" || own.param == "input";
  if (of_kept && own.type != "Bad Request") own.type = kInvalidRequest;
  return ErrorResponse(own);
}

}  // namespace baton::frontend
