#include "frontend/api/generation_start.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/api/answer.h"
#include "frontend/api/batch_body.h"
#include "frontend/api/constraint_start.h"
#include "frontend/api/json_body.h"
#include "frontend/api/llama_start.h"
#include "frontend/api/load_report.h"
#include "frontend/api/openai_error.h"
#include "frontend/api/request_rules.h"
#include "frontend/api/thinking_budget.h"

namespace baton::frontend {
namespace {

using ModelPtr = std::shared_ptr<const ModelContext>;

// A proxy's word on the priority goes before the body's.
absl::Status ReadPriorityHeader(const HttpRequest& http, GenerationRequest& request) {
  const auto header = FindHeader(http.headers, "x-vllm-priority");
  if (!header.has_value()) return absl::OkStatus();
  int32_t priority = 0;
  if (!absl::SimpleAtoi(ToAbsl(*header), &priority)) {
    return WithField(InvalidArgument("X-Vllm-Priority must be an integer."), "priority");
  }
  request.priority = priority;
  return absl::OkStatus();
}

void CountIgnored(ApiMetrics& metrics, const ParsedRequest& parsed) {
  metrics.ignored_fields_total.At(IgnoredField::kHint).Add(parsed.ignored_hint_count);
  metrics.ignored_fields_total.At(IgnoredField::kUnknown).Add(parsed.ignored_unknown_count);
}

// What is asked for, with 64 bytes of room behind it.
struct RequestBody {
  std::string_view text;
  std::vector<ChatInput> other_chats = {};  // of a batch
};

// Everything that an answer begins with.
struct Prepared {
  AnswerPlan plan;
  std::vector<GenerationSpec> specs;
  MakeAnswerFormat make_format;
  GenerationAnswer::Request request;
  std::function<void()> on_refused;
};

void StartAnswer(ApiContext& context, Prepared prepared) {
  auto answer = std::make_shared<Answer>(
      GenerationAnswer::Environment{context.generation, context.metrics, context.clock},
      std::move(prepared.plan), prepared.make_format, std::move(prepared.request));
  answer->Start(std::move(prepared.specs));
}

void StartWhenChecked(ApiContext& context, const GenerationRequest& request,
                      const std::shared_ptr<Prepared>& prepared) {
  CheckBeforeStart(context.constraints, prepared->plan.context, request.constraint, prepared->specs,
                   [&context, prepared](const absl::Status& status) {
                     if (status.ok()) return StartAnswer(context, std::move(*prepared));
                     if (prepared->on_refused) prepared->on_refused();
                     const AnswerPlan& plan = prepared->plan;
                     const bool blame =
                         absl::IsInvalidArgument(status) && !Field(status).has_value();
                     const ApiError error =
                         ToApiError(blame ? WithField(status, plan.constraint_field) : status);
                     prepared->request.sink->Respond(plan.error_response(error));
                   });
}

absl::Status TryStart(ApiContext& context, const GenerationApi& api, const HttpRequest& http,
                      const RequestBody& body, const std::shared_ptr<ResponseSink>& sink) {
  const GenerationEndpoint endpoint = api.endpoint;
  const MonotonicTime arrival = context.clock.Now();
  ASSIGN_OR_RETURN(ParsedRequest parsed,
                   ParseGenerationBody(body.text, endpoint, context.options.extra_fields));
  CountIgnored(context.metrics, parsed);
  RETURN_IF_ERROR(ReadPriorityHeader(http, parsed.request));
  GenerationRequest& request = parsed.request;
  RETURN_IF_ERROR(CheckRequest(request, endpoint));
  ASSIGN_OR_RETURN(request.constraint, ResolveConstraint(request.constraint_input));
  if (context.options.require_model && request.model.empty()) {
    return WithField(InvalidArgument("you must provide a model parameter"), "model");
  }
  ASSIGN_OR_RETURN(ModelPtr model, context.options.preset == ApiPreset::kLlamaCpp
                                       ? FindLlamaModel(context, request.model)
                                       : context.models.Find(request.model));
  ASSIGN_OR_RETURN(ConcurrencyLimiter::Permit permit, context.limiter.TryEnter(""));

  CountLogprobs(request, LimitsOf(*model));
  AnswerPlan plan = MakePlan(context, http, request, api, std::move(model));
  RETURN_IF_ERROR(endpoint == GenerationEndpoint::kChat ? AddChatPrompt(context, request, plan)
                                                        : AddCompletionPrompts(request, plan));
  if (api.thinking_budget_is_a_wish && !HasThinkingMarks(*plan.context)) {
    request.sampling.thinking_token_budget.reset();
  }
  RETURN_IF_ERROR(AddOtherChats(context, body.other_chats, request, plan));
  ASSIGN_OR_RETURN(std::vector<GenerationSpec> specs,
                   MakeSpecs(request, endpoint, context.options.preset, plan));
  GenerationAnswer::Request answer_request{
      .name = plan.id, .sink = sink, .arrival = arrival, .permit = std::move(permit)};
  StartWhenChecked(
      context, request,
      std::make_shared<Prepared>(Prepared{std::move(plan), std::move(specs), api.make_format,
                                          std::move(answer_request), api.on_refused}));
  return absl::OkStatus();
}

}  // namespace

absl::Status TryStartGeneration(ApiContext& context, const GenerationApi& api,
                                const HttpRequest& http,
                                const std::shared_ptr<ResponseSink>& sink) {
  RETURN_IF_ERROR(CheckJsonContentType(http));
  return TryStart(context, api, http, {.text = http.body}, sink);
}

absl::Status TryStartBatch(ApiContext& context, const HttpRequest& http,
                           const std::shared_ptr<ResponseSink>& sink) {
  RETURN_IF_ERROR(CheckJsonContentType(http));
  ASSIGN_OR_RETURN(BatchBody batch, SplitBatchBody(http.body));
  return TryStart(context, {}, http, {.text = batch.first, .other_chats = std::move(batch.others)},
                  sink);
}

void StartGeneration(ApiContext& context, GenerationEndpoint endpoint, HttpRequest request,
                     std::shared_ptr<ResponseSink> sink) {
  GenerationApi api;
  if (endpoint == GenerationEndpoint::kCompletion) {
    api = {.endpoint = endpoint, .id_prefix = "cmpl-", .make_format = MakeCompletionFormat};
  }
  sink = WithLoadReport(request, std::move(sink), context.peer_metrics);
  const absl::Status status = TryStartGeneration(context, api, request, sink);
  if (!status.ok()) sink->Respond(ErrorResponse(status));
}

absl::StatusOr<size_t> CountChatTokens(const ApiContext& context, std::string_view body) {
  ASSIGN_OR_RETURN(ParsedRequest parsed, ParseGenerationBody(body, GenerationEndpoint::kChat,
                                                             context.options.extra_fields));
  RETURN_IF_ERROR(CheckRequest(parsed.request, GenerationEndpoint::kChat));
  AnswerPlan plan;
  ASSIGN_OR_RETURN(plan.context, context.models.Find(parsed.request.model));
  RETURN_IF_ERROR(AddChatPrompt(context, parsed.request, plan));
  return plan.prompts.front().ids.size();
}

}  // namespace baton::frontend
