// The BPEDecoder: the suffix that ends words becomes a space, and nothing in the last token.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/text_replace.h"

namespace baton {
namespace {

class BpeDecoder : public TokenDecoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}

  void Decode(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = ReplaceAll(tokens[i], suffix_, i + 1 < tokens.size() ? " " : "");
    }
  }
  DecodeScope scope() const override { return DecodeScope::kList; }

 private:
  const std::string suffix_;
};

absl::StatusOr<std::unique_ptr<const TokenDecoder>> Make(const ComponentConfig& config,
                                                         const ComponentRegistry&) {
  ASSIGN_OR_RETURN(std::string suffix, config.StringOr("suffix", "</w>"));
  return std::make_unique<BpeDecoder>(std::move(suffix));
}

}  // namespace

absl::Status Register_bpe_decoder(ComponentRegistry& registry) {
  return registry.decoders.Add("BPEDecoder", Make);
}

}  // namespace baton
