// The ByteLevel component in its three places: it cuts by GPT-2's expression and lets the model see
// bytes, has nothing to say about special tokens, and turns letters back into bytes.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/byte_alphabet.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/gpt2_pattern.h"

namespace baton {
namespace {

class ByteLevelPreTokenizer : public PreTokenizer {
 public:
  explicit ByteLevelPreTokenizer(bool use_regex) : use_regex_(use_regex) {}

  void Cut(PieceBuffer& pieces) const override {
    if (!use_regex_) return;
    pieces.Recut([this](std::string_view text, uint32_t base, std::vector<Piece>& out) {
      pattern_.AppendMatches(text, base, out);
    });
  }
  bool byte_level() const override { return true; }

 private:
  const bool use_regex_;
  const Gpt2Pattern pattern_;
};

// Adds no ids: in post-processing ByteLevel only moves offsets.
class EmptyFraming : public TokenFraming {
 public:
  void Surround(SpecialTokenFrame&) const override {}
};

class ByteLevelDecoder : public TokenDecoder {
 public:
  std::string BytesOf(std::string_view token) const override {
    return BytesOfLetters(token).value_or(std::string(token));
  }
};

absl::StatusOr<std::unique_ptr<const PreTokenizer>> MakePreTokenizer(const ComponentConfig& config,
                                                                     const ComponentRegistry&) {
  ASSIGN_OR_RETURN(const bool add_prefix_space, config.BoolOr("add_prefix_space", true));
  ASSIGN_OR_RETURN(const bool use_regex, config.BoolOr("use_regex", true));
  if (add_prefix_space) return config.Unsupported("ByteLevel with add_prefix_space=true");
  return std::make_unique<ByteLevelPreTokenizer>(use_regex);
}

absl::StatusOr<std::unique_ptr<const TokenFraming>> MakeFraming(const ComponentConfig&,
                                                                const ComponentRegistry&) {
  return std::make_unique<EmptyFraming>();
}

absl::StatusOr<std::unique_ptr<const TokenDecoder>> MakeDecoder(const ComponentConfig&,
                                                                const ComponentRegistry&) {
  return std::make_unique<ByteLevelDecoder>();
}

}  // namespace

absl::Status Register_byte_level(ComponentRegistry& registry) {
  RETURN_IF_ERROR(registry.pre_tokenizers.Add("ByteLevel", MakePreTokenizer));
  RETURN_IF_ERROR(registry.post_processors.Add("ByteLevel", MakeFraming));
  return registry.decoders.Add("ByteLevel", MakeDecoder);
}

}  // namespace baton
