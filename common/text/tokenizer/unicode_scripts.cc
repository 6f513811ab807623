// The UnicodeScripts pre-tokenizer: cuts where the script changes; spaces belong to any.
#include <memory>
#include <optional>

#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/reference_properties.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

class UnicodeScriptsPreTokenizer : public PreTokenizer {
 public:
  absl::Status Cut(PieceBuffer& pieces) const override {
    pieces.Recut([](std::string_view text, uint32_t base, std::vector<Piece>& out) {
      // What comes before the first character of any script is lost, as in the reference.
      std::optional<uint32_t> begin;
      uint8_t last = 0;
      for (uint32_t at = 0; at < text.size();) {
        const Utf8Char next = DecodeChar(text.substr(at));
        const uint8_t script = ScriptOf(next.code);
        if (script != 0 && script != last) {
          if (begin) out.push_back({base + *begin, base + at});
          begin = at;
          last = script;
        }
        at += next.length;
      }
      if (begin) out.push_back({base + *begin, base + static_cast<uint32_t>(text.size())});
    });
    return absl::OkStatus();
  }
};

absl::StatusOr<std::unique_ptr<const PreTokenizer>> Make(const ComponentConfig&,
                                                         const ComponentRegistry&) {
  return std::make_unique<UnicodeScriptsPreTokenizer>();
}

}  // namespace

absl::Status Register_unicode_scripts(ComponentRegistry& registry) {
  return registry.pre_tokenizers.Add("UnicodeScripts", Make);
}

}  // namespace baton
