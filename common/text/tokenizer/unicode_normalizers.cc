// The normalizers NFC, NFD, NFKC and NFKD.
#include <memory>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/normal_form.h"

namespace baton {
namespace {

class FormNormalizer : public Normalizer {
 public:
  explicit FormNormalizer(NormalForm form) : form_(form) {}

  absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                             std::string& storage) const override {
    if (IsSurelyInForm(text, form_)) return text;
    storage = ToNormalForm(text, form_);
    return std::string_view(storage);
  }

  size_t FrontAfter(std::string_view text, size_t front) const override {
    return FrontInNormalForm(text, form_, front);
  }

 private:
  const NormalForm form_;
};

template <NormalForm form>
absl::StatusOr<std::unique_ptr<const Normalizer>> Make(const ComponentConfig&,
                                                       const ComponentRegistry&) {
  return std::make_unique<FormNormalizer>(form);
}

}  // namespace

absl::Status Register_unicode_normalizers(ComponentRegistry& registry) {
  RETURN_IF_ERROR(registry.normalizers.Add("NFC", Make<NormalForm::kC>));
  RETURN_IF_ERROR(registry.normalizers.Add("NFD", Make<NormalForm::kD>));
  RETURN_IF_ERROR(registry.normalizers.Add("NFKC", Make<NormalForm::kKC>));
  return registry.normalizers.Add("NFKD", Make<NormalForm::kKD>);
}

}  // namespace baton
