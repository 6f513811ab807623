#include "worker/sampling/sampler_order.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/sampling/mirostat_state.h"
#include "worker/sampling/sampler_stage.h"

namespace baton::worker {

#define BATON_SAMPLER(name) SamplerStage Stage_##name();
#include "worker/sampling/samplers.def"
#undef BATON_SAMPLER

namespace {

constexpr std::string_view kNames[] = {
#define BATON_SAMPLER(name) #name,
#include "worker/sampling/samplers.def"
#undef BATON_SAMPLER
};

constexpr size_t kOrderMax = 64;

std::string KnownNames(const std::vector<SamplerStage>& stages) {
  std::string names;
  for (size_t i = 0; i < stages.size(); ++i) {
    if (stages[i].role != StageRole::kSampler) continue;
    names += names.empty() ? "" : ", ";
    names += kNames[i];
  }
  return names;
}

}  // namespace

std::vector<SamplerStage> AllSamplerStages() {
  return {
#define BATON_SAMPLER(name) Stage_##name(),
#include "worker/sampling/samplers.def"
#undef BATON_SAMPLER
  };
}

absl::StatusOr<std::vector<uint8_t>> ParseSamplerOrder(absl::Span<const std::string> names) {
  const std::vector<SamplerStage> stages = AllSamplerStages();
  if (names.size() > kOrderMax) {
    return InvalidArgument(absl::StrCat("has ", names.size(), " entries; at most ", kOrderMax));
  }
  std::vector<uint8_t> order;
  for (const std::string& name : names) {
    size_t index = 0;
    while (index < stages.size() &&
           (stages[index].role != StageRole::kSampler || kNames[index] != name)) {
      ++index;
    }
    if (index == stages.size()) {
      return InvalidArgument(absl::StrCat("has an unknown sampler: ", name.substr(0, 64),
                                          "; known: ", KnownNames(stages)));
    }
    order.push_back(static_cast<uint8_t>(index));
  }
  return order;
}

bool HasSamplerState(const SamplingParams& params) {
  return params.mirostat.version != 0 && !params.greedy();
}

bool IsSamplerState(const SamplingParams& params, std::string_view state) {
  return HasSamplerState(params) ? ReadMirostatState(state).has_value() : state.empty();
}

}  // namespace baton::worker
