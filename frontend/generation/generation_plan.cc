#include "frontend/generation/generation_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/answer/reply_plan.h"
#include "frontend/answer/token_offsets.h"
#include "frontend/generation/chat_prompt.h"
#include "frontend/generation/fill_in_middle.h"
#include "frontend/generation/thinking_budget.h"
#include "frontend/generation/tool_constraint.h"
#include "frontend/request/beam_rules.h"
#include "frontend/request/sampler_rules.h"
#include "frontend/request/token_pieces.h"

namespace baton::frontend {

ModelLimits LimitsOf(const ModelContext& model) {
  return {.max_model_len = model.max_model_len,
          .vocab_size = model.vocab_size,
          .token_bytes_max = model.token_bytes_max,
          .defaults = model.defaults};
}

namespace {

// What was asked, as text: what an echo shows.
std::string EchoOf(const PromptInput& input, const Tokenizer& tokenizer) {
  std::string echo;
  for (const PromptPiece& piece : input) {
    const std::string* const text = std::get_if<std::string>(&piece);
    echo += text != nullptr
                ? *text
                : tokenizer.Decode(std::get<std::vector<TokenId>>(piece), SpecialTokens::kKeep);
  }
  return echo;
}

// The tokens of one completion prompt.
absl::StatusOr<AnswerPlan::Prompt> TokenizePrompt(const PromptInput& input,
                                                  const GenerationRequest& request,
                                                  const ModelContext& model) {
  const ModelLimits limits = LimitsOf(model);
  AnswerPlan::Prompt prompt;
  // Before a suffix the prompt is one part of the whole: what goes around goes around that, and no
  // mark in the text may pass for a mark of the parts.
  const bool is_part = request.completion.suffix.has_value();
  const EncodeOptions encode{
      .add_special_tokens = request.add_special_tokens.value_or(true) && !is_part,
      .parse_special = !is_part};
  for (const PromptPiece& piece : input) {
    const std::string* const text = std::get_if<std::string>(&piece);
    if (text != nullptr) RETURN_IF_ERROR(CheckPromptBytes(request, limits, text->size()));
  }
  ASSIGN_OR_RETURN(prompt.ids, EncodeMixedPrompt(input, *model.tokenizer, encode));
  if (request.echo) prompt.echo = EchoOf(input, *model.tokenizer);
  if (request.output.return_token_offsets && !is_part && input.size() == 1) {
    const std::string* const text = std::get_if<std::string>(&input.front());
    if (text != nullptr) prompt.offsets = TokenOffsets(*model.tokenizer, prompt.ids, *text);
  }
  return prompt;
}

// Puts the suffix behind each prompt, in the form that the model was trained on.
absl::Status AddSuffix(const GenerationRequest& request, AnswerPlan& plan) {
  const auto marks = FillInMiddle::Of(*plan.context->tokenizer);
  if (!marks.has_value()) {
    return WithField(
        InvalidArgument("suffix is only supported for models with fill-in-the-middle tokens"),
        "suffix");
  }
  const InfillOptions options{.add_special_tokens = request.add_special_tokens.value_or(true)};
  for (AnswerPlan::Prompt& prompt : plan.prompts) {
    InfillParts parts;
    parts.prefix = std::move(prompt.ids);
    parts.suffix = *request.completion.suffix;
    ASSIGN_OR_RETURN(prompt.ids, marks->Encode(parts, options));
  }
  plan.quiet_stop_ids = marks->stop_ids();
  return absl::OkStatus();
}

}  // namespace

absl::Status AddCompletionPrompts(const GenerationRequest& request, AnswerPlan& plan) {
  for (const PromptInput& input : request.completion.prompts) {
    ASSIGN_OR_RETURN(AnswerPlan::Prompt prompt, TokenizePrompt(input, request, *plan.context));
    plan.prompts.push_back(std::move(prompt));
  }
  if (request.completion.suffix.has_value()) RETURN_IF_ERROR(AddSuffix(request, plan));
  plan.only_echo = request.echo && request.sampling.max_tokens == 0;
  return absl::OkStatus();
}

const std::string& SpeakerOf(const GenerationRequest& request, const ApiOptions& options) {
  const bool goes_on = !request.chat.add_generation_prompt && !request.chat.last_role.empty();
  return goes_on ? request.chat.last_role : options.response_role;
}

namespace {

// Puts the conversation's prompt into the plan.
absl::StatusOr<ChatPrompt> AddConversation(const ApiContext& context,
                                           const GenerationRequest& request, AnswerPlan& plan) {
  const ModelContext& model = *plan.context;
  ASSIGN_OR_RETURN(ChatPrompt rendered, RenderChatPrompt(request, model, context.options.prompts,
                                                         context.clock.WallNow()));
  RETURN_IF_ERROR(CheckPromptBytes(request, LimitsOf(model), rendered.text.size()));
  AnswerPlan::Prompt prompt;
  ASSIGN_OR_RETURN(prompt.ids, EncodeChatPrompt(rendered, request, model));
  if (request.output.return_token_offsets) {
    prompt.offsets = TokenOffsets(*model.tokenizer, prompt.ids, rendered.text);
  }
  prompt.role = SpeakerOf(request, context.options);
  if (request.echo && request.chat.last_role == prompt.role) {
    prompt.echo = request.chat.last_content_text;
  }
  plan.prompts.push_back(std::move(prompt));
  return rendered;
}

}  // namespace

absl::Status AddChatPrompt(const ApiContext& context, GenerationRequest& request,
                           AnswerPlan& plan) {
  const ModelContext& model = *plan.context;
  ASSIGN_OR_RETURN(ChatPrompt rendered, AddConversation(context, request, plan));
  const ReplyOptions reply_options{.old_reasoning_name = context.options.old_reasoning_name};
  ASSIGN_OR_RETURN(plan.reply, MakeChatReply(request.chat, model, rendered.text, reply_options));
  if (plan.reply != nullptr) {
    if (auto constraint = ToolConstraint(request.chat.tools, *plan.reply, model)) {
      RETURN_IF_ERROR(CheckToolSchemas(request.chat.tools, *plan.reply));
      request.constraint = std::move(constraint);
    } else if (request.constraint.has_value() && !request.constraint_input.start_given) {
      StartBehindReasoning(plan.reply->parse, model, *request.constraint);
    }
  }
  if (request.chat.return_prompt_text) plan.prompt_text = std::move(rendered.text);
  return absl::OkStatus();
}

absl::Status FinishTokenLevel(const ModelContext& model, GenerationRequest& request) {
  if (!request.token_level.has_value()) return absl::OkStatus();
  const TokenLevelInput& input = *request.token_level;
  RETURN_IF_ERROR(CheckTokenIds(input.quiet_stop_ids, model.vocab_size));
  RETURN_IF_ERROR(CheckTokenIds(input.kept_special_tokens, model.vocab_size));
  const bool begins_inside = input.reasoning_ended == false;
  if (begins_inside && request.constraint.has_value() && !request.constraint_input.start_given) {
    ReplyPlan parse;
    parse.reasoning = model.reasoning_format;
    parse.reasoning_start = ReasoningStart::kInside;
    StartBehindReasoning(parse, model, *request.constraint);
  }
  return absl::OkStatus();
}

absl::Status AddOtherChats(const ApiContext& context, const std::vector<ChatInput>& others,
                           GenerationRequest& request, AnswerPlan& plan) {
  for (const ChatInput& other : others) {
    request.chat.messages_json = other.messages_json;
    request.chat.last_role = other.last_role;
    request.chat.last_content_text = other.last_content_text;
    request.chat.has_media_parts = other.has_media_parts;
    RETURN_IF_ERROR(AddConversation(context, request, plan).status());
  }
  return absl::OkStatus();
}

namespace {

std::string RequestName(const HttpRequest& http, const GenerationRequest& request) {
  const bool from_client = FindHeader(http.headers, "x-request-id").has_value();
  return from_client || request.request_id.empty() ? http.request_id : request.request_id;
}

// The parameter that a client would have to change; nothing without a constraint.
std::string_view ConstraintField(const GenerationRequest& request) {
  const ConstraintInput& input = request.constraint_input;
  if (!request.constraint.has_value()) return {};
  const bool of_tools = request.constraint->kind == ConstraintSpec::Kind::kStructuralTag &&
                        !input.response_format.has_value() && input.structured_count == 0;
  if (of_tools) return "tools";
  return input.response_format.has_value() ? "response_format" : input.structured_field;
}

}  // namespace

AnswerPlan MakePlan(const ApiContext& context, const HttpRequest& http,
                    const GenerationRequest& request, const GenerationApi& api,
                    std::shared_ptr<const ModelContext> model) {
  AnswerPlan plan;
  plan.id =
      api.id.empty() ? absl::StrCat(ToAbsl(api.id_prefix), RequestName(http, request)) : api.id;
  plan.created = UnixSeconds(context.clock.WallNow());
  plan.model = request.model.empty() ? model->served_names.front() : request.model;
  plan.fingerprint = SystemFingerprint(context.options.fingerprint, *model);
  plan.logprobs_max = context.options.logprobs_max;
  plan.context = std::move(model);
  plan.error_response = api.error_response;
  plan.constraint_field = ConstraintField(request);
  plan.n = static_cast<uint32_t>(request.n);
  plan.stream = request.output.stream;
  plan.include_usage = request.output.include_usage || context.options.force_include_usage;
  plan.continuous_usage =
      request.output.continuous_usage_stats || context.options.force_include_usage;
  plan.prompt_tokens_details = context.options.prompt_tokens_details || api.wants_cached_tokens;
  plan.return_token_ids = request.output.return_token_ids;
  plan.tokens_as_ids =
      request.output.return_tokens_as_token_ids || context.options.return_tokens_as_token_ids;
  if (request.token_level.has_value()) {
    plan.wants_text = request.token_level->wants_text;
    plan.quiet_stop_ids = request.token_level->quiet_stop_ids;
  }
  plan.logprobs = LogprobsOf(request, api.endpoint);
  plan.echo_logprobs = request.echo && api.endpoint == GenerationEndpoint::kCompletion;
  plan.prompt_logprobs = request.samplers.prompt_logprobs;
  // An echo with log-probabilities shows the prompt's on their own, too.
  if (plan.echo_logprobs && !plan.prompt_logprobs.has_value()) plan.prompt_logprobs = plan.logprobs;
  // Named tokens take the place of the likeliest.
  const auto named = static_cast<int64_t>(request.samplers.logprob_token_ids.size());
  plan.logprobs_of_named = named > 0 && plan.logprobs.has_value();
  if (plan.logprobs_of_named) plan.logprobs = named;
  return plan;
}

namespace {

// What lies beyond 32 bits is beyond every output, too.
RepetitionLimit RepetitionOf(const RepetitionOptions& options) {
  const auto bounded = [](int64_t value) {
    return static_cast<uint32_t>(std::min<int64_t>(value, UINT32_MAX));
  };
  if (options.max_pattern_size == 0) return {};
  return {.pattern_min = bounded(options.min_pattern_size),
          .pattern_max = bounded(options.max_pattern_size),
          .count_min = bounded(options.min_count)};
}

// Tokens come with all that is to be known: of the model's defaults only lengths apply to them.
ModelLimits LimitsOf(const ModelContext& model, GenerationEndpoint endpoint) {
  ModelLimits limits = LimitsOf(model);
  if (endpoint != GenerationEndpoint::kTokens) return limits;
  limits.defaults = {};
  limits.defaults.max_new_tokens = model.defaults.max_new_tokens;
  limits.defaults.max_new_tokens_cap = model.defaults.max_new_tokens_cap;
  return limits;
}

// Of as many tokens as the prompt has been cut by.
void TruncateOffsets(TruncationSide side, size_t surplus, std::vector<TextSpan>& offsets) {
  const auto count = static_cast<std::ptrdiff_t>(surplus);
  if (side == TruncationSide::kLeft) {
    offsets.erase(offsets.begin(), offsets.begin() + count);
  } else {
    offsets.erase(offsets.end() - count, offsets.end());
  }
}

}  // namespace

absl::StatusOr<GenerationSpec> MakeCommonSpec(const GenerationRequest& request,
                                              GenerationEndpoint endpoint, ApiPreset preset,
                                              const AnswerPlan& plan) {
  ModelLimits limits = LimitsOf(*plan.context, endpoint);
  limits.logprobs_max = plan.logprobs_max;
  GenerationSpec spec;
  ASSIGN_OR_RETURN(spec.sampling, MakeSampling(request, endpoint, limits, /*max_tokens=*/0));
  RETURN_IF_ERROR(CheckSamplers(request, limits));
  RETURN_IF_ERROR(AddSamplers(request, preset, *plan.context->tokenizer, spec.sampling));
  spec.model = plan.context;
  spec.request_id = plan.id;
  spec.n = plan.n;
  spec.quiet_stop_ids = plan.quiet_stop_ids;
  spec.cache_salt = request.cache_salt.value_or("");
  spec.priority = static_cast<int32_t>(request.priority);
  spec.stop_strings = request.sampling.stop;
  spec.stop_text = request.output.include_stop_str_in_output ? StopText::kInclude : StopText::kDrop;
  spec.repetition = RepetitionOf(request.sampling.repetition);
  spec.skip_special_tokens = request.output.skip_special_tokens;
  if (request.token_level.has_value()) {
    spec.kept_special_tokens = request.token_level->kept_special_tokens;
  }
  if (plan.reply != nullptr) {
    spec.kept_special_tokens = plan.context->markup_tokens;
    spec.wants_text_ends = plan.reply->parse.reasoning != nullptr;
  }
  RETURN_IF_ERROR(AddBeams(request, limits, spec));
  return spec;
}

absl::StatusOr<std::vector<GenerationSpec>> MakeSpecs(const GenerationRequest& request,
                                                      GenerationEndpoint endpoint, ApiPreset preset,
                                                      AnswerPlan& plan) {
  const ModelLimits limits = LimitsOf(*plan.context, endpoint);
  ASSIGN_OR_RETURN(const GenerationSpec common, MakeCommonSpec(request, endpoint, preset, plan));
  std::vector<GenerationSpec> specs;
  for (AnswerPlan::Prompt& prompt : plan.prompts) {
    const size_t whole = prompt.ids.size();
    RETURN_IF_ERROR(TruncatePrompt(request, limits, prompt.ids));
    if (prompt.offsets.has_value()) {
      TruncateOffsets(request.truncation_side, whole - prompt.ids.size(), *prompt.offsets);
    }
    RETURN_IF_ERROR(CheckPromptTokens(prompt.ids, limits));
    GenerationSpec spec = common;
    ASSIGN_OR_RETURN(const uint32_t max_tokens,
                     ResolveMaxTokens(request, endpoint, limits, prompt.ids.size()));
    spec.sampling.set_max_tokens(max_tokens);
    RETURN_IF_ERROR(
        AddThinkingBudget(request, *plan.context, plan.reply.get(), prompt.ids, spec.sampling));
    spec.prompt = prompt.ids;
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace baton::frontend
