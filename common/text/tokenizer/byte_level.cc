// The ByteLevel component in its four places: as normalizer it writes bytes as letters, as
// pre-tokenizer it cuts by GPT-2's expression and lets the model see bytes, as post-processor it
// has nothing to say about special tokens, and as decoder it turns letters back into bytes.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/byte_alphabet.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/gpt2_pattern.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

class ByteLevelNormalizer : public Normalizer {
 public:
  absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                             std::string& storage) const override {
    storage.clear();
    AppendLetters(text, storage);
    return std::string_view(storage);
  }
};

class ByteLevelPreTokenizer : public PreTokenizer {
 public:
  ByteLevelPreTokenizer(bool add_prefix_space, bool use_regex)
      : add_prefix_space_(add_prefix_space), use_regex_(use_regex) {}

  absl::Status Cut(PieceBuffer& pieces) const override {
    if (add_prefix_space_) {
      RETURN_IF_ERROR(pieces.RewritePieces([](std::string_view text, bool, std::string& out) {
        if (text[0] != ' ') out.push_back(' ');
        out.append(text);
      }));
    }
    if (!use_regex_) return absl::OkStatus();
    absl::Status status;
    pieces.Recut([&](std::string_view text, uint32_t base, std::vector<Piece>& out) {
      status.Update(pattern_.AppendMatches(text, base, out));
    });
    return status;
  }
  bool byte_level() const override { return true; }

 private:
  const bool add_prefix_space_;
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
  void Decode(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) bytes += BytesOfLetters(token).value_or(token);
    tokens.assign(1, "");
    AppendLossy(bytes, tokens[0]);
  }
  DecodeScope scope() const override { return DecodeScope::kBytes; }
};

absl::StatusOr<std::unique_ptr<const Normalizer>> MakeNormalizer(const ComponentConfig&,
                                                                 const ComponentRegistry&) {
  return std::make_unique<ByteLevelNormalizer>();
}

absl::StatusOr<std::unique_ptr<const PreTokenizer>> MakePreTokenizer(const ComponentConfig& config,
                                                                     const ComponentRegistry&) {
  ASSIGN_OR_RETURN(const bool add_prefix_space, config.BoolOr("add_prefix_space", true));
  ASSIGN_OR_RETURN(const bool use_regex, config.BoolOr("use_regex", true));
  return std::make_unique<ByteLevelPreTokenizer>(add_prefix_space, use_regex);
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
  RETURN_IF_ERROR(registry.normalizers.Add("ByteLevel", MakeNormalizer));
  RETURN_IF_ERROR(registry.pre_tokenizers.Add("ByteLevel", MakePreTokenizer));
  RETURN_IF_ERROR(registry.post_processors.Add("ByteLevel", MakeFraming));
  return registry.decoders.Add("ByteLevel", MakeDecoder);
}

}  // namespace baton
