#include "worker/model/moe_layer.h"

#include <utility>

#include "common/base/status_macros.h"
#include "worker/ops/moe_routing.h"

namespace baton::worker {

using Slot = WeightSlot;

uint64_t MoeWeights::size_bytes() const {
  uint64_t bytes = router.size_bytes();
  for (const PackedLinear& expert : gate_up) bytes += expert.size_bytes();
  for (const PackedLinear& expert : down) bytes += expert.size_bytes();
  if (shared_gate_up.has_value()) bytes += shared_gate_up->size_bytes();
  if (shared_down.has_value()) bytes += shared_down->size_bytes();
  return bytes;
}

absl::StatusOr<MoeWeights> PackMoe(WeightPacker& packer, int32_t layer) {
  const MoeSpec& spec = packer.spec().moe;
  MoeWeights weights;
  ASSIGN_OR_RETURN(weights.router,
                   packer.Pack({{Slot::kRouter, Slot::kRouterBias}}, LinearKind::kPlain, layer));
  ASSIGN_OR_RETURN(weights.correction, packer.VectorIfAny(Slot::kRouterCorrection, layer));
  for (int32_t expert = 0; expert < spec.routing.expert_count; ++expert) {
    ASSIGN_OR_RETURN(PackedLinear gate_up, packer.Pack({{Slot::kExpertGate, Slot::kExpertGateBias},
                                                        {Slot::kExpertUp, Slot::kExpertUpBias}},
                                                       LinearKind::kGated, layer, expert));
    weights.gate_up.push_back(std::move(gate_up));
    ASSIGN_OR_RETURN(PackedLinear down, packer.Pack({{Slot::kExpertDown, Slot::kExpertDownBias}},
                                                    LinearKind::kPlain, layer, expert));
    weights.down.push_back(std::move(down));
  }
  if (spec.shared_size == 0) return weights;
  ASSIGN_OR_RETURN(weights.shared_gate_up,
                   packer.Pack({Slot::kSharedGate, Slot::kSharedUp}, LinearKind::kGated, layer));
  ASSIGN_OR_RETURN(weights.shared_down,
                   packer.Pack({Slot::kSharedDown}, LinearKind::kPlain, layer));
  return weights;
}

absl::Status MoeLayer::Prepare(const DecoderBatch& batch) {
  const MoeSpec& moe = spec_.moe;
  const auto rows = static_cast<int64_t>(batch.tokens.size());
  const int64_t places = rows * moe.routing.experts_per_token;
  ASSIGN_OR_RETURN(logits_, logits_memory_.Take(DType::kF32, rows, moe.routing.expert_count));
  ASSIGN_OR_RETURN(sent_, sent_memory_.Take(compute_, places, spec_.hidden_size));
  ASSIGN_OR_RETURN(inner_, inner_memory_.Take(compute_, places, moe.expert_size / shard_.size));
  ASSIGN_OR_RETURN(answers_, answers_memory_.Take(DType::kF32, places, spec_.hidden_size));
  ASSIGN_OR_RETURN(shared_inner_,
                   shared_memory_.Take(compute_, rows, moe.shared_size / shard_.size));
  experts_.resize(static_cast<size_t>(places));
  expert_weights_.resize(static_cast<size_t>(places));
  return absl::OkStatus();
}

void MoeLayer::Dispatch(const SublayerIo& io, const MoeWeights& weights) {
  const MoeRouting& routing = spec_.moe.routing;
  dispatch_.Build(experts_, routing.expert_count, routing.experts_per_token);
  gate_up_products_.clear();
  down_products_.clear();
  for (const MoeDispatch::Group& group : dispatch_.groups()) {
    const auto expert = static_cast<size_t>(group.expert);
    const Matrix inner = inner_.Rows(group.begin, group.count);
    gate_up_products_.push_back({.x = sent_.Rows(group.begin, group.count),
                                 .weights = &weights.gate_up[expert],
                                 .out = inner,
                                 .activation = spec_.activation,
                                 .activation_limit = static_cast<float>(spec_.activation_limit)});
    down_products_.push_back({.x = inner,
                              .weights = &weights.down[expert],
                              .out = answers_.Rows(group.begin, group.count)});
  }
  if (weights.shared_gate_up.has_value()) AddShared(io, weights);
}

// The shared experts take all rows, and leave their answer where the others are added.
void MoeLayer::AddShared(const SublayerIo& io, const MoeWeights& weights) {
  gate_up_products_.push_back({.x = io.x,
                               .weights = &*weights.shared_gate_up,
                               .out = shared_inner_,
                               .activation = spec_.activation,
                               .activation_limit = static_cast<float>(spec_.activation_limit)});
  down_products_.push_back({.x = shared_inner_,
                            .weights = &*weights.shared_down,
                            .out = io.out,
                            .residual = io.residual,
                            .scale = io.scale});
}

void MoeLayer::Run(const SublayerIo& io, int32_t layer, const MoeWeights& weights,
                   const ActivationTap& tap, const ComputeSlice& slice) {
  Linear({.x = io.x, .weights = &weights.router, .out = logits_}, slice);
  slice.Sync();
  Show(tap, layer, "router", logits_, slice);
  RouteToExperts({.routing = &spec_.moe.routing,
                  .logits = logits_,
                  .correction = weights.correction,
                  .experts = absl::MakeSpan(experts_),
                  .weights = absl::MakeSpan(expert_weights_)},
                 slice);
  slice.Sync();
  if (slice.index() == 0) Dispatch(io, weights);
  slice.Sync();
  GatherRows({.x = io.x, .dispatch = &dispatch_, .out = sent_}, slice);
  slice.Sync();
  LinearGroup(gate_up_products_, slice);
  slice.Sync();
  LinearGroup(down_products_, slice);
  slice.Sync();
  const bool shared = weights.shared_down.has_value();
  CombineRows({.answers = answers_,
               .weights = expert_weights_,
               .dispatch = &dispatch_,
               .residual = shared ? ConstMatrix(io.out) : io.residual,
               .scale = io.scale,
               .out = io.out},
              slice);
  slice.Sync();
}

}  // namespace baton::worker
