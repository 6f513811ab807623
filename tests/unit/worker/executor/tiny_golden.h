// What transformers computed for a tiny random model (tests/golden/model/architectures), and how to
// hold a model to it.
#pragma once

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/worker/executor/rank_rig.h"

namespace baton::worker {

struct GoldenPrompt {
  std::vector<TokenId> tokens;
  std::vector<float> logits;  // of the last position
};

struct Golden {
  nlohmann::json config;
  std::vector<std::pair<std::string, std::vector<int64_t>>> tensors;  // names, shapes
  std::vector<GoldenPrompt> prompts;
  std::vector<TokenId> greedy;  // behind the second prompt
};

inline Golden ReadGolden(const std::string& name) {
  std::ifstream file(std::string(BATON_SOURCE_DIR) + "/tests/golden/model/architectures/" + name +
                     ".json");
  const nlohmann::json json = nlohmann::json::parse(file);
  Golden golden;
  golden.config = json["config"];
  for (const auto& [tensor, shape] : json["tensors"].items()) {
    golden.tensors.emplace_back(tensor, shape.get<std::vector<int64_t>>());
  }
  for (const auto& prompt : json["prompts"]) {
    golden.prompts.push_back({prompt["tokens"], prompt["logits"]});
  }
  golden.greedy = json["greedy"].get<std::vector<TokenId>>();
  return golden;
}

// The largest difference, in parts of the largest logit.
inline float Difference(const std::vector<float>& got, const std::vector<float>& expected) {
  float largest = got.size() == expected.size() ? 0 : INFINITY;
  float scale = 0;
  for (size_t i = 0; i < got.size() && i < expected.size(); ++i) {
    const float difference = std::abs(got[i] - expected[i]);
    if (!(difference <= largest)) largest = difference;  // keeps a NaN
    scale = std::max(scale, std::abs(expected[i]));
  }
  return largest / scale;
}

inline std::vector<float> LastLogits(RankRig& rig, const std::vector<TokenId>& tokens,
                                     int32_t chunk) {
  const auto last = static_cast<int32_t>(tokens.size()) - 1;
  return rig.Logits(tokens, {last}, chunk).front();
}

}  // namespace baton::worker
