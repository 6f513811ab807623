#include "frontend/answer/fingerprint.h"

#include "absl/strings/str_cat.h"
#include "common/base/build_info.h"
#include "common/base/strings.h"

namespace baton::frontend {

std::string SystemFingerprint(const FingerprintOptions& options, const ModelContext& model) {
  switch (options.mode) {
    case FingerprintOptions::Mode::kNone:
      return {};
    case FingerprintOptions::Mode::kCustom:
      return options.custom;
    case FingerprintOptions::Mode::kSystem:
      break;
  }
  const auto digest = static_cast<uint32_t>(model.model_digest >> 32);
  return absl::StrCat("baton-", ToAbsl(Version()), "-", absl::Hex(digest, absl::kZeroPad8));
}

}  // namespace baton::frontend
