#include "worker/model/moe_keys.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/model/config_keys.h"

namespace baton::worker {

absl::Status ReadHfExperts(const JsonConfig& config, DecoderSpec& spec) {
  std::string_view key = "num_experts";
  for (const std::string_view name : {"num_local_experts", "n_routed_experts"}) {
    if (config.Has(name)) key = name;
  }
  ASSIGN_OR_RETURN(spec.moe.routing.expert_count, HfSize(config, key));
  ASSIGN_OR_RETURN(spec.moe.routing.experts_per_token, HfSize(config, "num_experts_per_tok"));
  return absl::OkStatus();
}

absl::Status ReadGgufExperts(const GgufMetadata& metadata, std::string_view architecture,
                             DecoderSpec& spec) {
  const std::string prefix = absl::StrCat(ToAbsl(architecture), ".");
  ASSIGN_OR_RETURN(spec.moe.routing.expert_count, GgufSize(metadata, prefix + "expert_count"));
  ASSIGN_OR_RETURN(spec.moe.routing.experts_per_token,
                   GgufSize(metadata, prefix + "expert_used_count"));
  ASSIGN_OR_RETURN(spec.moe.expert_size, GgufSizeOr(metadata, prefix + "expert_feed_forward_length",
                                                    spec.intermediate_size));
  ASSIGN_OR_RETURN(const int32_t dense,
                   GgufSizeOr(metadata, prefix + "leading_dense_block_count", 0));
  for (int32_t layer = dense; layer < spec.layer_count; ++layer) {
    spec.layers[static_cast<size_t>(layer)].feed_forward = FeedForwardKind::kExperts;
  }
  return absl::OkStatus();
}

}  // namespace baton::worker
