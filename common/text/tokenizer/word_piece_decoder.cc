// The WordPiece decoder: a space before every token that does not continue a word.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/text_replace.h"

namespace baton {
namespace {

class WordPieceDecoder : public TokenDecoder {
 public:
  WordPieceDecoder(std::string prefix, bool clean_up)
      : prefix_(std::move(prefix)), clean_up_(clean_up) {}

  void Decode(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0) {
        if (tokens[i].compare(0, prefix_.size(), prefix_) == 0) {
          tokens[i].erase(0, prefix_.size());
        } else {
          tokens[i].insert(0, 1, ' ');
        }
      }
      if (clean_up_) tokens[i] = CleanUpEnglish(std::move(tokens[i]));
    }
  }
  DecodeScope scope() const override { return DecodeScope::kFirst; }

 private:
  const std::string prefix_;
  const bool clean_up_;
};

absl::StatusOr<std::unique_ptr<const TokenDecoder>> Make(const ComponentConfig& config,
                                                         const ComponentRegistry&) {
  ASSIGN_OR_RETURN(std::string prefix, config.StringOr("prefix", "##"));
  ASSIGN_OR_RETURN(const bool clean_up, config.BoolOr("cleanup", true));
  return std::make_unique<WordPieceDecoder>(std::move(prefix), clean_up);
}

}  // namespace

absl::Status Register_word_piece_decoder(ComponentRegistry& registry) {
  return registry.decoders.Add("WordPiece", Make);
}

}  // namespace baton
