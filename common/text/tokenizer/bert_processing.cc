// The post-processors BertProcessing and RobertaProcessing: one token before the text, one after.
#include <memory>
#include <utility>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"

namespace baton {
namespace {

class PairFraming : public TokenFraming {
 public:
  PairFraming(TokenId before, TokenId after) : before_(before), after_(after) {}

  void Surround(SpecialTokenFrame& frame) const override {
    frame.before.insert(frame.before.begin(), before_);
    frame.after.push_back(after_);
  }

 private:
  const TokenId before_;
  const TokenId after_;
};

absl::StatusOr<std::unique_ptr<const TokenFraming>> Make(const ComponentConfig& config,
                                                         const ComponentRegistry&) {
  ASSIGN_OR_RETURN(const int64_t before, config.IdOfPair("cls"));
  ASSIGN_OR_RETURN(const int64_t after, config.IdOfPair("sep"));
  return std::make_unique<PairFraming>(static_cast<TokenId>(before), static_cast<TokenId>(after));
}

}  // namespace

absl::Status Register_bert_processing(ComponentRegistry& registry) {
  RETURN_IF_ERROR(registry.post_processors.Add("BertProcessing", Make));
  return registry.post_processors.Add("RobertaProcessing", Make);
}

}  // namespace baton
