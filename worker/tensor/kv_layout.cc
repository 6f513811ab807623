#include "worker/tensor/kv_layout.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {

namespace {

absl::Status CheckBlock(DType dtype, int32_t block_tokens, KvFormat format) {
  if (dtype != DType::kBf16 && dtype != DType::kF32) {
    return InvalidArgument(
        absl::StrCat("kv layout: dtype=", ToAbsl(NameOf(dtype)), "/bfloat16 or float32"));
  }
  if (block_tokens < 16 || block_tokens > 128 || block_tokens % 16 != 0) {
    return InvalidArgument(
        absl::StrCat("kv layout: block_tokens=", block_tokens, "/16 to 128 in steps of 16"));
  }
  if (format == KvFormat::kBf16 && dtype != DType::kF32) {
    return InvalidArgument("kv layout: bfloat16 is the plain format of bfloat16");
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view NameOf(KvFormat format, DType compute) {
  switch (format) {
    case KvFormat::kPlain:
      return NameOf(compute);
    case KvFormat::kBf16:
      return "bfloat16";
    case KvFormat::kInt8:
      return "int8";
    case KvFormat::kFp8:
      return "fp8_e4m3";
  }
  return "";
}

absl::StatusOr<KvLayout> KvLayout::Make(DType dtype, int32_t block_tokens, int32_t kv_heads,
                                        int32_t head_dim, KvFormat format) {
  RETURN_IF_ERROR(CheckBlock(dtype, block_tokens, format));
  if (kv_heads < 1) return InvalidArgument(absl::StrCat("kv layout: kv_heads=", kv_heads, "/>0"));
  if (head_dim < 8 || head_dim > 512 || head_dim % 8 != 0) {
    return InvalidArgument(
        absl::StrCat("kv layout: head_dim=", head_dim, "/8 to 512 in steps of 8"));
  }
  return KvLayout{dtype, block_tokens, kv_heads, head_dim, 0, format};
}

absl::StatusOr<KvLayout> KvLayout::MakeLatent(DType dtype, int32_t block_tokens, int32_t latent_dim,
                                              int32_t rotary_dim, KvFormat format) {
  RETURN_IF_ERROR(CheckBlock(dtype, block_tokens, format));
  if (latent_dim < 16 || latent_dim > 512 || latent_dim % 16 != 0) {
    return InvalidArgument(
        absl::StrCat("kv layout: latent_dim=", latent_dim, "/16 to 512 in steps of 16"));
  }
  if (rotary_dim < 16 || rotary_dim > 256 || rotary_dim % 16 != 0) {
    return InvalidArgument(
        absl::StrCat("kv layout: rotary_dim=", rotary_dim, "/16 to 256 in steps of 16"));
  }
  return KvLayout{dtype, block_tokens, 1, latent_dim + rotary_dim, latent_dim, format};
}

std::string KvLayout::Describe() const {
  return absl::StrCat(ToAbsl(NameOf(format, dtype)), " for ", ToAbsl(NameOf(dtype)),
                      "/tokens=", block_tokens, "/heads=", kv_heads, "/dim=", head_dim,
                      "/latent=", latent_dim);
}

}  // namespace baton::worker
