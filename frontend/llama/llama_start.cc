#include "frontend/llama/llama_start.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "frontend/generation/constraint_start.h"
#include "frontend/llama/llama_answer.h"
#include "frontend/llama/llama_end_tokens.h"
#include "frontend/llama/llama_error.h"

namespace baton::frontend {
namespace {

// n_predict: -1 is as much as fits; 0 gives one token, as the reference server does.
uint32_t MaxTokensOf(const LlamaSettings& settings, size_t prompt_tokens, uint32_t context) {
  const auto room = static_cast<int64_t>(context) - static_cast<int64_t>(prompt_tokens);
  if (settings.n_predict < 0) return static_cast<uint32_t>(room);
  return static_cast<uint32_t>(std::clamp<int64_t>(settings.n_predict, 1, room));
}

absl::Status CheckPrompt(const std::vector<TokenId>& prompt, const ModelContext& model) {
  if (prompt.empty()) return InvalidArgument("\"prompt\" must not be empty");
  if (prompt.size() >= model.max_model_len) {
    return ContextSizeError(prompt.size(), model.max_model_len);
  }
  for (const TokenId id : prompt) {
    if (id >= model.vocab_size) return InvalidArgument("Prompt contains invalid tokens");
  }
  return absl::OkStatus();
}

// What ends the text quietly. Where the end is to be ignored it is not to be said at all.
std::vector<TokenId> SetEnds(const ModelContext& model, LlamaSettings& settings) {
  std::vector<TokenId> ends = LlamaEndTokens(model);
  if (!settings.ignore_eos) return ends;
  for (const TokenId id : ends) {
    settings.biases.biases.emplace_back(id, -std::numeric_limits<float>::infinity());
  }
  return {};
}

struct Prepared {
  LlamaAnswerPlan plan;
  std::vector<GenerationSpec> specs;
  GenerationAnswer::Request request;
};

void StartAnswer(ApiContext& context, Prepared prepared) {
  auto answer = std::make_shared<LlamaAnswer>(
      GenerationAnswer::Environment{context.generation, context.metrics, context.running,
                                    context.clock},
      std::move(prepared.plan), std::move(prepared.request));
  answer->Start(std::move(prepared.specs));
}

void StartWhenChecked(ApiContext& context, const std::shared_ptr<Prepared>& prepared) {
  CheckBeforeStart(context.constraints, prepared->plan.context, prepared->plan.request.constraint,
                   prepared->specs, [&context, prepared](const absl::Status& status) {
                     if (status.ok()) return StartAnswer(context, std::move(*prepared));
                     prepared->request.sink->Respond(LlamaErrorResponse(status));
                   });
}

}  // namespace

absl::Status StartLlamaAnswer(ApiContext& context, const HttpRequest& http, LlamaStart start,
                              MonotonicTime arrival, const std::shared_ptr<ResponseSink>& sink) {
  const ModelContext& model = *start.model;
  LlamaAnswerPlan plan;
  plan.model = model.served_names.front();
  plan.context = start.model;
  plan.request = std::move(start.request);
  std::vector<TokenId> quiet_stop_ids = SetEnds(model, plan.request.settings);
  quiet_stop_ids.insert(quiet_stop_ids.end(), start.quiet_stop_ids.begin(),
                        start.quiet_stop_ids.end());
  std::vector<GenerationSpec> specs;
  for (std::vector<TokenId>& prompt : start.prompts) {
    RETURN_IF_ERROR(CheckPrompt(prompt, model));
    plan.prompts.push_back({.token_count = static_cast<uint32_t>(prompt.size()),
                            .text = model.tokenizer->Decode(prompt, SpecialTokens::kKeep)});
    const LlamaSettings& settings = plan.request.settings;
    GenerationSpec spec;
    ASSIGN_OR_RETURN(spec.sampling,
                     SamplingOf(settings, *model.tokenizer,
                                MaxTokensOf(settings, prompt.size(), model.max_model_len)));
    spec.quiet_stop_ids = quiet_stop_ids;
    spec.model = start.model;
    spec.request_id = http.request_id;
    spec.prompt = std::move(prompt);
    spec.n = plan.choices_per_prompt();
    spec.stop_strings = settings.stop;
    specs.push_back(std::move(spec));
  }
  ASSIGN_OR_RETURN(ConcurrencyLimiter::Permit permit, context.limiter.TryEnter(""));
  GenerationAnswer::Request request{
      .name = http.request_id, .sink = sink, .arrival = arrival, .permit = std::move(permit)};
  StartWhenChecked(context, std::make_shared<Prepared>(
                                Prepared{std::move(plan), std::move(specs), std::move(request)}));
  return absl::OkStatus();
}

}  // namespace baton::frontend
