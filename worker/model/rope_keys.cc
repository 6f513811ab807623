#include "worker/model/rope_keys.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {
namespace {

// What a reader of one kind of scaling has before it.
struct HfRope {
  const JsonConfig& config;
  const JsonConfig& rope;
  double max_positions;

  // Phi 3 has it beside the scaling.
  absl::StatusOr<double> OriginalPositions() const {
    ASSIGN_OR_RETURN(const double inner,
                     rope.GetFloatOr("original_max_position_embeddings", max_positions));
    return config.GetFloatOr("original_max_position_embeddings", inner);
  }
};

double YarnMagnitude(double factor, double mscale) {
  return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1;
}

absl::StatusOr<RopeScaling> ReadLlama3(const HfRope& from) {
  Llama3RopeScaling scaling;
  ASSIGN_OR_RETURN(scaling.factor, from.rope.GetFloat("factor"));
  ASSIGN_OR_RETURN(scaling.low_freq_factor, from.rope.GetFloat("low_freq_factor"));
  ASSIGN_OR_RETURN(scaling.high_freq_factor, from.rope.GetFloat("high_freq_factor"));
  ASSIGN_OR_RETURN(scaling.original_max_positions, from.OriginalPositions());
  return scaling;
}

absl::StatusOr<RopeScaling> ReadYarn(const HfRope& from, double& amplitude) {
  YarnRopeScaling scaling;
  ASSIGN_OR_RETURN(scaling.original_max_positions, from.OriginalPositions());
  const double stretch = from.max_positions / std::max(scaling.original_max_positions, 1.0);
  ASSIGN_OR_RETURN(scaling.factor, from.rope.GetFloatOr("factor", stretch));
  ASSIGN_OR_RETURN(scaling.beta_fast, from.rope.GetFloatOr("beta_fast", 32));
  ASSIGN_OR_RETURN(scaling.beta_slow, from.rope.GetFloatOr("beta_slow", 1));
  ASSIGN_OR_RETURN(scaling.truncate, from.rope.GetBoolOr("truncate", true));
  ASSIGN_OR_RETURN(const double mscale, from.rope.GetFloatOr("mscale", 0));
  ASSIGN_OR_RETURN(const double mscale_all, from.rope.GetFloatOr("mscale_all_dim", 0));
  const double inferred =
      mscale != 0 && mscale_all != 0
          ? YarnMagnitude(scaling.factor, mscale) / YarnMagnitude(scaling.factor, mscale_all)
          : YarnMagnitude(scaling.factor, 1);
  ASSIGN_OR_RETURN(amplitude, from.rope.GetFloatOr("attention_factor", inferred));
  return scaling;
}

absl::StatusOr<RopeScaling> ReadLongRope(const HfRope& from, double& amplitude) {
  LongRopeScaling scaling;
  ASSIGN_OR_RETURN(const std::vector<double> shorter, from.rope.GetFloats("short_factor"));
  ASSIGN_OR_RETURN(const std::vector<double> longer, from.rope.GetFloats("long_factor"));
  if (shorter.empty() || longer.empty()) {
    return InvalidArgument(absl::StrCat("read ", from.config.source(), ": key=",
                                        shorter.empty() ? "short" : "long", "_factor is missing"));
  }
  scaling.short_factors.assign(shorter.begin(), shorter.end());
  scaling.long_factors.assign(longer.begin(), longer.end());
  ASSIGN_OR_RETURN(scaling.original_max_positions, from.OriginalPositions());
  const double original = std::max(scaling.original_max_positions, 2.0);
  ASSIGN_OR_RETURN(const double factor,
                   from.rope.GetFloatOr("factor", from.max_positions / original));
  const double inferred = factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(original));
  ASSIGN_OR_RETURN(amplitude, from.rope.GetFloatOr("attention_factor", inferred));
  return scaling;
}

absl::StatusOr<RopeScaling> ReadScaling(const HfRope& from, double& amplitude) {
  ASSIGN_OR_RETURN(const std::string old_type, from.rope.GetStringOr("type", "default"));
  ASSIGN_OR_RETURN(const std::string type, from.rope.GetStringOr("rope_type", old_type));
  if (type == "default") return RopeScaling();
  if (type == "llama3") return ReadLlama3(from);
  if (type == "yarn") return ReadYarn(from, amplitude);
  if (type == "longrope" || type == "su") return ReadLongRope(from, amplitude);
  if (type == "linear") {
    ASSIGN_OR_RETURN(const double factor, from.rope.GetFloat("factor"));
    return LinearRopeScaling{factor};
  }
  if (type == "dynamic") {
    ASSIGN_OR_RETURN(const double factor, from.rope.GetFloat("factor"));
    return DynamicRopeScaling{factor, from.max_positions};
  }
  return Unimplemented(
      absl::StrCat("read ", from.rope.source(), ": rope_type=", type, " is not supported"));
}

// How far a scaling carries a model beyond the positions that its configuration states.
double ExtendedPositions(const RopeScaling& scaling, double stated) {
  if (const auto* dynamic = std::get_if<DynamicRopeScaling>(&scaling); dynamic != nullptr) {
    return stated * std::max(dynamic->factor, 1.0);
  }
  if (const auto* yarn = std::get_if<YarnRopeScaling>(&scaling); yarn != nullptr) {
    return std::max(stated, yarn->original_max_positions * std::max(yarn->factor, 1.0));
  }
  return stated;
}

absl::StatusOr<RopeScaling> ReadGgufYarn(const GgufMetadata& metadata, const std::string& prefix,
                                         const DecoderSpec& spec, double& amplitude) {
  YarnRopeScaling scaling;
  ASSIGN_OR_RETURN(scaling.factor, metadata.GetFloat(prefix + "scaling.factor"));
  ASSIGN_OR_RETURN(const uint64_t original,
                   metadata.GetUintOr(prefix + "scaling.original_context_length",
                                      static_cast<uint64_t>(spec.max_positions)));
  scaling.original_max_positions = static_cast<double>(original);
  ASSIGN_OR_RETURN(scaling.beta_fast, metadata.GetFloatOr(prefix + "scaling.yarn_beta_fast", 32));
  ASSIGN_OR_RETURN(scaling.beta_slow, metadata.GetFloatOr(prefix + "scaling.yarn_beta_slow", 1));
  ASSIGN_OR_RETURN(const double factor, metadata.GetFloatOr(prefix + "scaling.attn_factor", 1));
  amplitude = factor * YarnMagnitude(scaling.factor, 1);
  return scaling;
}

}  // namespace

absl::StatusOr<RopeConfig> ReadHfRopeObject(const JsonConfig& config, const JsonConfig& rope,
                                            const RopeDefaults& defaults, const DecoderSpec& spec) {
  RopeConfig result;
  ASSIGN_OR_RETURN(result.theta, rope.GetFloatOr("rope_theta", defaults.theta));
  ASSIGN_OR_RETURN(const double partial,
                   rope.GetFloatOr("partial_rotary_factor", defaults.partial));
  if (!(partial > 0 && partial <= 1)) {
    return InvalidArgument(absl::StrCat("read ", config.source(), ": key=partial_rotary_factor is ",
                                        partial, "/(0, 1]"));
  }
  result.rotary_dim = static_cast<int32_t>(spec.head_dim * partial);
  const HfRope from{config, rope, static_cast<double>(spec.max_positions)};
  ASSIGN_OR_RETURN(result.scaling, ReadScaling(from, result.amplitude));
  return result;
}

absl::Status ReadHfRope(const JsonConfig& config, DecoderSpec& spec) {
  RopeDefaults stated;
  ASSIGN_OR_RETURN(stated.theta, config.GetFloatOr("rope_theta", stated.theta));
  ASSIGN_OR_RETURN(stated.partial, config.GetFloatOr("partial_rotary_factor", stated.partial));
  ASSIGN_OR_RETURN(std::optional<JsonConfig> rope, config.GetObject("rope_scaling"));
  if (!rope.has_value() || rope->Keys().empty()) {
    ASSIGN_OR_RETURN(rope, config.GetObject("rope_parameters"));
  }
  if (!rope.has_value()) rope = JsonConfig::Empty(config.source());
  ASSIGN_OR_RETURN(RopeConfig result, ReadHfRopeObject(config, *rope, stated, spec));
  const double positions = ExtendedPositions(result.scaling, spec.max_positions);
  if (std::holds_alternative<DynamicRopeScaling>(result.scaling)) {
    spec.unchanged_positions = spec.max_positions;
  }
  if (std::isfinite(positions) && positions < INT32_MAX) {
    spec.max_positions = static_cast<int32_t>(positions);
  }
  spec.ropes = {std::move(result)};
  return absl::OkStatus();
}

absl::Status ReadGgufRope(const GgufMetadata& metadata, std::string_view architecture,
                          DecoderSpec& spec) {
  const std::string prefix = absl::StrCat(ToAbsl(architecture), ".rope.");
  RopeConfig rope;
  ASSIGN_OR_RETURN(rope.theta, metadata.GetFloatOr(prefix + "freq_base", 10000.0));
  ASSIGN_OR_RETURN(
      const uint64_t turning,
      metadata.GetUintOr(prefix + "dimension_count", static_cast<uint64_t>(spec.head_dim)));
  rope.rotary_dim = static_cast<int32_t>(std::min<uint64_t>(turning, INT32_MAX));
  ASSIGN_OR_RETURN(const std::string_view scaling,
                   metadata.GetStringOr(prefix + "scaling.type", "none"));
  if (scaling == "linear") {
    ASSIGN_OR_RETURN(const double factor, metadata.GetFloat(prefix + "scaling.factor"));
    rope.scaling = LinearRopeScaling{factor};
  } else if (scaling == "yarn") {
    ASSIGN_OR_RETURN(rope.scaling, ReadGgufYarn(metadata, prefix, spec, rope.amplitude));
  } else if (scaling != "none" && scaling != "longrope") {
    return Unimplemented(absl::StrCat("read ", metadata.source(), ": ", prefix,
                                      "scaling.type=", ToAbsl(scaling), " is not supported"));
  } else {
    ASSIGN_OR_RETURN(rope.amplitude, metadata.GetFloatOr(prefix + "scaling.attn_factor", 1));
  }
  spec.ropes = {std::move(rope)};
  return absl::OkStatus();
}

absl::Status RefusePartialPairs(const GgufMetadata& metadata, const DecoderSpec& spec) {
  if (spec.ropes.front().rotary_dim == spec.head_dim) return absl::OkStatus();
  return Unimplemented(absl::StrCat("read ", metadata.source(),
                                    ": rope.dimension_count=", spec.ropes.front().rotary_dim,
                                    " of head_dim=", spec.head_dim, " is not supported"));
}

}  // namespace baton::worker
