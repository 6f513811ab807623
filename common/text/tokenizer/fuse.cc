// The Fuse decoder: all tokens become one.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/text/tokenizer/component_registry.h"

namespace baton {
namespace {

class FuseDecoder : public TokenDecoder {
 public:
  void Decode(std::vector<std::string>& tokens) const override {
    std::string all;
    for (const std::string& token : tokens) all += token;
    tokens.assign(1, std::move(all));
  }
  DecodeScope scope() const override { return DecodeScope::kFuse; }
};

absl::StatusOr<std::unique_ptr<const TokenDecoder>> Make(const ComponentConfig&,
                                                         const ComponentRegistry&) {
  return std::make_unique<FuseDecoder>();
}

}  // namespace

absl::Status Register_fuse(ComponentRegistry& registry) {
  return registry.decoders.Add("Fuse", Make);
}

}  // namespace baton
