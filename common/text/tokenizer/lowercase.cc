// The Lowercase normalizer: character by character, as Rust's standard library has it.
#include <memory>

#include "common/text/tokenizer/char_normalizer.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/reference_properties.h"

namespace baton {
namespace {

absl::StatusOr<std::unique_ptr<const Normalizer>> Make(const ComponentConfig&,
                                                       const ComponentRegistry&) {
  return std::make_unique<CharNormalizer<void (*)(char32_t, std::string&)>>(AppendLowercase);
}

}  // namespace

absl::Status Register_lowercase(ComponentRegistry& registry) {
  return registry.normalizers.Add("Lowercase", Make);
}

}  // namespace baton
