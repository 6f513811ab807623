#include "common/base/check.h"
#include "worker/ops/embedding.h"
#include "worker/ops/quantized_panels.h"
#include "worker/tensor/float_conversions.h"

namespace baton::worker {

namespace {

void GatherBf16(const Bf16* column, int64_t inputs, float scale, float* out) {
  for (int64_t k = 0; k < inputs; k += 2, column += 2 * PackedLinear::kPanelCols) {
    out[k] = scale * ToFloat(column[0]);
    out[k + 1] = scale * ToFloat(column[1]);
  }
}

void GatherF32(const float* column, int64_t inputs, float scale, float* out) {
  for (int64_t k = 0; k < inputs; ++k, column += PackedLinear::kPanelCols) out[k] = scale * *column;
}

}  // namespace

void Embedding(const EmbeddingArgs& args, const ComputeSlice& slice) {
  const PackedLinear& table = *args.table;
  BATON_CHECK(table.kind() == LinearKind::kPlain && args.out.dtype() == DType::kF32 &&
              args.out.cols() == table.inputs() &&
              args.out.rows() == static_cast<int64_t>(args.tokens.size()))
      << "embedding: out is " << args.out.rows() << " x " << args.out.cols() << "/"
      << args.tokens.size() << " x " << table.inputs();
  const ComputeSlice::Range share = slice.Share(args.out.rows());
  for (int64_t row = share.begin; row < share.end; ++row) {
    const int64_t token = args.tokens[static_cast<size_t>(row)];
    BATON_CHECK(token < table.outputs()) << "embedding: token=" << token << "/" << table.outputs();
    if (table.quantized() != nullptr) {
      float* out = args.out.row<float>(row);
      table.quantized()->Column(token, table.inputs(), out);
      for (int64_t k = 0; k < table.inputs(); ++k) out[k] *= args.scale;
      continue;
    }
    const std::byte* panel =
        table.weights() +
        static_cast<size_t>(token / PackedLinear::kPanelCols) * table.panel_bytes();
    const int64_t column = token % PackedLinear::kPanelCols;
    float* out = args.out.row<float>(row);
    if (table.dtype() == DType::kBf16) {
      GatherBf16(reinterpret_cast<const Bf16*>(panel) + 2 * column, table.inputs(), args.scale,
                 out);
    } else {
      GatherF32(reinterpret_cast<const float*>(panel) + column, table.inputs(), args.scale, out);
    }
  }
}

}  // namespace baton::worker
