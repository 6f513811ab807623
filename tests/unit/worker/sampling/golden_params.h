// The parameters of a golden case as SamplingParams.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "worker/sampling/sampler_order.h"

namespace baton::worker {

inline SamplingParams ParamsOf(const nlohmann::json& params) {
  SamplingParams result;
  const auto number = [&](const char* name, auto& field) {
    if (params.contains(name)) field = params[name].get<std::decay_t<decltype(field)>>();
  };
  number("temperature", result.temperature);
  number("dynatemp_range", result.dynatemp_range);
  number("dynatemp_exponent", result.dynatemp_exponent);
  number("top_k", result.top_k);
  number("top_p", result.top_p);
  number("min_p", result.min_p);
  number("typical_p", result.typical_p);
  number("top_n_sigma", result.top_n_sigma);
  number("xtc_threshold", result.xtc_threshold);
  if (params.contains("xtc_threshold")) result.xtc_probability = 1.0f;
  number("repetition_penalty", result.repetition_penalty);
  number("frequency_penalty", result.frequency_penalty);
  number("presence_penalty", result.presence_penalty);
  if (params.contains("penalty_last_n")) {
    result.penalty_last_n = params["penalty_last_n"].get<int32_t>();
  }
  number("min_keep", result.min_keep);
  result.min_keep = std::max(1, result.min_keep);
  number("dry_multiplier", result.dry.multiplier);
  number("dry_base", result.dry.base);
  number("dry_allowed_length", result.dry.allowed_length);
  number("dry_penalty_last_n", result.dry.last_n);
  number("mirostat", result.mirostat.version);
  number("mirostat_tau", result.mirostat.tau);
  number("mirostat_eta", result.mirostat.eta);
  if (params.contains("bad_words")) {
    result.bad_words = params["bad_words"].get<std::vector<std::vector<TokenId>>>();
  }
  return result;
}

// The samplers that a case names; mirostat is none of the order.
inline std::vector<uint8_t> OrderOf(const nlohmann::json& golden) {
  if (!golden.contains("order") || golden["params"].contains("mirostat")) return {};
  const auto order = ParseSamplerOrder(golden["order"].get<std::vector<std::string>>());
  EXPECT_TRUE(order.ok()) << order.status();
  return order.ok() ? *order : std::vector<uint8_t>();
}

}  // namespace baton::worker
