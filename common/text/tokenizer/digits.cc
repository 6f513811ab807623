// The Digits pre-tokenizer: numbers apart from everything else, one by one or in runs. "Number" is
// that of Rust's char::is_numeric, whose Unicode level is newer than that of the expressions.
#include <memory>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/char_properties.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

class DigitsPreTokenizer : public PreTokenizer {
 public:
  explicit DigitsPreTokenizer(bool individual) : individual_(individual) {}

  absl::Status Cut(PieceBuffer& pieces) const override {
    pieces.Recut([this](std::string_view text, uint32_t base, std::vector<Piece>& out) {
      CutOne(text, base, out);
    });
    return absl::OkStatus();
  }

 private:
  void CutOne(std::string_view text, uint32_t base, std::vector<Piece>& out) const {
    const uint8_t* properties = CharPropertyTable();
    uint32_t begin = 0;          // of the piece that grows
    bool begin_numeric = false;  // and whether it is a number
    const auto size = static_cast<uint32_t>(text.size());
    for (uint32_t at = 0; at < size;) {
      const auto first = static_cast<unsigned char>(text[at]);
      bool numeric = first >= '0' && first <= '9';
      uint32_t length = 1;
      if (first >= 0x80) {
        const Utf8Char next = DecodeNonAscii(text.substr(at));
        numeric = CharProperties(properties[next.code]).numeric();
        length = next.length;
      }
      if (at > begin && (numeric != begin_numeric || (numeric && individual_))) {
        out.push_back({base + begin, base + at});
        begin = at;
      }
      begin_numeric = numeric;
      at += length;
    }
    if (begin < size) out.push_back({base + begin, base + size});
  }

  const bool individual_;
};

absl::StatusOr<std::unique_ptr<const PreTokenizer>> Make(const ComponentConfig& config,
                                                         const ComponentRegistry&) {
  ASSIGN_OR_RETURN(const bool individual, config.BoolOr("individual_digits", false));
  return std::make_unique<DigitsPreTokenizer>(individual);
}

}  // namespace

absl::Status Register_digits(ComponentRegistry& registry) {
  return registry.pre_tokenizers.Add("Digits", Make);
}

}  // namespace baton
