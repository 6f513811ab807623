// The Precompiled normalizer: sentencepiece's own table of rewrites.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/charsmap.h"
#include "common/text/tokenizer/component_registry.h"

namespace baton {
namespace {

absl::StatusOr<std::unique_ptr<const Normalizer>> Make(const ComponentConfig& config,
                                                       const ComponentRegistry&) {
  if (!config.Has("precompiled_charsmap")) return std::make_unique<CharsmapNormalizer>(Charsmap());
  ASSIGN_OR_RETURN(const std::string encoded, config.String("precompiled_charsmap"));
  std::string bytes;
  if (!absl::Base64Unescape(encoded, &bytes)) {
    return config.Invalid("precompiled_charsmap is not base64");
  }
  absl::StatusOr<Charsmap> charsmap = Charsmap::Parse(bytes);
  if (!charsmap.ok()) return config.Invalid(ToStd(charsmap.status().message()));
  return std::make_unique<CharsmapNormalizer>(*std::move(charsmap));
}

}  // namespace

absl::Status Register_precompiled(ComponentRegistry& registry) {
  return registry.normalizers.Add("Precompiled", Make);
}

}  // namespace baton
