#include "common/base/check.h"
#include "worker/ops/attention.h"
#include "worker/ops/cpu_kernels.h"

namespace baton::worker {

namespace {

using Piece = AttentionPlan::Piece;

void CheckArgs(const AttentionArgs& args, const ComputeSlice& slice) {
  const AttentionPlan& plan = *args.plan;
  const int64_t cols = int64_t{plan.heads()} * plan.layout().head_dim;
  BATON_CHECK(plan.layout() == args.kv.layout && plan.thread_count() == slice.count())
      << "attention: the plan is for another cache or " << plan.thread_count() << "/"
      << slice.count() << " threads";
  BATON_CHECK(args.q.dtype() == plan.layout().dtype && args.q.cols() == cols &&
              args.out.cols() == cols && args.out.rows() == args.q.rows())
      << "attention: q is " << args.q.rows() << " x " << args.q.cols() << " of "
      << NameOf(args.q.dtype()) << ", out " << args.out.rows() << " x " << args.out.cols();
  BATON_CHECK(args.out.dtype() == DType::kF32 || args.out.dtype() == DType::kBf16)
      << "attention: out is of " << NameOf(args.out.dtype());
  BATON_CHECK(args.sinks.empty() || static_cast<int32_t>(args.sinks.size()) == plan.heads())
      << "attention: sinks=" << args.sinks.size() << "/" << plan.heads();
}

const unsigned char* ScalesOf(const KvLayout& layout, const float* scales) {
  return layout.has_scales() ? reinterpret_cast<const unsigned char*>(scales) : nullptr;
}

void Attend(const AttentionArgs& args, const Piece& piece, const ComputeSlice& slice) {
  AttentionPlan& plan = *args.plan;
  const KvLayout& layout = plan.layout();
  const int64_t first_col = int64_t{piece.kv_head} * plan.group() * layout.head_dim;
  const bool whole = piece.partial < 0;
  const cpu::KernelTable& kernels = KernelsFor(slice.isa());
  (layout.dtype == DType::kBf16 ? kernels.attention_bf16 : kernels.attention_f32)({
      .q = args.q.Rows(piece.row_begin, 1).Cols(first_col, 1).data(),
      .q_stride = args.q.row_stride(),
      .blocks = plan.BlocksOf(piece),
      .keys = reinterpret_cast<const unsigned char*>(args.kv.Keys(BlockId(0), piece.kv_head)),
      .values = reinterpret_cast<const unsigned char*>(args.kv.Values(BlockId(0), piece.kv_head)),
      .key_scales = ScalesOf(layout, args.kv.KeyScales(BlockId(0), piece.kv_head)),
      .value_scales = ScalesOf(layout, args.kv.ValueScales(BlockId(0), piece.kv_head)),
      .format = layout.format,
      .block_bytes = args.kv.block_stride,
      .tile = plan.ThreadTile(slice.index()),
      .totals = plan.ThreadTotals(slice.index()),
      .partials = whole ? plan.ThreadPartials(slice.index()) : plan.Partial(piece.partial),
      .out = whole ? args.out.Rows(piece.row_begin, 1).Cols(first_col, 1).data() : nullptr,
      .out_stride = args.out.row_stride(),
      .state_floats = plan.state_floats(),
      .query_count = piece.query_count,
      .group = plan.group(),
      .head_dim = layout.head_dim,
      .padded_head_dim = layout.padded_head_dim(),
      .block_tokens = layout.block_tokens,
      .first_position = piece.first_position,
      .split_begin = piece.split_begin,
      .split_end = piece.split_end,
      .scale = args.scale,
      .window = plan.window(),
      .soft_cap = args.soft_cap,
      .sinks = args.sinks.empty() ? nullptr : args.sinks.data() + piece.kv_head * plan.group(),
      .out_bf16 = args.out.dtype() == DType::kBf16,
  });
}

// Joins the partial results of one row, a (query, head of the group) pair of a shared tile.
void Join(const AttentionArgs& args, const Piece& tile, int32_t row, const ComputeSlice& slice) {
  AttentionPlan& plan = *args.plan;
  const KvLayout& layout = plan.layout();
  const int32_t query = row / plan.group();
  const int32_t head = tile.kv_head * plan.group() + row % plan.group();
  const int64_t tile_rows = int64_t{tile.query_count} * plan.group();
  const int32_t position = tile.first_position + query;
  const int32_t first_split = plan.FirstSplitOf(position);
  const int64_t first_state = (first_split - tile.split_begin) * tile_rows + row;
  KernelsFor(slice.isa())
      .attention_join({
          .first = plan.Partial(tile.partial + first_state),
          .partial_stride = tile_rows * plan.state_floats(),
          .partial_count = position / cpu::kSplitTokens - first_split + 1,
          .total = plan.ThreadTotals(slice.index()),
          .sink = args.sinks.empty() ? nullptr : &args.sinks[static_cast<size_t>(head)],
          .out = args.out.Rows(tile.row_begin + query, 1)
                     .Cols(int64_t{head} * layout.head_dim, 1)
                     .data(),
          .head_dim = layout.head_dim,
          .padded_head_dim = layout.padded_head_dim(),
          .out_bf16 = args.out.dtype() == DType::kBf16,
      });
}

}  // namespace

void Attention(const AttentionArgs& args, const ComputeSlice& slice) {
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
