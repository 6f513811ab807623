// What the answer to a request will be, and what workers are asked for it: everything that is known
// before a generation starts, for all APIs of generations, and for those that only render a request
// or only format an answer.
//
//   AnswerPlan plan = MakePlan(context, http, request, api, model);
//   RETURN_IF_ERROR(AddChatPrompt(context, request, plan));
//   ASSIGN_OR_RETURN(auto specs, MakeSpecs(request, api.endpoint, preset, plan));
//
// Threading: pure functions, any thread.
// Errors:    INVALID_ARGUMENT with the field, for what the model does not allow or cannot do.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontend/answer/answer_format.h"
#include "frontend/answer/answer_plan.h"
#include "frontend/generation/api_context.h"
#include "frontend/http/http_types.h"
#include "frontend/request/request_parser.h"
#include "frontend/request/request_rules.h"
#include "frontend/stream/generation_types.h"

namespace baton::frontend {

// What makes one API of generations differ from another.
struct GenerationApi {
  GenerationEndpoint endpoint = GenerationEndpoint::kChat;  // whose fields the body has
  std::string_view id_prefix = "chatcmpl-";                 // of an id made from the request's
  std::string id = {};                                      // the answer's, if it has one already
  MakeAnswerFormat make_format = MakeChatFormat;
  HttpResponse (*error_response)(const ApiError&) = ErrorResponse;
  // Called when a request is refused after TryStartGeneration was OK: its constraint was no good.
  std::function<void()> on_refused = nullptr;
  bool wants_cached_tokens = false;  // in the usage, whatever the operator says
  // Its clients ask for a budget of any model: no error for one that has no use for it.
  bool thinking_budget_is_a_wish = false;
};

// /v1/completions.
inline GenerationApi CompletionApi() {
  return {.endpoint = GenerationEndpoint::kCompletion,
          .id_prefix = "cmpl-",
          .make_format = MakeCompletionFormat};
}

ModelLimits LimitsOf(const ModelContext& model);

// Everything but the prompts, and how the replies are read.
AnswerPlan MakePlan(const ApiContext& context, const HttpRequest& http,
                    const GenerationRequest& request, const GenerationApi& api,
                    std::shared_ptr<const ModelContext> model);

// Who speaks in the answer to a chat.
const std::string& SpeakerOf(const GenerationRequest& request, const ApiOptions& options);

// The conversation as a prompt, and how its replies are read; adds the request's constraint where
// tools are enforced.
absl::Status AddChatPrompt(const ApiContext& context, GenerationRequest& request, AnswerPlan& plan);

// The other conversations of a batch: all but their messages is the first one's.
absl::Status AddOtherChats(const ApiContext& context, const std::vector<ChatInput>& others,
                           GenerationRequest& request, AnswerPlan& plan);

absl::Status AddCompletionPrompts(const GenerationRequest& request, AnswerPlan& plan);

// What a request of tokens names of the model is checked; where it only says that its prompt ends
// inside reasoning, its constraint waits for the end of that. Nothing for other requests.
absl::Status FinishTokenLevel(const ModelContext& model, GenerationRequest& request);

// What a worker is asked for any prompt of the plan.
absl::StatusOr<GenerationSpec> MakeCommonSpec(const GenerationRequest& request,
                                              GenerationEndpoint endpoint, ApiPreset preset,
                                              const AnswerPlan& plan);

// What a worker is asked, for each prompt of the plan.
absl::StatusOr<std::vector<GenerationSpec>> MakeSpecs(const GenerationRequest& request,
                                                      GenerationEndpoint endpoint, ApiPreset preset,
                                                      AnswerPlan& plan);

}  // namespace baton::frontend
