#include "frontend/generation/generation_start.h"

#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "frontend/answer/answer.h"
#include "frontend/generation/planned_generation.h"
#include "frontend/json/json_body.h"
#include "frontend/metrics/load_report.h"
#include "frontend/request/batch_body.h"
#include "frontend/request/request_rules.h"

namespace baton::frontend {
namespace {

// What is asked for, with 64 bytes of room behind it.
struct RequestBody {
  std::string_view text;
  std::vector<ChatInput> other_chats = {};  // of a batch
};

void StartAnswer(ApiContext& context, PlannedGeneration planned,
                 const MakeAnswerFormat& make_format, GenerationAnswer::Request request) {
  auto answer =
      std::make_shared<Answer>(GenerationAnswer::Environment{context.generation, context.metrics,
                                                             context.running, context.clock},
                               std::move(planned.plan), make_format, std::move(request));
  answer->Start(std::move(planned.specs));
}

absl::Status TryStart(ApiContext& context, const GenerationApi& api, const HttpRequest& http,
                      const RequestBody& body, const std::shared_ptr<ResponseSink>& sink) {
  const MonotonicTime arrival = context.clock.Now();
  ASSIGN_OR_RETURN(UnderstoodRequest understood,
                   ReadGeneration(context, api.endpoint, http, body.text));
  ASSIGN_OR_RETURN(ConcurrencyLimiter::Permit permit, context.limiter.TryEnter(""));
  ASSIGN_OR_RETURN(PlannedGeneration generation,
                   PlanGeneration(context, api, http, std::move(understood), body.other_chats));
  const auto planned = std::make_shared<PlannedGeneration>(std::move(generation));
  const auto request = std::make_shared<GenerationAnswer::Request>(GenerationAnswer::Request{
      .name = planned->plan.id, .sink = sink, .arrival = arrival, .permit = std::move(permit)});
  CheckPlanned(context, planned, [&context, api, planned, request](const absl::Status& status) {
    if (status.ok()) {
      return StartAnswer(context, std::move(*planned), api.make_format, std::move(*request));
    }
    if (api.on_refused) api.on_refused();
    request->sink->Respond(api.error_response(ToApiError(status)));
  });
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

void StartGeneration(ApiContext& context, const GenerationApi& api, const HttpRequest& request,
                     const std::shared_ptr<ResponseSink>& sink) {
  const std::shared_ptr<ResponseSink> reporting =
      WithLoadReport(request, sink, context.peer_metrics);
  const absl::Status status = TryStartGeneration(context, api, request, reporting);
  if (!status.ok()) reporting->Respond(ErrorResponse(status));
}

void StartGeneration(ApiContext& context, GenerationEndpoint endpoint, HttpRequest request,
                     std::shared_ptr<ResponseSink> sink) {
  const bool completes = endpoint == GenerationEndpoint::kCompletion;
  StartGeneration(context, completes ? CompletionApi() : GenerationApi(), request, sink);
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
