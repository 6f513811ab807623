#include "worker/ops/latent_append.h"

#include <algorithm>

#include "common/base/check.h"
#include "worker/ops/cpu/kv_formats.h"
#include "worker/ops/cpu_kernels.h"
#include "worker/tensor/float_conversions.h"

namespace baton::worker {
namespace {

struct Dims {
  int64_t latent;
  int64_t rotary;
  int64_t plain;
};

Dims CheckedDims(const LatentAppendArgs& args) {
  const int64_t rows = args.queries.rows();
  const Dims dims = {static_cast<int64_t>(args.norm_weight.size()), args.cos_sin.cols(),
                     args.plain.cols() / args.heads};
  BATON_CHECK(args.queries.dtype() == DType::kF32 && args.latents.dtype() == DType::kF32 &&
              args.q.dtype() == DType::kF32 && args.latents.rows() == rows &&
              args.cos_sin.rows() == rows && args.plain.rows() == rows && args.q.rows() == rows &&
              static_cast<int64_t>(args.slots.size()) == rows)
      << "latent append: queries have " << rows << " rows, latents " << args.latents.rows()
      << ", slots " << args.slots.size();
  BATON_CHECK(args.queries.cols() == args.heads * (dims.plain + dims.rotary) &&
              args.latents.cols() == dims.latent + dims.rotary &&
              args.q.cols() == args.heads * args.latents.cols())
      << "latent append: queries have " << args.queries.cols() << " columns, latents "
      << args.latents.cols() << ", q " << args.q.cols();
  BATON_CHECK(args.kv.layout.latent_dim == dims.latent &&
              args.kv.layout.head_dim == args.latents.cols())
      << "latent append: the cache holds rows of " << args.kv.layout.head_dim << ", of them "
      << args.kv.layout.latent_dim << " latent";
  return dims;
}

void Turn(const float* in, const float* cos_sin, int64_t rotary, float* out) {
  const int64_t half = rotary / 2;
  for (int64_t i = 0; i < half; ++i) {
    const float a = in[i];  // `out` may be `in`
    const float b = in[i + half];
    out[i] = a * cos_sin[i] - b * cos_sin[half + i];
    out[i + half] = b * cos_sin[i] + a * cos_sin[half + i];
  }
}

void Convert(const float* from, int64_t count, DType dtype, std::byte* to) {
  if (dtype == DType::kF32) {
    std::copy_n(from, count, reinterpret_cast<float*>(to));
    return;
  }
  auto* out = reinterpret_cast<Bf16*>(to);
  for (int64_t i = 0; i < count; ++i) out[i] = ToBf16(from[i]);
}

// Latent elements and the others have each a scale of their own.
void StoreNarrow(const KvLayerView& kv, const KvSlot& slot, const float* latent, const Dims& dims) {
  const KvFormat format = kv.layout.format;
  auto* row = reinterpret_cast<unsigned char*>(kv.Latent(slot.block, slot.offset));
  const float latent_scale = cpu::NarrowHead(format, latent, static_cast<int>(dims.latent), row);
  const float key_scale =
      cpu::NarrowHead(format, latent + dims.latent, static_cast<int>(dims.rotary),
                      row + static_cast<size_t>(dims.latent) * kv.layout.element_bytes());
  if (!kv.layout.has_scales()) return;
  float* scale = kv.LatentScale(slot.block, slot.offset);
  scale[0] = latent_scale;
  scale[kv.layout.block_tokens] = key_scale;
}

void StoreLatent(const LatentAppendArgs& args, const Dims& dims, int64_t row,
                 const cpu::KernelTable& kernels) {
  float* latent = args.latents.row<float>(row);
  kernels.rms_norm({.x = latent,
                    .add = nullptr,
                    .weight = args.norm_weight.data(),
                    .residual = nullptr,
                    .out = latent,
                    .size = dims.latent,
                    .epsilon = args.norm_epsilon,
                    .out_bf16 = false});
  float* key = latent + dims.latent;
  Turn(key, args.cos_sin.row<float>(row), dims.rotary, key);
  const KvSlot& slot = args.slots[static_cast<size_t>(row)];
  if (args.kv.layout.format != KvFormat::kPlain) {
    StoreNarrow(args.kv, slot, latent, dims);
    return;
  }
  Convert(latent, dims.latent + dims.rotary, args.kv.layout.dtype,
          args.kv.Latent(slot.block, slot.offset));
}

}  // namespace

void LatentAppend(const LatentAppendArgs& args, const ComputeSlice& slice) {
  const Dims dims = CheckedDims(args);
  const cpu::KernelTable& kernels = KernelsFor(slice.isa());
  const ComputeSlice::Range share = slice.Share(args.queries.rows());
  for (int64_t row = share.begin; row < share.end; ++row) {
    StoreLatent(args, dims, row, kernels);
    for (int64_t head = 0; head < args.heads; ++head) {
      const float* query = args.queries.row<float>(row) + head * (dims.plain + dims.rotary);
      Convert(query, dims.plain, args.plain.dtype(),
              args.plain.Rows(row, 1).Cols(head * dims.plain, 1).data());
      float* turned = args.q.row<float>(row) + head * (dims.latent + dims.rotary) + dims.latent;
      Turn(query + dims.plain, args.cos_sin.row<float>(row), dims.rotary, turned);
    }
  }
}

}  // namespace baton::worker
