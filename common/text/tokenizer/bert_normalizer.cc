// BertNormalizer: what BERT's original code did to text, in its four optional steps.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/char_normalizer.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/char_properties.h"
#include "common/text/unicode/normal_form.h"
#include "common/text/unicode/reference_properties.h"

namespace baton {
namespace {

bool Between(char32_t code, char32_t first, char32_t last) { return code >= first && code <= last; }

// The blocks as the reference lists them, the start of the sixth included.
bool IsIdeograph(char32_t code) {
  return Between(code, 0x4E00, 0x9FFF) || Between(code, 0x3400, 0x4DBF) ||
         Between(code, 0x20000, 0x2A6DF) || Between(code, 0x2A700, 0x2B73F) ||
         Between(code, 0x2B740, 0x2B81F) || Between(code, 0x2B920, 0x2CEAF) ||
         Between(code, 0xF900, 0xFAFF) || Between(code, 0x2F800, 0x2FA1F);
}

void Clean(char32_t code, std::string& out) {
  if (ReferencePropertiesOf(code).bert_control()) return;
  AppendUtf8(PropertiesOf(code).white_space() ? U' ' : code, out);
}

void Pad(char32_t code, std::string& out) {
  const bool pad = IsIdeograph(code);
  if (pad) out.push_back(' ');
  AppendUtf8(code, out);
  if (pad) out.push_back(' ');
}

void DropNonspacing(char32_t code, std::string& out) {
  if (!ReferencePropertiesOf(code).nonspacing_mark()) AppendUtf8(code, out);
}

struct BertOptions {
  bool clean_text = true;
  bool pad_ideographs = true;
  bool strip_accents = true;
  bool lowercase = true;
};

class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const BertOptions& options) : options_(options) {}

  absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                             std::string& storage) const override {
    std::string next;
    const auto apply = [&](bool on, auto rewrite) {
      if (!on) return;
      RewriteChars(text, rewrite, next);
      std::swap(storage, next);
      text = storage;
    };
    apply(options_.clean_text, Clean);
    apply(options_.pad_ideographs, Pad);
    if (options_.strip_accents && !IsSurelyInForm(text, NormalForm::kD)) {
      storage = ToNormalForm(text, NormalForm::kD);
      text = storage;
    }
    apply(options_.strip_accents, DropNonspacing);
    apply(options_.lowercase, AppendLowercase);
    return text;
  }

  size_t FrontAfter(std::string_view text, size_t front) const override {
    if (!options_.strip_accents) return Normalizer::FrontAfter(text, front);
    // Marks change places with what is behind the front: step by step then.
    std::string current(text);
    std::string next;
    const auto apply = [&](bool on, auto rewrite) {
      if (!on) return;
      RewriteChars(std::string_view(current).substr(0, front), rewrite, next);
      front = next.size();
      RewriteChars(current, rewrite, next);
      std::swap(current, next);
    };
    apply(options_.clean_text, Clean);
    apply(options_.pad_ideographs, Pad);
    front = FrontInNormalForm(current, NormalForm::kD, front);
    current = ToNormalForm(current, NormalForm::kD);
    apply(true, DropNonspacing);
    apply(options_.lowercase, AppendLowercase);
    return front;
  }

 private:
  const BertOptions options_;
};

absl::StatusOr<std::unique_ptr<const Normalizer>> Make(const ComponentConfig& config,
                                                       const ComponentRegistry&) {
  BertOptions options;
  ASSIGN_OR_RETURN(options.clean_text, config.BoolOr("clean_text", true));
  ASSIGN_OR_RETURN(options.pad_ideographs, config.BoolOr("handle_chinese_chars", true));
  ASSIGN_OR_RETURN(options.lowercase, config.BoolOr("lowercase", true));
  ASSIGN_OR_RETURN(options.strip_accents, config.BoolOr("strip_accents", options.lowercase));
  return std::make_unique<BertNormalizer>(options);
}

}  // namespace

absl::Status Register_bert_normalizer(ComponentRegistry& registry) {
  return registry.normalizers.Add("BertNormalizer", Make);
}

}  // namespace baton
