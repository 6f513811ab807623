#include "worker/service/sampling_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/sampling/sampler_order.h"
#include "worker/service/dry_breaker_cache.h"
#include "worker/service/field_checks.h"

namespace baton::worker {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();

// A length where anything beyond a sequence's means "all".
int32_t Saturated(uint32_t length) {
  constexpr auto kMax = std::numeric_limits<int32_t>::max();
  return length > static_cast<uint32_t>(kMax) ? kMax : static_cast<int32_t>(length);
}

}  // namespace

absl::StatusOr<SamplingParams> SamplingReader::Read(const v1::SamplingParams& message) const {
  SamplingParams params;
  params.seed = message.has_seed() ? message.seed() : model_.seeds->Next();
  RETURN_IF_ERROR(ReadLimits(message, params));
  RETURN_IF_ERROR(ReadPenalties(message, params));
  RETURN_IF_ERROR(ReadTruncations(message, params));
  RETURN_IF_ERROR(ReadDry(message.dry(), params.dry));
  RETURN_IF_ERROR(ReadMirostat(message.mirostat(), params.mirostat));
  if (message.has_thinking_budget()) {
    RETURN_IF_ERROR(ReadThinking(message.thinking_budget(), params));
  }
  RETURN_IF_ERROR(ReadLogprobs(message, params));
  RETURN_IF_ERROR(ReadTokenLists(message, params));
  RETURN_IF_ERROR(ReadBiases(message, params));
  return params;
}

absl::Status SamplingReader::CheckToken(uint32_t token, std::string_view field) const {
  if (token < static_cast<uint32_t>(model_.vocab_size)) return absl::OkStatus();
  return BadField(
      field, absl::StrCat("is ", token, "; the vocabulary has ", model_.vocab_size, " tokens"));
}

absl::Status SamplingReader::ReadLimits(const v1::SamplingParams& message,
                                        SamplingParams& params) const {
  RETURN_IF_ERROR(CheckCount("sampling.max_tokens", message.max_tokens()));
  RETURN_IF_ERROR(CheckCount("sampling.min_tokens", message.min_tokens()));
  if (message.max_tokens() > 0 && message.min_tokens() > message.max_tokens()) {
    return BadField(
        "sampling.min_tokens",
        absl::StrCat("is ", message.min_tokens(), ", above max_tokens=", message.max_tokens()));
  }
  params.max_tokens = static_cast<int32_t>(message.max_tokens());
  params.min_tokens = static_cast<int32_t>(message.min_tokens());
  params.ignore_eos = message.ignore_eos();
  return absl::OkStatus();
}

absl::Status SamplingReader::ReadPenalties(const v1::SamplingParams& message,
                                           SamplingParams& params) const {
  params.repetition_penalty =
      message.has_repetition_penalty() ? message.repetition_penalty() : 1.0f;
  params.presence_penalty = message.presence_penalty();
  params.frequency_penalty = message.frequency_penalty();
  RETURN_IF_ERROR(
      CheckRange("sampling.repetition_penalty", params.repetition_penalty, 1e-3f, 1e3f));
  RETURN_IF_ERROR(CheckRange("sampling.presence_penalty", params.presence_penalty, -1e3f, 1e3f));
  RETURN_IF_ERROR(CheckRange("sampling.frequency_penalty", params.frequency_penalty, -1e3f, 1e3f));
  if (message.has_penalty_last_n()) params.penalty_last_n = Saturated(message.penalty_last_n());
  return absl::OkStatus();
}

absl::Status SamplingReader::ReadTruncations(const v1::SamplingParams& message,
                                             SamplingParams& params) const {
  params.temperature = message.has_temperature() ? message.temperature() : 1.0f;
  params.dynatemp_range = message.dynatemp_range();
  params.dynatemp_exponent = message.has_dynatemp_exponent() ? message.dynatemp_exponent() : 1.0f;
  params.top_p = message.has_top_p() ? message.top_p() : 1.0f;
  params.min_p = message.min_p();
  params.typical_p = message.has_typical_p() ? message.typical_p() : 1.0f;
  params.top_n_sigma = std::max(0.0f, message.top_n_sigma());
  params.xtc_probability = message.xtc_probability();
  params.xtc_threshold = message.has_xtc_threshold() ? message.xtc_threshold() : 0.1f;
  RETURN_IF_ERROR(CheckRange("sampling.temperature", params.temperature, 0.0f, 100.0f));
  RETURN_IF_ERROR(CheckRange("sampling.dynatemp_range", params.dynatemp_range, 0.0f, 100.0f));
  RETURN_IF_ERROR(CheckRange("sampling.dynatemp_exponent", params.dynatemp_exponent, 0.0f, 100.0f));
  RETURN_IF_ERROR(CheckRange("sampling.top_p", params.top_p, 0.0f, 1.0f));
  if (params.top_p == 0.0f) return BadField("sampling.top_p", "is 0; it must be above 0");
  RETURN_IF_ERROR(CheckRange("sampling.min_p", params.min_p, 0.0f, 1.0f));
  RETURN_IF_ERROR(CheckRange("sampling.typical_p", params.typical_p, 0.0f, 1.0f));
  if (params.typical_p == 0.0f) return BadField("sampling.typical_p", "is 0; it must be above 0");
  RETURN_IF_ERROR(CheckRange("sampling.top_n_sigma", message.top_n_sigma(), -kLargest, kLargest));
  RETURN_IF_ERROR(CheckRange("sampling.xtc_probability", params.xtc_probability, 0.0f, 1.0f));
  RETURN_IF_ERROR(CheckRange("sampling.xtc_threshold", params.xtc_threshold, 0.0f, 1.0f));
  RETURN_IF_ERROR(CheckCount("sampling.top_k", message.top_k()));
  RETURN_IF_ERROR(CheckCount("sampling.min_keep", message.min_keep()));
  params.top_k = static_cast<int32_t>(message.top_k());
  params.min_keep = std::max(1, static_cast<int32_t>(message.min_keep()));
  const std::vector<std::string> names(message.samplers().begin(), message.samplers().end());
  auto order = ParseSamplerOrder(names);
  if (!order.ok()) return BadField("sampling.samplers", ToStd(order.status().message()));
  params.order = *std::move(order);
  const bool infill = std::find(names.begin(), names.end(), "infill") != names.end();
  if (infill && model_.tokenizer == nullptr) {
    return BadField("sampling.samplers", "names infill, which needs a tokenizer; there is none");
  }
  return absl::OkStatus();
}

absl::Status SamplingReader::ReadDry(const v1::DrySampling& message, DryParams& params) const {
  params.multiplier = message.multiplier();
  if (message.has_base()) params.base = message.base();
  RETURN_IF_ERROR(CheckRange("sampling.dry.multiplier", params.multiplier, 0.0f, 1e3f));
  RETURN_IF_ERROR(CheckRange("sampling.dry.base", params.base, 1.0f, 1e3f));
  RETURN_IF_ERROR(CheckCount("sampling.dry.sequence_breakers",
                             static_cast<uint64_t>(message.sequence_breakers_size()),
                             DryBreakerCache::kStringsMax));
  if (message.sequence_breakers_size() > 0 && model_.tokenizer == nullptr) {
    return BadField("sampling.dry.sequence_breakers", "needs a tokenizer, and there is none");
  }
  if (message.has_allowed_length()) params.allowed_length = Saturated(message.allowed_length());
  if (message.has_penalty_last_n()) params.last_n = Saturated(message.penalty_last_n());
  return absl::OkStatus();
}

absl::Status SamplingReader::ReadMirostat(const v1::MirostatSampling& message,
                                          MirostatParams& params) const {
  RETURN_IF_ERROR(CheckCount("sampling.mirostat.version", message.version(), 2));
  params.version = static_cast<int32_t>(message.version());
  if (message.has_tau()) params.tau = message.tau();
  if (message.has_eta()) params.eta = message.eta();
  RETURN_IF_ERROR(CheckRange("sampling.mirostat.tau", params.tau, 0.0f, 1e3f));
  return CheckRange("sampling.mirostat.eta", params.eta, 0.0f, 1e3f);
}

absl::Status SamplingReader::ReadLogprobs(const v1::SamplingParams& message,
                                          SamplingParams& params) const {
  params.post_sampling_probs = message.post_sampling_probs();
  const auto count_max = static_cast<uint32_t>(model_.logprobs_max);
  if (message.has_logprobs()) {
    RETURN_IF_ERROR(CheckCount("sampling.logprobs", message.logprobs(), count_max));
    params.logprobs = static_cast<int32_t>(message.logprobs());
  }
  if (message.has_prompt_logprobs()) {
    RETURN_IF_ERROR(CheckCount("sampling.prompt_logprobs", message.prompt_logprobs(), count_max));
    params.prompt_logprobs = static_cast<int32_t>(message.prompt_logprobs());
  }
  const auto& ids = message.logprob_token_ids();
  if (ids.empty()) return absl::OkStatus();
  if (!message.has_logprobs()) return BadField("sampling.logprob_token_ids", "needs logprobs");
  RETURN_IF_ERROR(
      CheckCount("sampling.logprob_token_ids", static_cast<uint64_t>(ids.size()), count_max));
  for (uint32_t token : ids) RETURN_IF_ERROR(CheckToken(token, "sampling.logprob_token_ids"));
  params.logprob_token_ids.assign(ids.begin(), ids.end());
  return absl::OkStatus();
}

absl::Status SamplingReader::ReadTokenLists(const v1::SamplingParams& message,
                                            SamplingParams& params) const {
  const auto vocab = static_cast<size_t>(model_.vocab_size);
  if (static_cast<size_t>(message.stop_token_ids().size()) > kListLengthMax) {
    return BadField("sampling.stop_token_ids", "has too many entries");
  }
  for (uint32_t token : message.stop_token_ids()) {
    RETURN_IF_ERROR(CheckToken(token, "sampling.stop_token_ids"));
    params.stop_token_ids.push_back(token);
  }
  if (static_cast<size_t>(message.allowed_token_ids().size()) > vocab) {
    return BadField("sampling.allowed_token_ids", "has too many entries");
  }
  for (uint32_t token : message.allowed_token_ids()) {
    RETURN_IF_ERROR(CheckToken(token, "sampling.allowed_token_ids"));
    params.allowed_token_ids.push_back(token);
  }
  std::sort(params.allowed_token_ids.begin(), params.allowed_token_ids.end());
  ASSIGN_OR_RETURN(params.bad_words, ReadSequences(message.bad_words(), "sampling.bad_words"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::vector<TokenId>>> SamplingReader::ReadSequences(
    const google::protobuf::RepeatedPtrField<v1::TokenIds>& messages,
    std::string_view field) const {
  std::vector<std::vector<TokenId>> sequences;
  if (static_cast<size_t>(messages.size()) > kListLengthMax) {
    return BadField(field, "has too many entries");
  }
  for (const v1::TokenIds& sequence : messages) {
    if (sequence.ids().empty()) return BadField(field, "has an empty entry");
    if (static_cast<size_t>(sequence.ids().size()) > kSequenceLengthMax) {
      return BadField(field, "has an entry of too many tokens");
    }
    for (uint32_t token : sequence.ids()) RETURN_IF_ERROR(CheckToken(token, field));
    sequences.emplace_back(sequence.ids().begin(), sequence.ids().end());
  }
  return sequences;
}

absl::Status SamplingReader::ReadThinking(const v1::ThinkingBudget& message,
                                          SamplingParams& params) const {
  RETURN_IF_ERROR(CheckCount("sampling.thinking_budget.tokens", message.tokens()));
  RETURN_IF_ERROR(
      CheckCount("sampling.thinking_budget.spent_in_prompt", message.spent_in_prompt()));
  constexpr size_t kMarksMax = 16;  // each draw compares them
  const auto marks = static_cast<size_t>(message.openers_size() + message.closers_size());
  if (marks > kMarksMax) return BadField("sampling.thinking_budget", "has too many markers");
  ThinkingBudget& thinking = params.thinking.emplace();
  thinking.tokens = static_cast<int32_t>(message.tokens());
  ASSIGN_OR_RETURN(thinking.openers,
                   ReadSequences(message.openers(), "sampling.thinking_budget.openers"));
  ASSIGN_OR_RETURN(thinking.closers,
                   ReadSequences(message.closers(), "sampling.thinking_budget.closers"));
  google::protobuf::RepeatedPtrField<v1::TokenIds> end;
  *end.Add() = message.forced_end();
  ASSIGN_OR_RETURN(auto ends, ReadSequences(end, "sampling.thinking_budget.forced_end"));
  thinking.forced_end = std::move(ends.front());
  if (message.has_spent_in_prompt()) {
    thinking.spent_in_prompt = static_cast<int32_t>(message.spent_in_prompt());
  }
  return absl::OkStatus();
}

absl::Status SamplingReader::ReadBiases(const v1::SamplingParams& message,
                                        SamplingParams& params) const {
  if (message.logit_bias().size() > static_cast<size_t>(model_.vocab_size)) {
    return BadField("sampling.logit_bias", "has too many entries");
  }
  for (const auto& [token, bias] : message.logit_bias()) {
    RETURN_IF_ERROR(CheckToken(token, "sampling.logit_bias"));
    if (bias != -std::numeric_limits<float>::infinity()) {
      RETURN_IF_ERROR(CheckRange("sampling.logit_bias", bias, -kLargest, kLargest));
    }
    params.logit_bias.emplace_back(token, bias);
  }
  std::sort(params.logit_bias.begin(), params.logit_bias.end());
  return absl::OkStatus();
}

}  // namespace baton::worker
