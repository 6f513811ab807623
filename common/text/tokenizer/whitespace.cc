// The pre-tokenizers Whitespace (words and runs of symbols) and WhitespaceSplit (anything between
// white space).
#include <memory>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/char_pattern.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/char_properties.h"
#include "common/text/unicode/reference_properties.h"

namespace baton {
namespace {

enum class Kind { kWord, kSpace, kOther };

Kind KindOf(char32_t code) {
  if (ReferencePropertiesOf(code).word()) return Kind::kWord;
  return PropertiesOf(code).white_space() ? Kind::kSpace : Kind::kOther;
}

class WhitespacePreTokenizer : public PreTokenizer {
 public:
  absl::Status Cut(PieceBuffer& pieces) const override {
    pieces.Recut([](std::string_view text, uint32_t base, std::vector<Piece>& out) {
      Kind last = Kind::kSpace;
      for (uint32_t at = 0; at < text.size();) {
        const Utf8Char next = DecodeChar(text.substr(at));
        const Kind kind = KindOf(next.code);
        const uint32_t end = base + at + next.length;
        if (kind != Kind::kSpace && kind == last) {
          out.back().end = end;
        } else if (kind != Kind::kSpace) {
          out.push_back({base + at, end});
        }
        last = kind;
        at += next.length;
      }
    });
    return absl::OkStatus();
  }
};

bool IsWhiteSpace(char32_t code) { return PropertiesOf(code).white_space(); }

class WhitespaceSplitPreTokenizer : public PreTokenizer {
 public:
  absl::Status Cut(PieceBuffer& pieces) const override {
    return CutByPattern(CharPattern(IsWhiteSpace), SplitBehavior::kRemoved, false, pieces);
  }
};

template <typename Type>
absl::StatusOr<std::unique_ptr<const PreTokenizer>> Make(const ComponentConfig&,
                                                         const ComponentRegistry&) {
  return std::make_unique<Type>();
}

}  // namespace

absl::Status Register_whitespace(ComponentRegistry& registry) {
  RETURN_IF_ERROR(registry.pre_tokenizers.Add("Whitespace", Make<WhitespacePreTokenizer>));
  return registry.pre_tokenizers.Add("WhitespaceSplit", Make<WhitespaceSplitPreTokenizer>);
}

}  // namespace baton
