// The CTC decoder: repeated tokens count once, padding vanishes, the delimiter is a space.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/text_replace.h"

namespace baton {
namespace {

struct CtcOptions {
  std::string pad;
  std::string delimiter;
  bool clean_up = true;
};

class CtcDecoder : public TokenDecoder {
 public:
  explicit CtcDecoder(CtcOptions options) : options_(std::move(options)) {}

  void Decode(std::vector<std::string>& tokens) const override {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (std::string& token : tokens) {
      token = ReplaceAll(token, options_.pad, "");
      if (options_.clean_up) {
        token = ReplaceAll(CleanUpEnglish(std::move(token)), options_.delimiter, " ");
      }
    }
    tokens.erase(std::remove(tokens.begin(), tokens.end(), ""), tokens.end());
  }
  DecodeScope scope() const override { return DecodeScope::kList; }

 private:
  const CtcOptions options_;
};

absl::StatusOr<std::unique_ptr<const TokenDecoder>> Make(const ComponentConfig& config,
                                                         const ComponentRegistry&) {
  CtcOptions options;
  ASSIGN_OR_RETURN(options.pad, config.StringOr("pad_token", "<pad>"));
  ASSIGN_OR_RETURN(options.delimiter, config.StringOr("word_delimiter_token", "|"));
  ASSIGN_OR_RETURN(options.clean_up, config.BoolOr("cleanup", true));
  return std::make_unique<CtcDecoder>(std::move(options));
}

}  // namespace

absl::Status Register_ctc(ComponentRegistry& registry) {
  return registry.decoders.Add("CTC", Make);
}

}  // namespace baton
