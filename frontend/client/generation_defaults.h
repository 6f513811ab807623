// Threading: plain data.
#pragma once

#include <cstdint>
#include <optional>

namespace baton::frontend {

// What generation_config.json says about requests that say nothing themselves.
struct GenerationDefaults {
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int64_t> top_k;
  std::optional<double> min_p;
  std::optional<double> repetition_penalty;
  std::optional<int64_t> max_new_tokens;
  // The operator's: no request gets more.
  std::optional<int64_t> max_new_tokens_cap;
};

}  // namespace baton::frontend
