// The NFC normalizer, as Qwen uses it.
#include <memory>

#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/nfc.h"

namespace baton {
namespace {

class NfcNormalizer : public Normalizer {
 public:
  std::string_view Normalize(std::string_view text, std::string& storage) const override {
    if (IsSurelyNfc(text)) return text;
    storage = ToNfc(text);
    return storage;
  }
};

absl::StatusOr<std::unique_ptr<const Normalizer>> Make(const ComponentConfig&,
                                                       const ComponentRegistry&) {
  return std::make_unique<NfcNormalizer>();
}

}  // namespace

absl::Status Register_nfc_normalizer(ComponentRegistry& registry) {
  return registry.normalizers.Add("NFC", Make);
}

}  // namespace baton
