// All kernels for one Simd type: what each of the kernels_*.cc files compiles with its own flags.
#pragma once

#include "worker/ops/cpu/attention_kernel.h"
#include "worker/ops/cpu/kernel_table.h"
#include "worker/ops/cpu/latent_kernel.h"
#include "worker/ops/cpu/linear_kernel.h"
#include "worker/ops/cpu/quant_kernel.h"
#include "worker/ops/cpu/row_kernels.h"

namespace baton::worker::cpu {

namespace {

template <class S>
inline constexpr KernelTable kTableOf = {
    .linear_bf16 = LinearKernel<S, Bf16Format<S>>,
    .linear_f32 = LinearKernel<S, F32Format<S>>,
    .linear_quant = QuantLinearKernel<S>,
    .quantize_rows = QuantizeKernel,
    .rms_norm = RmsNormKernel<S>,
    .rope_append_bf16 = RopeAppendKernel<S, Bf16Format<S>>,
    .rope_append_f32 = RopeAppendKernel<S, F32Format<S>>,
    .attention_bf16 = AttentionKernel<S, Bf16Format<S>>,
    .attention_f32 = AttentionKernel<S, F32Format<S>>,
    .attention_join = AttentionJoinKernel<S>,
    .latent_bf16 = LatentKernel<S, Bf16Format<S>>,
    .latent_f32 = LatentKernel<S, F32Format<S>>,
    .soft_cap = SoftCapKernel<S>,
};

}  // namespace

}  // namespace baton::worker::cpu
