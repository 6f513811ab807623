#include <simdjson.h>

#include <algorithm>
#include <cstdint>

#include "frontend/request/constraint_parameters.h"
#include "frontend/request/parameter.h"

namespace baton::frontend {
namespace {

using Field = const JsonField&;
using Request = GenerationRequest&;

bool IsNumber(Field field, double neutral) {
  if (field.IsNull()) return true;
  SchemaProblems ignored;
  const std::optional<double> number = JsonField(field.value(), field.path(), ignored).Number();
  return number.has_value() && *number == neutral;
}

bool IsMinusOne(Field field) { return IsNumber(field, -1); }

void ReadStop(Field field, Request request) {
  SchemaProblems not_text;
  const JsonField as_text(field.value(), field.path(), not_text);
  if (std::optional<std::string> text = as_text.String()) {
    request.sampling.stop = {*std::move(text)};
    return;
  }
  // Neither text nor a list of text: both readings failed, and both are reported.
  SchemaProblems not_list;
  std::optional<std::vector<std::string>> list =
      JsonField(field.value(), field.path(), not_list).StringList();
  constexpr size_t kStopStringsMax = 4;
  if (list.has_value() && list->size() <= kStopStringsMax) {
    request.sampling.stop = *std::move(list);
    return;
  }
  (void)field.String();
  if (!list.has_value()) {
    (void)field.StringList();
    return;
  }
  field.Problem(
      "too_long",
      "List should have at most 4 items after validation, not " + std::to_string(list->size()),
      "'field_type': 'List', 'max_length': 4, 'actual_length': " + std::to_string(list->size()));
}

void ReadStreamOptions(Field field, Request request) {
  request.output.has_stream_options = !field.IsEmpty();
  field.VisitMembers([&request](std::string_view key, Field value) {
    if (value.IsNull()) return;
    if (key == "include_usage") request.output.include_usage = value.Bool().value_or(false);
    if (key == "continuous_usage_stats") {
      request.output.continuous_usage_stats = value.Bool().value_or(false);
    }
  });
}

void ReadTruncationSide(Field field, Request request) {
  const auto side = field.String();
  if (!side.has_value()) return;
  if (*side == "left") {
    request.truncation_side = TruncationSide::kLeft;
  } else if (*side == "right") {
    request.truncation_side = TruncationSide::kRight;
  } else {
    field.Problem("literal_error", "Input should be 'left' or 'right'",
                  "'expected': \"'left' or 'right'\"");
  }
}

void ReadMaxTokens(Field field, Request request) {
  // max_completion_tokens wins wherever it stands in the body.
  if (request.sampling.max_tokens_field == "max_completion_tokens") {
    (void)field.Int();
    return;
  }
  request.sampling.max_tokens = field.Int();
}

// llama.cpp's name; -1 is its way to say "no limit".
void ReadPredict(Field field, Request request) {
  const auto count = field.Int();
  if (count.has_value() && *count != -1 && !request.sampling.max_tokens.has_value()) {
    request.sampling.max_tokens = *count;
    request.sampling.max_tokens_field = "n_predict";
  }
}

void ReadRepetition(Field field, Request request) {
  RepetitionOptions& repetition = request.sampling.repetition;
  field.VisitMembers([&repetition](std::string_view name, Field member) {
    if (name == "max_pattern_size") repetition.max_pattern_size = member.Int().value_or(0);
    if (name == "min_pattern_size") repetition.min_pattern_size = member.Int().value_or(0);
    if (name == "min_count") repetition.min_count = member.Int().value_or(0);
  });
}

// A count, or -1 for no limit; nothing that only looks like one.
void ReadThinkingBudget(Field field, Request request) {
  int64_t budget = 0;
  const bool is_count =
      field.value().is_int64() && field.value().get(budget) == simdjson::SUCCESS && budget >= -1;
  if (!is_count) {
    request.sampling.unreadable_thinking_budget = DescribeInput(field.value());
  } else if (budget >= 0) {
    request.sampling.thinking_token_budget = budget;
  }
}

// What is no text counts as the empty one, which the rules refuse.
void ReadCacheSalt(Field field, Request request) {
  SchemaProblems no_text;
  request.cache_salt = JsonField(field.value(), field.path(), no_text).String().value_or("");
}

// Any integer; beyond 32 bits all are as urgent as the extreme.
void ReadPriority(Field field, Request request) {
  const int64_t priority = field.IntInRange(INT64_MIN, INT64_MAX).value_or(0);
  request.priority = std::clamp<int64_t>(priority, INT32_MIN, INT32_MAX);
}

template <auto Member>
void ReadSamplingNumber(Field field, Request request) {
  if (const auto number = field.Number()) request.sampling.*Member = *number;
}
template <auto Member>
void ReadSamplingInt(Field field, Request request) {
  if (const auto number = field.Int()) request.sampling.*Member = *number;
}
template <auto Member>
void ReadOutputFlag(Field field, Request request) {
  if (const auto flag = field.Bool()) request.output.*Member = *flag;
}

constexpr Support kSupported = Support::kSupported;
constexpr Support kHint = Support::kHint;
constexpr Support kUnsupported = Support::kUnsupported;
using S = SamplingOptions;
using O = OutputOptions;

constexpr Parameter kEnvelope[] = {
    {"model", kSupported, [](Field f, Request r) { r.model = f.String().value_or(""); }},
    {"stream", kSupported, ReadOutputFlag<&O::stream>},
    {"stream_options", kSupported, ReadStreamOptions},
    {"return_token_ids", kSupported, ReadOutputFlag<&O::return_token_ids>},

    // Scheduling and identity.
    {"cache_salt", kSupported, ReadCacheSalt},
    {"priority", kSupported, ReadPriority},
    {"request_id", kSupported, [](Field f, Request r) { r.request_id = f.String().value_or(""); }},
    {"kv_transfer_params", kUnsupported},
    {"ec_transfer_params", kUnsupported},
};

constexpr Parameter kSampling[] = {
    {"temperature", kSupported, ReadSamplingNumber<&S::temperature>},
    {"top_p", kSupported, ReadSamplingNumber<&S::top_p>},
    {"top_k", kSupported, ReadSamplingInt<&S::top_k>},
    {"min_p", kSupported, ReadSamplingNumber<&S::min_p>},
    {"repetition_penalty", kSupported, ReadSamplingNumber<&S::repetition_penalty>},
    {"presence_penalty", kSupported, ReadSamplingNumber<&S::presence_penalty>},
    {"frequency_penalty", kSupported, ReadSamplingNumber<&S::frequency_penalty>},
    {"seed", kSupported,
     [](Field f, Request r) { r.sampling.seed = f.IntInRange(INT64_MIN, INT64_MAX); }},
    {"n", kSupported, [](Field f, Request r) { r.n = f.Int().value_or(1); }},

    // Length and stops.
    {"max_tokens", kSupported, ReadMaxTokens},
    {"min_tokens", kSupported, ReadSamplingInt<&S::min_tokens>},
    {"stop", kSupported, ReadStop},
    {"stop_token_ids", kSupported,
     [](Field f, Request r) {
       if (auto ids = f.IntList()) r.sampling.stop_token_ids = *std::move(ids);
     }},
    {"repetition_detection", kSupported, ReadRepetition},
    {"ignore_eos", kSupported,
     [](Field f, Request r) { r.sampling.ignore_eos = f.Bool().value_or(false); }},
    {"thinking_token_budget", kSupported, ReadThinkingBudget},
    {"structured_outputs", kSupported, ReadStructuredOutputs},

    // The text.
    {"include_stop_str_in_output", kSupported, ReadOutputFlag<&O::include_stop_str_in_output>},
    {"skip_special_tokens", kSupported, ReadOutputFlag<&O::skip_special_tokens>},
    {"spaces_between_special_tokens", kSupported,
     ReadOutputFlag<&O::spaces_between_special_tokens>},

    {"stream_interval", kHint, [](Field f, Request) { (void)f.IntInRange(1, INT64_MAX); }},
    {"routed_experts_prompt_start", kHint},
};

constexpr Parameter kShared[] = {
    {"use_beam_search", kSupported,
     [](Field f, Request r) { r.sampling.use_beam_search = f.Bool().value_or(false); }},
    {"length_penalty", kSupported, ReadSamplingNumber<&S::length_penalty>},
    {"n_predict", kSupported, ReadPredict},

    // The answer's shape.
    {"return_tokens_as_token_ids", kSupported, ReadOutputFlag<&O::return_tokens_as_token_ids>},
    {"return_token_offsets", kSupported, ReadOutputFlag<&O::return_token_offsets>},
    {"echo", kSupported, [](Field f, Request r) { r.echo = f.Bool().value_or(false); }},

    // The prompt.
    {"add_special_tokens", kSupported, [](Field f, Request r) { r.add_special_tokens = f.Bool(); }},
    {"truncate_prompt_tokens", kSupported,
     [](Field f, Request r) { r.truncate_prompt_tokens = f.IntInRange(-1, INT64_MAX); }},
    {"truncation_side", kSupported, ReadTruncationSide},

    // OpenAI: nothing in them changes the text.
    {"user", kHint, [](Field f, Request) { (void)f.String(); }},
    {"metadata", kHint},
    {"moderation", kHint},
    {"prediction", kHint},
    {"prompt_cache_key", kHint},
    {"prompt_cache_retention", kHint},
    {"safety_identifier", kHint},
    {"service_tier", kHint},
    {"store", kHint},
    {"verbosity", kHint},
    {"best_of", kHint},

    // vLLM's hints.
    {"session_id", kHint, [](Field f, Request) { (void)f.String(); }},
    {"vllm_xargs", kHint},
    {"early_stopping", kHint},

    // llama.cpp's hints.
    {"cache_prompt", kHint},
    {"id_slot", kHint},
    {"n_cache_reuse", kHint},
    {"n_discard", kHint},
    {"n_keep", kHint},
    {"response_fields", kHint},
    {"return_progress", kHint},
    {"return_tokens", kHint},
    {"sse_ping_interval", kHint},
    {"timings_per_token", kHint},

    // Constraints, and what else would change the tokens.
    {"response_format", kSupported, ReadResponseFormat},
    {"guided_json", kSupported, ReadTopLevelForm},
    {"guided_regex", kSupported, ReadTopLevelForm},
    {"guided_choice", kSupported, ReadTopLevelForm},
    {"guided_grammar", kSupported, ReadTopLevelForm},
    {"guided_json_object", kSupported, ReadTopLevelForm},
    {"guided_decoding_backend", kHint},
    {"guided_whitespace_pattern", kSupported, ReadGuidedWhitespace},
    {"logits_processors", kUnsupported},
    {"prompt_embeds", kUnsupported},

    // llama.cpp's; its samplers have a table of their own.
    {"adaptive_target", kUnsupported, nullptr, IsMinusOne},
    {"adaptive_decay", kHint},
    {"grammar", kSupported, ReadTopLevelForm},
    {"grammar_lazy", kHint},
    {"grammar_triggers", kHint},
    {"json_schema", kSupported, ReadTopLevelForm},
    {"lora", kUnsupported},
    {"n_indent", kUnsupported},
    {"t_max_predict_ms", kUnsupported},
};

}  // namespace

absl::Span<const Parameter> EnvelopeParameters() { return kEnvelope; }

absl::Span<const Parameter> SamplingParameters() { return kSampling; }

absl::Span<const Parameter> SharedParameters() { return kShared; }

}  // namespace baton::frontend
