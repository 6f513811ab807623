// The StripAccents normalizer: drops combining marks, which a decomposition before it sets free.
#include <memory>

#include "common/text/tokenizer/char_normalizer.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/reference_properties.h"

namespace baton {
namespace {

void Rewrite(char32_t code, std::string& out) {
  if (!ReferencePropertiesOf(code).mark()) AppendUtf8(code, out);
}

absl::StatusOr<std::unique_ptr<const Normalizer>> Make(const ComponentConfig&,
                                                       const ComponentRegistry&) {
  return std::make_unique<CharNormalizer<void (*)(char32_t, std::string&)>>(Rewrite);
}

}  // namespace

absl::Status Register_strip_accents(ComponentRegistry& registry) {
  return registry.normalizers.Add("StripAccents", Make);
}

}  // namespace baton
