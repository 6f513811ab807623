#include "frontend/request/sampler_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/request_rules.h"

namespace baton::frontend {
namespace {

constexpr int64_t kBadWordsMax = 128;
constexpr int64_t kTokenListMax = 128;

struct SamplerName {
  std::string_view name;
  char letter;
  std::vector<std::string_view> spellings;  // small letters, without - and _
  bool in_default_order = true;
};

// Of the workers' samplers those that llama.cpp has, in its default order.
const std::vector<SamplerName>& SamplerNames() {
  static const auto& names =
      *new std::vector<SamplerName>{{"penalties", 'e', {"penalties"}},
                                    {"dry", 'd', {"dry"}},
                                    {"top_n_sigma", 's', {"topnsigma"}},
                                    {"top_k", 'k', {"topk"}},
                                    {"typ_p", 'y', {"typp", "typ", "typicalp"}},
                                    {"top_p", 'p', {"topp", "nucleus"}},
                                    {"min_p", 'm', {"minp"}},
                                    {"xtc", 'x', {"xtc"}},
                                    {"temperature", 't', {"temperature", "temp"}},
                                    {"infill", 'i', {"infill"}, /*in_default_order=*/false}};
  return names;
}

std::string Spelling(std::string_view name) {
  std::string spelling;
  for (const char letter : name) {
    if (letter != '-' && letter != '_') spelling += absl::ascii_tolower(letter);
  }
  return spelling;
}

absl::Status Bad(std::string_view field, std::string_view message, std::string_view value) {
  return ParameterError(absl::StrCat(ToAbsl(field), " ", ToAbsl(message)), field, value);
}

// A length where -1 means all.
uint32_t WindowOf(int64_t length) {
  if (length < 0) return std::numeric_limits<uint32_t>::max();
  return static_cast<uint32_t>(std::min<int64_t>(length, std::numeric_limits<uint32_t>::max()));
}

absl::Status CheckLength(std::string_view field, const std::optional<int64_t>& value, int64_t min) {
  if (!value.has_value() || (*value >= min && *value <= std::numeric_limits<int32_t>::max())) {
    return absl::OkStatus();
  }
  return Bad(field, absl::StrCat("must be at least ", min, ", got ", *value, "."),
             absl::StrCat(*value));
}

absl::Status CheckIds(std::string_view field, const std::vector<int64_t>& ids,
                      uint32_t vocab_size) {
  for (const int64_t id : ids) {
    if (id >= 0 && id < int64_t{vocab_size}) continue;
    return Bad(field,
               absl::StrCat("contains out-of-vocab token id ", id, "; the vocabulary has ",
                            vocab_size, "."),
               absl::StrCat(id));
  }
  return absl::OkStatus();
}

absl::Status CheckLogprobLists(const GenerationRequest& request, const ModelLimits& limits) {
  const SamplerOptions& samplers = request.samplers;
  if (const auto& count = samplers.prompt_logprobs) {
    if (*count < 0) {
      return Bad("prompt_logprobs", "must be a non-negative value.", absl::StrCat(*count));
    }
    if (*count > limits.LogprobsMax()) {
      return Bad(
          "prompt_logprobs",
          absl::StrCat("of ", *count, " is greater than max allowed: ", limits.LogprobsMax()),
          absl::StrCat(*count));
    }
    // A stream of tokens shows them as little, but says nothing about it.
    if (*count > 0 && request.output.stream && !request.token_level.has_value()) {
      return Bad("prompt_logprobs", "are not available when `stream=True`.", "");
    }
  }
  const std::vector<int64_t>& ids = samplers.logprob_token_ids;
  if (!ids.empty() && request.echo && request.sampling.max_tokens == 0) {
    return Bad("logprob_token_ids",
               "are not available when `echo=True` and `max_tokens=0`: no output token is shown.",
               "");
  }
  if (static_cast<int64_t>(ids.size()) > kTokenListMax) {
    return Bad("logprob_token_ids", absl::StrCat("must have at most ", kTokenListMax, " entries."),
               "");
  }
  return CheckIds("logprob_token_ids", ids, limits.vocab_size);
}

void SetNumber(const std::optional<double>& value, auto set) {
  if (value.has_value()) set(static_cast<float>(*value));
}

void AddDry(const SamplerOptions& samplers, v1::SamplingParams& sampling) {
  if (samplers.dry_multiplier.value_or(0) == 0) return;
  v1::DrySampling& dry = *sampling.mutable_dry();
  dry.set_multiplier(static_cast<float>(*samplers.dry_multiplier));
  // Below 1 a longer repetition would be penalised less: llama.cpp takes its default then.
  const double base = samplers.dry_base.value_or(1.75);
  dry.set_base(base < 1 ? 1.75f : static_cast<float>(base));
  dry.set_allowed_length(WindowOf(samplers.dry_allowed_length.value_or(2)));
  dry.set_penalty_last_n(WindowOf(samplers.dry_penalty_last_n.value_or(64)));
  static const std::vector<std::string>& default_breakers =
      *new std::vector<std::string>{"\n", ":", "\"", "*"};
  for (const std::string& breaker : samplers.dry_sequence_breakers.value_or(default_breakers)) {
    dry.add_sequence_breakers(breaker);
  }
}

void AddTruncations(const SamplerOptions& samplers, v1::SamplingParams& sampling) {
  SetNumber(samplers.typical_p, [&](float v) { sampling.set_typical_p(v); });
  SetNumber(samplers.dynatemp_range, [&](float v) { sampling.set_dynatemp_range(v); });
  SetNumber(samplers.dynatemp_exponent, [&](float v) { sampling.set_dynatemp_exponent(v); });
  SetNumber(samplers.top_n_sigma, [&](float v) { sampling.set_top_n_sigma(v); });
  SetNumber(samplers.xtc_probability, [&](float v) { sampling.set_xtc_probability(v); });
  SetNumber(samplers.xtc_threshold, [&](float v) { sampling.set_xtc_threshold(v); });
  if (samplers.min_keep.has_value()) sampling.set_min_keep(WindowOf(*samplers.min_keep));
  if (samplers.mirostat.value_or(0) == 0) return;
  v1::MirostatSampling& mirostat = *sampling.mutable_mirostat();
  mirostat.set_version(static_cast<uint32_t>(*samplers.mirostat));
  SetNumber(samplers.mirostat_tau, [&](float v) { mirostat.set_tau(v); });
  SetNumber(samplers.mirostat_eta, [&](float v) { mirostat.set_eta(v); });
}

// llama.cpp's window holds where its names are used; vLLM's penalties look at the whole.
void AddPenalties(const SamplerOptions& samplers, ApiPreset preset, v1::SamplingParams& sampling) {
  SetNumber(samplers.repeat_penalty, [&](float v) { sampling.set_repetition_penalty(v); });
  const bool windowed = samplers.repeat_penalty.has_value() || samplers.repeat_last_n.has_value() ||
                        preset == ApiPreset::kLlamaCpp;
  if (windowed) sampling.set_penalty_last_n(WindowOf(samplers.repeat_last_n.value_or(64)));
}

void AddDefaults(const SamplingOptions& options, v1::SamplingParams& sampling) {
  if (!options.temperature.has_value()) sampling.set_temperature(0.8f);
  if (!options.top_k.has_value()) sampling.set_top_k(40);
  if (!options.top_p.has_value()) sampling.set_top_p(0.95f);
  if (!options.min_p.has_value()) sampling.set_min_p(0.05f);
}

void AddOrder(const SamplerOptions& samplers, ApiPreset preset, v1::SamplingParams& sampling) {
  if (!samplers.order.has_value() && preset == ApiPreset::kOpenAi) return;
  SetSamplerOrder(samplers.order.has_value() ? *samplers.order : LlamaSamplers(), sampling);
}

absl::Status AddTokenLists(const SamplerOptions& samplers, const Tokenizer& tokenizer,
                           v1::SamplingParams& sampling) {
  for (const int64_t id : samplers.allowed_token_ids.value_or(std::vector<int64_t>())) {
    sampling.add_allowed_token_ids(static_cast<uint32_t>(id));
  }
  for (const int64_t id : samplers.logprob_token_ids) {
    sampling.add_logprob_token_ids(static_cast<uint32_t>(id));
  }
  for (const std::string& word : samplers.bad_words) {
    const std::vector<std::vector<TokenId>> forms = BadWordTokens(word, tokenizer);
    if (forms.empty()) return Bad("bad_words", "entries must tokenize to at least one token.", "");
    for (const std::vector<TokenId>& tokens : forms) {
      sampling.add_bad_words()->mutable_ids()->Add(tokens.begin(), tokens.end());
    }
  }
  if (sampling.bad_words_size() > kBadWordsMax) {
    return Bad("bad_words",
               absl::StrCat("are too many after tokenization: ", sampling.bad_words_size(),
                            ". The max number is ", kBadWordsMax, "."),
               "");
  }
  return AddBiases(samplers, tokenizer, sampling);
}

}  // namespace

const std::vector<std::string>& LlamaSamplers() {
  static const std::vector<std::string>& names = *new std::vector<std::string>([] {
    std::vector<std::string> all;
    for (const SamplerName& sampler : SamplerNames()) {
      if (sampler.in_default_order) all.emplace_back(sampler.name);
    }
    return all;
  }());
  return names;
}

std::vector<std::string> SamplersOfNames(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const std::string& name : names) {
    const std::string spelling = Spelling(name);
    for (const SamplerName& sampler : SamplerNames()) {
      if (std::ranges::count(sampler.spellings, spelling) > 0) known.emplace_back(sampler.name);
    }
  }
  return known;
}

std::vector<std::string> SamplersOfLetters(std::string_view letters) {
  std::vector<std::string> known;
  for (const char letter : letters) {
    for (const SamplerName& sampler : SamplerNames()) {
      if (letter == sampler.letter) known.emplace_back(sampler.name);
    }
  }
  return known;
}

void SetSamplerOrder(const std::vector<std::string>& names, v1::SamplingParams& sampling) {
  for (const std::string& name : names) sampling.add_samplers(name);
  if (names.empty()) sampling.add_samplers("temperature");  // none would mean all
  const bool named = std::ranges::count(names, "temperature") > 0;
  if (named || sampling.mirostat().version() != 0) return;
  sampling.set_temperature(1);
  sampling.clear_dynatemp_range();
}

absl::Status CheckSamplers(const GenerationRequest& request, const ModelLimits& limits) {
  const SamplerOptions& samplers = request.samplers;
  RETURN_IF_ERROR(CheckLength("repeat_last_n", samplers.repeat_last_n, -1));
  RETURN_IF_ERROR(CheckLength("dry_penalty_last_n", samplers.dry_penalty_last_n, -1));
  RETURN_IF_ERROR(CheckLength("dry_allowed_length", samplers.dry_allowed_length, 0));
  RETURN_IF_ERROR(CheckLength("min_keep", samplers.min_keep, 0));
  if (samplers.mirostat.has_value() && (*samplers.mirostat < 0 || *samplers.mirostat > 2)) {
    return Bad("mirostat", absl::StrCat("must be 0, 1 or 2, got ", *samplers.mirostat, "."),
               absl::StrCat(*samplers.mirostat));
  }
  if (samplers.allowed_token_ids.has_value()) {
    if (samplers.allowed_token_ids->empty()) {
      return Bad("allowed_token_ids", "is not None and empty!", "[]");
    }
    RETURN_IF_ERROR(CheckIds("allowed_token_ids", *samplers.allowed_token_ids, limits.vocab_size));
  }
  for (const std::string& word : samplers.bad_words) {
    if (word.empty()) return Bad("bad_words", "cannot contain an empty string.", "");
  }
  return CheckLogprobLists(request, limits);
}

std::vector<std::vector<TokenId>> BadWordTokens(std::string_view word, const Tokenizer& tokenizer) {
  constexpr EncodeOptions kPlain = {.add_special_tokens = false};
  const std::string stripped(ToStd(absl::StripLeadingAsciiWhitespace(ToAbsl(word))));
  std::vector<std::vector<TokenId>> result;
  const auto plain = tokenizer.Encode(stripped, kPlain);
  const auto spaced = tokenizer.Encode(" " + stripped, kPlain);
  if (!plain.ok() || plain->empty()) return result;
  result.push_back(*plain);
  if (spaced.ok() && spaced->size() == plain->size() && spaced->front() != plain->front()) {
    result.push_back(*spaced);
  }
  return result;
}

absl::Status AddBiases(const SamplerOptions& samplers, const Tokenizer& tokenizer,
                       v1::SamplingParams& sampling) {
  for (const auto& [token, bias] : samplers.biases) {
    std::vector<TokenId> ids;
    if (const TokenId* id = std::get_if<TokenId>(&token)) {
      ids.push_back(*id);
    } else {
      ASSIGN_OR_RETURN(
          ids, tokenizer.Encode(std::get<std::string>(token), {.add_special_tokens = false}));
    }
    for (const TokenId id : ids) {
      if (id >= tokenizer.vocab_size()) continue;
      float& sum = (*sampling.mutable_logit_bias())[id];
      sum += bias;
      if (std::isnan(sum) || sum == std::numeric_limits<float>::infinity()) {
        return Bad("logit_bias", "must be finite.", "");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status AddSamplers(const GenerationRequest& request, ApiPreset preset,
                         const Tokenizer& tokenizer, v1::SamplingParams& sampling) {
  const SamplerOptions& samplers = request.samplers;
  if (preset == ApiPreset::kLlamaCpp) AddDefaults(request.sampling, sampling);
  AddTruncations(samplers, sampling);
  AddPenalties(samplers, preset, sampling);
  AddDry(samplers, sampling);
  AddOrder(samplers, preset, sampling);
  // An echo shows the prompt with its log-probabilities.
  if (samplers.prompt_logprobs.has_value()) {
    sampling.set_prompt_logprobs(static_cast<uint32_t>(*samplers.prompt_logprobs));
  } else if (request.echo && !request.completion.prompts.empty() && sampling.has_logprobs()) {
    sampling.set_prompt_logprobs(sampling.logprobs());
  }
  sampling.set_post_sampling_probs(samplers.post_sampling_probs && sampling.has_logprobs());
  return AddTokenLists(samplers, tokenizer, sampling);
}

}  // namespace baton::frontend
