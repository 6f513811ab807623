#include "common/base/check.h"
#include "worker/ops/cpu_kernels.h"
#include "worker/ops/rope_append.h"

namespace baton::worker {

namespace {

void CheckArgs(const RopeAppendArgs& args) {
  const KvLayout& layout = args.kv.layout;
  const int64_t rows = args.qkv.rows();
  BATON_CHECK(args.qkv.dtype() == DType::kF32 && args.q.dtype() == layout.dtype &&
              args.q.rows() == rows && (args.cos_sin.empty() || args.cos_sin.rows() == rows) &&
              static_cast<int64_t>(args.slots.size()) == rows)
      << "rope_append: qkv has " << rows << " rows, q " << args.q.rows() << " of "
      << NameOf(args.q.dtype()) << ", cos_sin " << args.cos_sin.rows() << ", slots "
      << args.slots.size();
  BATON_CHECK(args.q.cols() % (int64_t{layout.kv_heads} * layout.head_dim) == 0 &&
              args.qkv.cols() == args.q.cols() + int64_t{2} * layout.kv_heads * layout.head_dim)
      << "rope_append: qkv has " << args.qkv.cols() << " columns, q " << args.q.cols();
  BATON_CHECK(args.cos_sin.cols() <= layout.head_dim && layout.head_dim <= cpu::kHeadDimMax)
      << "rope_append: head_dim=" << layout.head_dim << " rotary_dim=" << args.cos_sin.cols();
  const auto head_dim = static_cast<size_t>(layout.head_dim);
  BATON_CHECK((args.q_norm.empty() || args.q_norm.size() == head_dim) &&
              (args.k_norm.empty() || args.k_norm.size() == head_dim))
      << "rope_append: norms of " << args.q_norm.size() << " and " << args.k_norm.size();
}

}  // namespace

void RopeAppend(const RopeAppendArgs& args, const ComputeSlice& slice) {
  CheckArgs(args);
  const KvLayout& layout = args.kv.layout;
  const int32_t heads = static_cast<int32_t>(args.q.cols()) / layout.head_dim;
  const int32_t group = heads / layout.kv_heads;
  const cpu::KernelTable& kernels = KernelsFor(slice.isa());
  const auto kernel =
      layout.dtype == DType::kBf16 ? kernels.rope_append_bf16 : kernels.rope_append_f32;
  const ComputeSlice::Range share = slice.Share(args.qkv.rows() * layout.kv_heads);
  for (int64_t item = share.begin; item < share.end; ++item) {
    const int64_t row = item / layout.kv_heads;
    const auto head = static_cast<int32_t>(item % layout.kv_heads);
    const float* qkv = args.qkv.row<float>(row);
    const KvSlot& slot = args.slots[static_cast<size_t>(row)];
    const float* keys = qkv + heads * layout.head_dim;
    kernel({
        .queries = qkv + head * group * layout.head_dim,
        .key = keys + head * layout.head_dim,
        .value = keys + (layout.kv_heads + head) * layout.head_dim,
        .cos_sin = args.cos_sin.empty() ? nullptr : args.cos_sin.row<float>(row),
        .q_norm = args.q_norm.empty() ? nullptr : args.q_norm.data(),
        .k_norm = args.k_norm.empty() ? nullptr : args.k_norm.data(),
        .q_out = args.q.Rows(row, 1).Cols(head * group * layout.head_dim, 1).data(),
        .keys = args.kv.Keys(slot.block, head),
        .values = args.kv.Values(slot.block, head),
        .key_scale =
            layout.has_scales() ? args.kv.KeyScales(slot.block, head) + slot.offset : nullptr,
        .value_scale =
            layout.has_scales() ? args.kv.ValueScales(slot.block, head) + slot.offset : nullptr,
        .format = layout.format,
        .group = group,
        .head_dim = layout.head_dim,
        .padded_head_dim = layout.padded_head_dim(),
        .rotary_dim = static_cast<int32_t>(args.cos_sin.cols()),
        .block_tokens = layout.block_tokens,
        .slot = slot.offset,
        .norm_epsilon = args.norm_epsilon,
    });
  }
}

}  // namespace baton::worker
