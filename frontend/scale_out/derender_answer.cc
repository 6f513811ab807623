#include "frontend/scale_out/derender_answer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/token_table.h"
#include "frontend/answer/reply_plan.h"
#include "frontend/generation/chat_prompt.h"
#include "frontend/generation/generation_plan.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/request_rules.h"
#include "frontend/scale_out/derender_request.h"
#include "frontend/scale_out/derender_state.h"
#include "frontend/scale_out/token_playback.h"

namespace baton::frontend {
namespace {

// The request that was answered, planned again.
struct Original {
  GenerationRequest request;
  bool is_told = false;
  AnswerPlan plan;
  GenerationSpec spec;
};

// What breaks the schema of that request is at its place in the whole body.
absl::Status AtField(const absl::Status& status, std::string_view field) {
  constexpr std::string_view kRoot = "body.";
  const std::optional<std::string> path = Field(status);
  if (!path.has_value() || !path->starts_with(kRoot)) return status;
  const std::string root = absl::StrCat("body.", ToAbsl(field), ".");
  return SchemaError(absl::StrReplaceAll(status.message(), {{"'loc': 'body.", "'loc': '" + root}}),
                     root + path->substr(kRoot.size()));
}

absl::Status ReadOriginal(const ApiContext& context, GenerationEndpoint endpoint,
                          const std::string& body, Original& original) {
  if (body.empty()) return absl::OkStatus();
  absl::StatusOr<ParsedRequest> parsed =
      ParseGenerationBody(body, endpoint, context.options.extra_fields);
  if (!parsed.ok()) return AtField(parsed.status(), OriginalField(endpoint));
  original.request = std::move(parsed->request);
  original.is_told = true;
  return CheckRequest(original.request, endpoint);
}

// How the replies to the chat are read. Where they begin inside reasoning is for the prompt to say:
// the tokens that the caller has of it, or the conversation, rendered again.
absl::Status PlanReading(const ApiContext& context, const GeneratedReply& reply,
                         Original& original) {
  const ModelContext& model = *original.plan.context;
  std::string prompt;
  if (model.reasoning_format != nullptr && original.is_told) {
    if (reply.prompt_ids.has_value()) {
      prompt = model.tokenizer->Decode(*reply.prompt_ids, SpecialTokens::kKeep);
    } else {
      ASSIGN_OR_RETURN(ChatPrompt rendered,
                       RenderChatPrompt(original.request, model, context.options.prompts,
                                        context.clock.WallNow()));
      prompt = std::move(rendered.text);
    }
  }
  const ReplyOptions options{.old_reasoning_name = context.options.old_reasoning_name};
  ASSIGN_OR_RETURN(original.plan.reply,
                   MakeChatReply(original.request.chat, model, prompt, options));
  if (original.plan.reply == nullptr || original.is_told) return absl::OkStatus();
  return InvalidArgument(
      "chat_request is required when a tool or reasoning parser is configured because plain "
      "detokenization would leak raw parser markup into content.");
}

// The likeliest tokens that the request wants to see of each place; absent: those that were sent.
std::optional<size_t> WantedCount(const Original& original, GenerationEndpoint endpoint) {
  if (!original.request.samplers.logprob_token_ids.empty()) return std::nullopt;
  const std::optional<int64_t> count = LogprobsOf(original.request, endpoint);
  return count.has_value() && *count >= 0 ? std::optional(static_cast<size_t>(*count))
                                          : std::nullopt;
}

// What was scored decides about what is shown.
void PlanLogprobs(const DerenderRequest& request, AnswerPlan& plan) {
  const auto widen = [](const std::vector<ScoredPlace>& places, std::optional<int64_t>& count) {
    if (!count.has_value()) count = 0;
    for (const ScoredPlace& place : places) {
      count = std::max(*count, static_cast<int64_t>(place.likeliest.size()));
    }
  };
  plan.logprobs.reset();
  plan.logprobs_of_named = false;
  plan.prompt_logprobs.reset();
  plan.echo_logprobs = false;  // what is turned back has no echo
  for (const GeneratedReply& reply : request.replies) {
    if (reply.prompt_logprobs.has_value()) widen(*reply.prompt_logprobs, plan.prompt_logprobs);
    for (const GeneratedChoice& choice : reply.choices) {
      if (choice.logprobs.has_value()) widen(*choice.logprobs, plan.logprobs);
    }
  }
}

// A prompt whose scores are known is known but for its first token.
std::vector<TokenId> PromptIds(const GeneratedReply& reply) {
  const std::vector<TokenId> told = reply.prompt_ids.value_or(std::vector<TokenId>());
  if (!reply.prompt_logprobs.has_value()) return told;
  const bool is_whole = told.size() == reply.prompt_logprobs->size() + 1;
  std::vector<TokenId> ids = {is_whole ? told.front() : kNoToken};
  for (const ScoredPlace& place : *reply.prompt_logprobs) ids.push_back(place.own.id);
  return ids;
}

absl::Status PlanPrompts(const ApiContext& context, const DerenderRequest& request,
                         Original& original) {
  AnswerPlan& plan = original.plan;
  plan.prompts.clear();
  plan.n = static_cast<uint32_t>(request.replies.front().choices.size());
  for (const GeneratedReply& reply : request.replies) {
    if (reply.choices.size() != plan.n) {
      return InvalidArgument("generate_responses must have the same number of choices.");
    }
    plan.prompts.push_back({.ids = PromptIds(reply),
                            .echo = "",
                            .role = SpeakerOf(original.request, context.options)});
  }
  return absl::OkStatus();
}

absl::StatusOr<Original> PlanOriginal(const ApiContext& context, const HttpRequest& http,
                                      GenerationEndpoint endpoint, const DerenderRequest& request) {
  Original original;
  RETURN_IF_ERROR(ReadOriginal(context, endpoint, request.original_body, original));
  if (!request.model.empty()) original.request.model = request.model;
  ASSIGN_OR_RETURN(auto model, context.models.Find(original.request.model));
  ModelLimits limits = LimitsOf(*model);
  limits.logprobs_max = context.options.logprobs_max;
  RETURN_IF_ERROR(CheckDerenderSizes(request, endpoint, limits));

  const GenerationApi api{.endpoint = endpoint};
  AnswerPlan& plan = original.plan;
  plan = MakePlan(context, http, original.request, api, std::move(model));
  const std::string& id = request.replies.front().request_id;
  plan.id = id.empty() ? http.request_id : id;
  PlanLogprobs(request, plan);
  RETURN_IF_ERROR(PlanPrompts(context, request, original));
  if (endpoint == GenerationEndpoint::kChat) {
    RETURN_IF_ERROR(PlanReading(context, request.replies.front(), original));
  }
  ASSIGN_OR_RETURN(original.spec,
                   MakeCommonSpec(original.request, endpoint, context.options.preset, plan));
  return original;
}

std::unique_ptr<AnswerFormat> MakeFormat(GenerationEndpoint endpoint, const AnswerPlan& plan) {
  return endpoint == GenerationEndpoint::kChat ? MakeChatFormat(plan) : MakeCompletionFormat(plan);
}

// One token after another, as a stream has them.
void PlayChoice(const GeneratedChoice& choice, const GenerationSpec& spec,
                std::optional<size_t> wanted,
                absl::FunctionRef<void(const ChoiceDelta& delta)> tell) {
  const ChoiceEnd unsaid;
  const ChoiceEnd& end = choice.end.has_value() ? *choice.end : unsaid;
  TokenPlayback playback(spec);
  for (size_t i = 0; i < choice.ids.size(); ++i) {
    v1::TokenLogprobs logprobs;
    const bool is_scored = choice.logprobs.has_value() && i < choice.logprobs->size();
    if (is_scored) logprobs = ToTokenLogprobs({&(*choice.logprobs)[i], 1}, wanted);
    const bool is_last = i + 1 == choice.ids.size();
    const ChoiceDelta delta = playback.Next({&choice.ids[i], 1}, is_scored ? &logprobs : nullptr,
                                            is_last ? &end : nullptr);
    tell(delta);
    if (delta.end != nullptr) return;
  }
}

// Adds what a reply says of its prompt.
void CountPrompt(const GeneratedReply& reply, const AnswerPlan& plan, AnswerUsage& usage) {
  usage.prompt_tokens += reply.prompt_tokens.value_or(0);
  if (!plan.prompt_tokens_details || !reply.usage.has_value()) return;
  if (const auto cached = reply.usage->cached_tokens) {
    usage.cached_tokens = usage.cached_tokens.value_or(0) + *cached;
  }
}

absl::StatusOr<std::string> DerenderWhole(GenerationEndpoint endpoint,
                                          const DerenderRequest& request, Original& original) {
  AnswerPlan& plan = original.plan;
  if (endpoint == GenerationEndpoint::kChat) {
    for (const GeneratedChoice& choice : request.replies.front().choices) {
      plan.choice_numbers.push_back(choice.number);
    }
  }
  const auto wanted = WantedCount(original, endpoint);
  const auto format = MakeFormat(endpoint, plan);
  std::vector<CollectedChoice> collected(plan.choice_count());
  AnswerUsage usage;
  uint32_t index = 0;
  for (size_t prompt = 0; prompt < request.replies.size(); ++prompt) {
    const GeneratedReply& reply = request.replies[prompt];
    CountPrompt(reply, plan, usage);
    if (reply.prompt_logprobs.has_value()) {
      format->AddPromptLogprobs(static_cast<uint32_t>(prompt),
                                ToTokenLogprobs(*reply.prompt_logprobs, SIZE_MAX));
    }
    for (const GeneratedChoice& choice : reply.choices) {
      if (choice.ids.empty()) {
        return InvalidArgument(
            absl::StrCat("choice ", choice.number, " has empty or null token_ids"));
      }
      usage.completion_tokens += static_cast<uint32_t>(choice.ids.size());
      PlayChoice(choice, original.spec, wanted, [&](const ChoiceDelta& delta) {
        format->Collect(index, delta, collected[index]);
      });
      if (const auto count = format->ReasoningTokens(index)) {
        usage.reasoning_tokens = usage.reasoning_tokens.value_or(0) + *count;
      }
      ++index;
    }
  }
  return format->Body(collected, usage);
}

// The formats write events of a stream.
std::string_view DataOf(std::string_view event) {
  constexpr std::string_view kBegin = "data: ";
  constexpr std::string_view kEnd = "\n\n";
  return event.substr(kBegin.size(), event.size() - kBegin.size() - kEnd.size());
}

size_t CharacterCount(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & '\xC0') != '\x80'; }));
}

// One chunk of a stream, and the state behind it.
class ChunkAnswer {
 public:
  ChunkAnswer(GenerationEndpoint endpoint, const DerenderRequest& request, Original& original)
      : endpoint_(endpoint),
        chunk_(request.replies.front()),
        original_(original),
        choice_(chunk_.choices.empty() ? nullptr : &chunk_.choices.front()),
        state_(request.state.value_or(DerenderState())) {
    AnswerPlan& plan = original.plan;
    plan.n = 1;
    plan.carried = {.role_sent = state_.role_sent,
                    .begun = request.state.has_value(),
                    .last_ids = state_.context_ids,
                    .text_offset = state_.text_offset};
    if (choice_ != nullptr) plan.choice_numbers = {choice_->number};
    if (choice_ != nullptr && choice_->logprobs.has_value()) {
      logprobs_ = ToTokenLogprobs(*choice_->logprobs, WantedCount(original, endpoint));
    }
    format_ = MakeFormat(endpoint, plan);
  }

  absl::StatusOr<std::string> Make() {
    // Calls, reasoning and stop strings are read from the whole; else the last tokens will do.
    const bool is_read = original_.plan.reply != nullptr || !original_.spec.stop_strings.empty();
    if (is_read) {
      TellAllAgain();
    } else {
      RETURN_IF_ERROR(TellText());
    }
    std::string body = absl::StrCat("{\"chunk\":", ToAbsl(DataOf(event_)), ",\"stream_state\":");
    state_.AppendTo(&body);
    return body + "}";
  }

 private:
  const ChoiceEnd* end() const { return choice_->end.has_value() ? &*choice_->end : nullptr; }
  const v1::TokenLogprobs* logprobs() const {
    return logprobs_.has_value() ? &*logprobs_ : nullptr;
  }

  void TellAllAgain() {
    TokenPlayback playback(original_.spec);
    if (!state_.output_ids.empty()) {
      std::string told;
      format_->AppendDelta(0, playback.Next(state_.output_ids, nullptr, nullptr), nullptr, &told);
    }
    if (choice_ == nullptr) return Tell(nullptr);
    const ChoiceDelta delta = playback.Next(choice_->ids, logprobs(), end());
    Tell(&delta);
    state_.output_ids.insert(state_.output_ids.end(), choice_->ids.begin(), choice_->ids.end());
  }

  absl::Status TellText() {
    ASSIGN_OR_RETURN(CarriedText carried, CarriedText::From(original_.spec, state_));
    if (choice_ == nullptr) {
      Tell(nullptr);
      return absl::OkStatus();
    }
    std::string text;
    carried.Push(TokensOfText(original_.spec, choice_->ids, end()), end() != nullptr, text);
    const ChoiceDelta delta{
        .text = text, .ids = choice_->ids, .logprobs = logprobs(), .end = end()};
    Tell(&delta);
    return carried.Save(state_);
  }

  // The chunk; null: it has no choice.
  void Tell(const ChoiceDelta* delta) {
    const std::optional<AnswerUsage> usage = Usage();
    const AnswerUsage* const shown = usage.has_value() ? &*usage : nullptr;
    if (delta == nullptr) return format_->AppendBareChunk(shown, &event_);
    format_->AppendDelta(0, *delta, shown, &event_);
    if (endpoint_ == GenerationEndpoint::kChat) {
      state_.role_sent = true;
    } else {
      state_.text_offset += CharacterCount(delta->text);
    }
    std::vector<TokenId>& context = state_.context_ids;
    context.insert(context.end(), choice_->ids.begin(), choice_->ids.end());
    const size_t surplus = context.size() - std::min(context.size(), DerenderState::kContextMax);
    context.erase(context.begin(), context.begin() + static_cast<std::ptrdiff_t>(surplus));
  }

  std::optional<AnswerUsage> Usage() const {
    if (!chunk_.usage.has_value()) return std::nullopt;
    AnswerUsage usage = *chunk_.usage;
    usage.prompt_tokens = chunk_.prompt_tokens.value_or(usage.prompt_tokens);
    if (!original_.plan.prompt_tokens_details) usage.cached_tokens.reset();
    // Of several choices this is the state of one.
    if (original_.request.n == 1) usage.reasoning_tokens = format_->ReasoningTokens(0);
    return usage;
  }

  const GenerationEndpoint endpoint_;
  const GeneratedReply& chunk_;
  const Original& original_;
  const GeneratedChoice* const choice_;  // null: the chunk has none
  std::optional<v1::TokenLogprobs> logprobs_;
  DerenderState state_;
  std::unique_ptr<AnswerFormat> format_;
  std::string event_;
};

}  // namespace

absl::StatusOr<std::string> DerenderAnswer(const ApiContext& context, const HttpRequest& http,
                                           GenerationEndpoint endpoint) {
  ASSIGN_OR_RETURN(const DerenderRequest request, ParseDerenderBody(http.body, endpoint));
  ASSIGN_OR_RETURN(Original original, PlanOriginal(context, http, endpoint, request));
  if (!request.stream) return DerenderWhole(endpoint, request, original);
  return ChunkAnswer(endpoint, request, original).Make();
}

}  // namespace baton::frontend
