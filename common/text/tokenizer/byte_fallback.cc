// The ByteFallback decoder: runs of byte tokens become characters.
#include "common/text/tokenizer/byte_fallback.h"

#include <memory>
#include <utility>
#include <vector>

#include "common/text/tokenizer/component_registry.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

class ByteFallbackDecoder : public TokenDecoder {
 public:
  void Decode(std::vector<std::string>& tokens) const override {
    std::vector<std::string> result;
    std::string run;
    const auto flush = [&] {
      if (run.empty()) return;
      if (IsValidUtf8(run)) {
        result.push_back(run);
      } else {
        result.insert(result.end(), run.size(), std::string(kReplacementUtf8));
      }
      run.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = ByteOfToken(token)) {
        run.push_back(static_cast<char>(*byte));
        continue;
      }
      flush();
      result.push_back(std::move(token));
    }
    flush();
    tokens = std::move(result);
  }
  DecodeScope scope() const override { return DecodeScope::kByteRun; }
};

absl::StatusOr<std::unique_ptr<const TokenDecoder>> Make(const ComponentConfig&,
                                                         const ComponentRegistry&) {
  return std::make_unique<ByteFallbackDecoder>();
}

}  // namespace

std::optional<uint8_t> ByteOfToken(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return std::nullopt;
  // The reference parses the digits as a number, which may begin with a plus sign.
  const int high = token[3] == '+' ? 0 : HexDigit(token[3]);
  const int low = HexDigit(token[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<uint8_t>(high << 4 | low);
}

std::string TokenOfByte(uint8_t byte) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  return std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">";
}

std::string TextOfByteRun(std::string_view bytes) {
  if (IsValidUtf8(bytes)) return std::string(bytes);
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) text += kReplacementUtf8;
  return text;
}

absl::Status Register_byte_fallback(ComponentRegistry& registry) {
  return registry.decoders.Add("ByteFallback", Make);
}

}  // namespace baton
