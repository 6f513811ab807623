#include "frontend/generation/planned_generation.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/generation/constraint_start.h"
#include "frontend/generation/thinking_budget.h"
#include "frontend/request/request_rules.h"

namespace baton::frontend {
namespace {

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

}  // namespace

absl::StatusOr<UnderstoodRequest> ReadGeneration(const ApiContext& context,
                                                 GenerationEndpoint endpoint,
                                                 const HttpRequest& http, std::string_view body) {
  ASSIGN_OR_RETURN(ParsedRequest parsed,
                   ParseGenerationBody(body, endpoint, context.options.extra_fields));
  CountIgnored(context.metrics, parsed);
  RETURN_IF_ERROR(ReadPriorityHeader(http, parsed.request));
  UnderstoodRequest understood{.request = std::move(parsed.request), .model = nullptr};
  GenerationRequest& request = understood.request;
  RETURN_IF_ERROR(CheckRequest(request, endpoint));
  ASSIGN_OR_RETURN(request.constraint, ResolveConstraint(request.constraint_input));
  if (context.options.require_model && request.model.empty()) {
    return WithField(InvalidArgument("you must provide a model parameter"), "model");
  }
  ASSIGN_OR_RETURN(understood.model, context.options.preset == ApiPreset::kLlamaCpp
                                         ? context.models.FindOrOnly(request.model)
                                         : context.models.Find(request.model));
  return understood;
}

absl::StatusOr<PlannedGeneration> PlanGeneration(const ApiContext& context,
                                                 const GenerationApi& api, const HttpRequest& http,
                                                 UnderstoodRequest understood,
                                                 const std::vector<ChatInput>& other_chats) {
  PlannedGeneration planned{.request = std::move(understood.request), .plan = {}, .specs = {}};
  GenerationRequest& request = planned.request;
  AnswerPlan& plan = planned.plan;
  CountLogprobs(request, LimitsOf(*understood.model));
  plan = MakePlan(context, http, request, api, std::move(understood.model));
  RETURN_IF_ERROR(api.endpoint == GenerationEndpoint::kChat ? AddChatPrompt(context, request, plan)
                                                            : AddCompletionPrompts(request, plan));
  if (api.thinking_budget_is_a_wish && !HasThinkingMarks(*plan.context)) {
    request.sampling.thinking_token_budget.reset();
  }
  RETURN_IF_ERROR(FinishTokenLevel(*plan.context, request));
  RETURN_IF_ERROR(AddOtherChats(context, other_chats, request, plan));
  // Tokens come with all that is to be known.
  const ApiPreset preset =
      api.endpoint == GenerationEndpoint::kTokens ? ApiPreset::kOpenAi : context.options.preset;
  ASSIGN_OR_RETURN(planned.specs, MakeSpecs(request, api.endpoint, preset, plan));
  return planned;
}

void CheckPlanned(ApiContext& context, const std::shared_ptr<PlannedGeneration>& planned,
                  std::function<void(const absl::Status&)> done) {
  CheckBeforeStart(context.constraints, planned->plan.context, planned->request.constraint,
                   planned->specs, [planned, done = std::move(done)](const absl::Status& status) {
                     const bool blame =
                         absl::IsInvalidArgument(status) && !Field(status).has_value();
                     done(blame ? WithField(status, planned->plan.constraint_field) : status);
                   });
}

}  // namespace baton::frontend
