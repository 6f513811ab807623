// The Nmt normalizer: drops controls, turns blanks of many kinds into spaces.
#include <memory>

#include "common/text/tokenizer/char_normalizer.h"
#include "common/text/tokenizer/component_registry.h"

namespace baton {
namespace {

bool Between(char32_t code, char32_t first, char32_t last) { return code >= first && code <= last; }

bool IsDropped(char32_t code) {
  return Between(code, 0x01, 0x08) || code == 0x0B || Between(code, 0x0E, 0x1F) || code == 0x7F ||
         code == 0x8F || code == 0x9F;
}

bool IsBlank(char32_t code) {
  return code == '\t' || code == '\n' || code == '\f' || code == '\r' || code == 0x1680 ||
         Between(code, 0x200B, 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x2581 ||
         code == 0xFEFF || code == 0xFFFD;
}

void Rewrite(char32_t code, std::string& out) {
  if (!IsDropped(code)) AppendUtf8(IsBlank(code) ? U' ' : code, out);
}

absl::StatusOr<std::unique_ptr<const Normalizer>> Make(const ComponentConfig&,
                                                       const ComponentRegistry&) {
  return std::make_unique<CharNormalizer<void (*)(char32_t, std::string&)>>(Rewrite);
}

}  // namespace

absl::Status Register_nmt(ComponentRegistry& registry) {
  return registry.normalizers.Add("Nmt", Make);
}

}  // namespace baton
