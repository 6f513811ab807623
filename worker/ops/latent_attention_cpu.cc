#include "worker/ops/latent_attention.h"

#include <algorithm>

#include "common/base/check.h"
#include "worker/ops/cpu_kernels.h"

namespace baton::worker {
namespace {

using Piece = AttentionPlan::Piece;

constexpr int32_t kGroupHeadsMax = 16;  // heads that read a tile together

// The plan deals with groups of heads as with kv heads.
KvLayout PlanLayout(const KvLayout& layout, int32_t heads) {
  int32_t group = std::min(heads, kGroupHeadsMax);
  while (heads % group != 0) --group;
  KvLayout planned = layout;
  planned.kv_heads = heads / group;
  return planned;
}

void CheckArgs(const LatentAttentionArgs& args, const ComputeSlice& slice) {
  const AttentionPlan& plan = *args.plan;
  const KvLayout& layout = args.kv.layout;
  BATON_CHECK(plan.layout() == PlanLayout(layout, plan.heads()) &&
              plan.thread_count() == slice.count())
      << "latent attention: the plan is for another cache or " << plan.thread_count() << "/"
      << slice.count() << " threads";
  BATON_CHECK(args.q.dtype() == DType::kF32 &&
              args.q.cols() == int64_t{plan.heads()} * layout.head_dim &&
              args.out.cols() == int64_t{plan.heads()} * layout.latent_dim &&
              args.out.rows() == args.q.rows())
      << "latent attention: q is " << args.q.rows() << " x " << args.q.cols() << ", out "
      << args.out.rows() << " x " << args.out.cols();
}

void Attend(const LatentAttentionArgs& args, const Piece& piece, const ComputeSlice& slice) {
  AttentionPlan& plan = *args.plan;
  const KvLayout& layout = args.kv.layout;
  const int64_t head = int64_t{piece.kv_head} * plan.group();
  const bool whole = piece.partial < 0;
  const cpu::KernelTable& kernels = KernelsFor(slice.isa());
  const bool bf16 = layout.format == KvFormat::kPlain && layout.dtype == DType::kBf16;
  (bf16 ? kernels.latent_bf16 : kernels.latent_f32)({
      .q = args.q.row<float>(piece.row_begin) + head * layout.head_dim,
      .q_stride = args.q.row_stride(),
      .blocks = plan.BlocksOf(piece),
      .latents = reinterpret_cast<const unsigned char*>(args.kv.data),
      .latent_scales = layout.has_scales() ? reinterpret_cast<const unsigned char*>(
                                                 args.kv.LatentScale(BlockId(0), 0))
                                           : nullptr,
      .block_bytes = args.kv.block_stride,
      .tile = plan.ThreadTile(slice.index()),
      .totals = plan.ThreadTotals(slice.index()),
      .partials = whole ? plan.ThreadPartials(slice.index()) : plan.Partial(piece.partial),
      .out = whole ? args.out.Rows(piece.row_begin, 1).Cols(head * layout.latent_dim, 1).data()
                   : nullptr,
      .out_stride = args.out.row_stride(),
      .state_floats = plan.state_floats(),
      .query_count = piece.query_count,
      .group = plan.group(),
      .latent_dim = layout.latent_dim,
      .row_dim = layout.head_dim,
      .block_tokens = layout.block_tokens,
      .format = layout.format,
      .first_position = piece.first_position,
      .split_begin = piece.split_begin,
      .split_end = piece.split_end,
      .scale = args.scale,
      .out_bf16 = args.out.dtype() == DType::kBf16,
  });
}

// Joins the partial results of one row, a (query, head of the group) pair of a shared tile.
void Join(const LatentAttentionArgs& args, const Piece& tile, int32_t row,
          const ComputeSlice& slice) {
  AttentionPlan& plan = *args.plan;
  const int32_t latent_dim = args.kv.layout.latent_dim;
  const int32_t query = row / plan.group();
  const int64_t head = int64_t{tile.kv_head} * plan.group() + row % plan.group();
  const int64_t tile_rows = int64_t{tile.query_count} * plan.group();
  KernelsFor(slice.isa())
      .attention_join({
          .first = plan.Partial(tile.partial + row),
          .partial_stride = tile_rows * plan.state_floats(),
          .partial_count = (tile.first_position + query) / cpu::kSplitTokens + 1,
          .total = plan.ThreadTotals(slice.index()),
          .sink = nullptr,
          .out = args.out.Rows(tile.row_begin + query, 1).Cols(head * latent_dim, 1).data(),
          .head_dim = latent_dim,
          .padded_head_dim = latent_dim,
          .out_bf16 = args.out.dtype() == DType::kBf16,
      });
}

}  // namespace

void BuildLatentPlan(absl::Span<const AttentionRun> runs, int32_t heads, const KvLayout& layout,
                     int thread_count, AttentionPlan& plan) {
  plan.Build(runs, heads, PlanLayout(layout, heads), thread_count);
}

void LatentAttention(const LatentAttentionArgs& args, const ComputeSlice& slice) {
  CheckArgs(args, slice);
  const AttentionPlan& plan = *args.plan;
  for (const Piece& piece : plan.PiecesOf(slice.index())) Attend(args, piece, slice);
  if (plan.shared_tiles().empty()) return;
  slice.Sync();
  int32_t turn = 0;
  for (const Piece& tile : plan.shared_tiles()) {
    for (int32_t row = 0; row < tile.query_count * plan.group(); ++row, ++turn) {
      if (turn % slice.count() == slice.index()) Join(args, tile, row, slice);
    }
  }
}

}  // namespace baton::worker
