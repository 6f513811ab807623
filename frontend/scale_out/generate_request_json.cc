#include "frontend/scale_out/generate_request_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {
namespace {

// What a float is read as; as short as it can be. There is no infinity: beyond the largest float
// stands for it.
std::string Shortest(float value) {
  if (std::isinf(value)) return value > 0 ? "1e39" : "-1e39";
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void AppendFloat(JsonWriter& json, std::string_view key, float value) {
  json.Key(key).Raw(Shortest(value));
}

template <typename Ids>
void AppendIds(JsonWriter& json, std::string_view key, const Ids& ids) {
  json.Key(key).BeginArray();
  for (const auto id : ids) json.Int(id);
  json.EndArray();
}

template <typename Texts>
void AppendTexts(JsonWriter& json, std::string_view key, const Texts& texts) {
  json.Key(key).BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

// A count where all is -1.
void AppendWindow(JsonWriter& json, std::string_view key, uint32_t window) {
  json.Key(key).Int(window == std::numeric_limits<uint32_t>::max() ? -1 : int64_t{window});
}

void AppendDistribution(JsonWriter& json, const GenerationSpec& spec) {
  const v1::SamplingParams& sampling = spec.sampling;
  if (spec.n > 1) json.Key("n").Int(spec.n);
  AppendFloat(json, "presence_penalty", sampling.presence_penalty());
  AppendFloat(json, "frequency_penalty", sampling.frequency_penalty());
  AppendFloat(json, "repetition_penalty", sampling.repetition_penalty());
  AppendFloat(json, "temperature", sampling.temperature());
  const bool draws = sampling.temperature() > 0;
  if (draws || sampling.top_p() != 1) AppendFloat(json, "top_p", sampling.top_p());
  if (sampling.top_k() > 0) json.Key("top_k").Int(sampling.top_k());
  if (draws || sampling.min_p() > 0) AppendFloat(json, "min_p", sampling.min_p());
  if (sampling.has_seed()) json.Key("seed").Int(static_cast<int64_t>(sampling.seed()));
}

void AppendEnds(JsonWriter& json, const GenerationSpec& spec) {
  const v1::SamplingParams& sampling = spec.sampling;
  AppendTexts(json, "stop", spec.stop_strings);
  AppendIds(json, "stop_token_ids", sampling.stop_token_ids());
  if (!spec.quiet_stop_ids.empty()) AppendIds(json, "quiet_stop_token_ids", spec.quiet_stop_ids);
  if (sampling.ignore_eos()) json.Key("ignore_eos").Bool(true);
  json.Key("max_tokens").Int(sampling.max_tokens());
  if (sampling.min_tokens() > 0) json.Key("min_tokens").Int(sampling.min_tokens());
  if (sampling.has_thinking_budget()) {
    json.Key("thinking_token_budget").Int(sampling.thinking_budget().tokens());
  }
  const RepetitionLimit& repetition = spec.repetition;
  if (repetition.pattern_max == 0) return;
  json.Key("repetition_detection").BeginObject();
  json.Key("max_pattern_size").Int(repetition.pattern_max);
  json.Key("min_pattern_size").Int(repetition.pattern_min);
  json.Key("min_count").Int(repetition.count_min);
  json.EndObject();
}

void AppendLogprobCounts(JsonWriter& json, const v1::SamplingParams& sampling) {
  const int named = sampling.logprob_token_ids_size();
  if (sampling.has_logprobs()) {
    json.Key("logprobs").Int(named > 0 ? int64_t{named} : int64_t{sampling.logprobs()});
  }
  if (sampling.has_prompt_logprobs()) json.Key("prompt_logprobs").Int(sampling.prompt_logprobs());
  if (named > 0) AppendIds(json, "logprob_token_ids", sampling.logprob_token_ids());
  if (sampling.post_sampling_probs()) json.Key("post_sampling_probs").Bool(true);
}

// As OpenAI has it where that holds all; in llama.cpp's pairs what is beyond its bounds.
void AppendBiases(JsonWriter& json, const v1::SamplingParams& sampling) {
  if (sampling.logit_bias().empty()) return;
  std::vector<std::pair<uint32_t, float>> biases(sampling.logit_bias().begin(),
                                                 sampling.logit_bias().end());
  std::ranges::sort(biases);
  constexpr float kBiasMax = 100;
  const bool bounded = std::ranges::all_of(
      biases, [](const auto& bias) { return std::abs(bias.second) <= kBiasMax; });
  json.Key("logit_bias");
  if (bounded) {
    json.BeginObject();
    for (const auto& [id, bias] : biases) AppendFloat(json, absl::StrCat(id), bias);
    json.EndObject();
    return;
  }
  json.BeginArray();
  for (const auto& [id, bias] : biases) {
    json.BeginArray().Int(id);
    if (std::isinf(bias) && bias < 0) {
      json.Bool(false);
    } else {
      json.Raw(Shortest(bias));
    }
    json.EndArray();
  }
  json.EndArray();
}

void AppendDry(JsonWriter& json, const v1::DrySampling& dry) {
  AppendFloat(json, "dry_multiplier", dry.multiplier());
  AppendFloat(json, "dry_base", dry.base());
  AppendWindow(json, "dry_allowed_length", dry.allowed_length());
  AppendWindow(json, "dry_penalty_last_n", dry.penalty_last_n());
  AppendTexts(json, "dry_sequence_breakers", dry.sequence_breakers());
}

void AppendLlamaSamplers(JsonWriter& json, const v1::SamplingParams& sampling) {
  if (sampling.has_penalty_last_n()) {
    AppendWindow(json, "repeat_last_n", sampling.penalty_last_n());
  }
  if (sampling.has_typical_p()) AppendFloat(json, "typical_p", sampling.typical_p());
  if (sampling.dynatemp_range() != 0) {
    AppendFloat(json, "dynatemp_range", sampling.dynatemp_range());
  }
  if (sampling.has_dynatemp_exponent()) {
    AppendFloat(json, "dynatemp_exponent", sampling.dynatemp_exponent());
  }
  if (sampling.has_top_n_sigma()) AppendFloat(json, "top_n_sigma", sampling.top_n_sigma());
  if (sampling.xtc_probability() != 0) {
    AppendFloat(json, "xtc_probability", sampling.xtc_probability());
  }
  if (sampling.has_xtc_threshold()) AppendFloat(json, "xtc_threshold", sampling.xtc_threshold());
  if (sampling.min_keep() > 0) json.Key("min_keep").Int(sampling.min_keep());
  if (sampling.has_dry()) AppendDry(json, sampling.dry());
  if (sampling.has_mirostat()) {
    json.Key("mirostat").Int(sampling.mirostat().version());
    if (sampling.mirostat().has_tau()) AppendFloat(json, "mirostat_tau", sampling.mirostat().tau());
    if (sampling.mirostat().has_eta()) AppendFloat(json, "mirostat_eta", sampling.mirostat().eta());
  }
  if (sampling.samplers_size() > 0) AppendTexts(json, "samplers", sampling.samplers());
}

void AppendText(JsonWriter& json, const GenerationRequest& request, const GenerationSpec& spec) {
  if (!spec.skip_special_tokens) json.Key("skip_special_tokens").Bool(false);
  if (!request.output.spaces_between_special_tokens) {
    json.Key("spaces_between_special_tokens").Bool(false);
  }
  if (spec.stop_text == StopText::kInclude) json.Key("include_stop_str_in_output").Bool(true);
  if (!spec.kept_special_tokens.empty()) {
    AppendIds(json, "kept_special_token_ids", spec.kept_special_tokens);
  }
}

// A document goes as the text that it was compiled from.
void AppendForm(JsonWriter& json, std::string_view key, const ConstraintSpec& spec,
                ConstraintSpec::Kind kind) {
  json.Key(key);
  if (spec.kind == kind) {
    json.String(spec.text);
  } else {
    json.Null();
  }
}

void AppendConstraint(JsonWriter& json, const ConstraintSpec& spec, bool begins_inside) {
  using Kind = ConstraintSpec::Kind;
  json.Key("structured_outputs").BeginObject();
  AppendForm(json, "json", spec, Kind::kJsonSchema);
  AppendForm(json, "regex", spec, Kind::kRegex);
  if (spec.kind == Kind::kChoice) {
    AppendTexts(json, "choice", spec.choices);
  } else {
    json.Key("choice").Null();
  }
  AppendForm(json, "grammar", spec, Kind::kGrammar);
  json.Key("json_object");
  if (spec.kind == Kind::kJsonObject) {
    json.Bool(true);
  } else {
    json.Null();
  }
  json.Key("disable_any_whitespace").Bool(spec.layout.compact);
  json.Key("disable_additional_properties").Bool(spec.layout.closed_objects);
  json.Key("whitespace_pattern");
  if (spec.layout.whitespace_pattern.has_value()) {
    json.String(*spec.layout.whitespace_pattern);
  } else {
    json.Null();
  }
  AppendForm(json, "structural_tag", spec, Kind::kStructuralTag);
  // Said even of no marker where the reader would look for one himself.
  if (!spec.start_after.empty() || begins_inside) {
    json.Key("start_after_token_ids").BeginArray();
    for (const std::vector<TokenId>& marker : spec.start_after) {
      json.BeginArray();
      for (const TokenId id : marker) json.Int(id);
      json.EndArray();
    }
    json.EndArray();
  }
  if (!spec.start_after_text.empty()) json.Key("start_after_text").String(spec.start_after_text);
  json.EndObject();
}

// Whether reasoning is over where the output begins; nothing if only the output can tell.
std::optional<bool> ReasoningEnded(const PlannedGeneration& planned, const GenerationSpec& spec) {
  if (spec.sampling.has_thinking_budget()) {
    return !spec.sampling.thinking_budget().has_spent_in_prompt();
  }
  const ChatReply* const reply = planned.plan.reply.get();
  if (reply == nullptr || reply->parse.reasoning == nullptr) return std::nullopt;
  if (reply->parse.reasoning_start == ReasoningStart::kByText) return std::nullopt;
  return reply->parse.reasoning_start == ReasoningStart::kOutside;
}

void AppendSampling(JsonWriter& json, const PlannedGeneration& planned, const GenerationSpec& spec,
                    std::optional<bool> reasoning_ended) {
  const v1::SamplingParams& sampling = spec.sampling;
  json.Key("sampling_params").BeginObject();
  AppendDistribution(json, spec);
  AppendEnds(json, spec);
  AppendLogprobCounts(json, sampling);
  AppendText(json, planned.request, spec);
  // How vLLM's engine would hand the output over: in pieces, or at the end.
  json.Key("output_kind").Int(planned.plan.stream ? 1 : 2);
  json.Key("skip_clone").Bool(true);
  if (planned.request.constraint.has_value()) {
    AppendConstraint(json, *planned.request.constraint, reasoning_ended == false);
  }
  AppendBiases(json, sampling);
  if (sampling.allowed_token_ids_size() > 0) {
    AppendIds(json, "allowed_token_ids", sampling.allowed_token_ids());
  }
  AppendTexts(json, "bad_words", planned.request.samplers.bad_words);
  json.Key("skip_reading_prefix_cache").Bool(sampling.has_prompt_logprobs());
  AppendLlamaSamplers(json, sampling);
  json.EndObject();
}

void AppendOffsets(JsonWriter& json, const AnswerPlan::Prompt& prompt) {
  json.Key("token_offsets");
  if (!prompt.offsets.has_value()) {
    json.Null();
    return;
  }
  json.BeginArray();
  for (const TextSpan& span : *prompt.offsets) {
    json.BeginArray().Int(static_cast<int64_t>(span.begin)).Int(static_cast<int64_t>(span.end));
    json.EndArray();
  }
  json.EndArray();
}

void AppendStream(JsonWriter& json, const OutputOptions& output) {
  json.Key("stream").Bool(output.stream);
  json.Key("stream_options");
  if (!output.stream || !output.has_stream_options) {
    json.Null();
    return;
  }
  json.BeginObject();
  json.Key("include_usage").Bool(output.include_usage);
  json.Key("continuous_usage_stats").Bool(output.continuous_usage_stats);
  json.EndObject();
}

}  // namespace

void AppendGenerateRequest(const PlannedGeneration& planned, size_t prompt, std::string* out) {
  const AnswerPlan& plan = planned.plan;
  const GenerationSpec& spec = planned.specs[prompt];
  const std::optional<bool> reasoning_ended = ReasoningEnded(planned, spec);
  JsonWriter json(out);
  json.BeginObject();
  const bool is_one = planned.specs.size() == 1;
  json.Key("request_id").String(is_one ? plan.id : absl::StrCat(plan.id, "-", prompt));
  AppendIds(json, "token_ids", spec.prompt);
  AppendOffsets(json, plan.prompts[prompt]);
  json.Key("features").Null();
  json.Key("content_parts").Null();
  AppendSampling(json, planned, spec, reasoning_ended);
  json.Key("model").String(plan.model);
  json.Key("reasoning_ended");
  if (reasoning_ended.has_value()) {
    json.Bool(*reasoning_ended);
  } else {
    json.Null();
  }
  json.Key("reasoning_parser_kwargs").Null();
  json.Key("return_token_ids").Null();
  json.Key("output_mode").String("tokens");
  AppendStream(json, planned.request.output);
  json.Key("cache_salt");
  if (spec.cache_salt.empty()) {
    json.Null();
  } else {
    json.String(spec.cache_salt);
  }
  json.Key("priority").Int(spec.priority);
  json.Key("kv_transfer_params").Null();
  json.Key("ec_transfer_params").Null();
  json.EndObject();
}

}  // namespace baton::frontend
