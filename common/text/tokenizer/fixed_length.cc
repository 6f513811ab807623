// The FixedLength pre-tokenizer: pieces of so many characters.
#include <memory>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

class FixedLengthPreTokenizer : public PreTokenizer {
 public:
  explicit FixedLengthPreTokenizer(uint64_t length) : length_(length) {}

  absl::Status Cut(PieceBuffer& pieces) const override {
    pieces.Recut([this](std::string_view text, uint32_t base, std::vector<Piece>& out) {
      uint32_t begin = 0;
      uint64_t count = 0;
      for (uint32_t at = 0; at < text.size();) {
        if (count++ == length_) {
          out.push_back({base + begin, base + at});
          begin = at;
          count = 1;
        }
        at += DecodeChar(text.substr(at)).length;
      }
      out.push_back({base + begin, base + static_cast<uint32_t>(text.size())});
    });
    return absl::OkStatus();
  }

 private:
  const uint64_t length_;
};

absl::StatusOr<std::unique_ptr<const PreTokenizer>> Make(const ComponentConfig& config,
                                                         const ComponentRegistry&) {
  ASSIGN_OR_RETURN(const int64_t length, config.IntOr("length", 5));
  if (length < 1) return config.Invalid("length is not above 0");
  return std::make_unique<FixedLengthPreTokenizer>(static_cast<uint64_t>(length));
}

}  // namespace

absl::Status Register_fixed_length(ComponentRegistry& registry) {
  return registry.pre_tokenizers.Add("FixedLength", Make);
}

}  // namespace baton
