#include "worker/tensor/kv_layout.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/strings.h"

namespace baton::worker {

absl::StatusOr<KvLayout> KvLayout::Make(DType dtype, int32_t block_tokens, int32_t kv_heads,
                                        int32_t head_dim) {
  if (dtype != DType::kBf16 && dtype != DType::kF32) {
    return InvalidArgument(
        absl::StrCat("kv layout: dtype=", ToAbsl(NameOf(dtype)), "/bfloat16 or float32"));
  }
  if (block_tokens < 16 || block_tokens > 128 || block_tokens % 16 != 0) {
    return InvalidArgument(
        absl::StrCat("kv layout: block_tokens=", block_tokens, "/16 to 128 in steps of 16"));
  }
  if (kv_heads < 1) return InvalidArgument(absl::StrCat("kv layout: kv_heads=", kv_heads, "/>0"));
  if (head_dim < 8 || head_dim > 512 || head_dim % 8 != 0) {
    return InvalidArgument(
        absl::StrCat("kv layout: head_dim=", head_dim, "/8 to 512 in steps of 8"));
  }
  return KvLayout{dtype, block_tokens, kv_heads, head_dim};
}

}  // namespace baton::worker
