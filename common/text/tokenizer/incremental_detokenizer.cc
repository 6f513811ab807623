#include "common/text/tokenizer/incremental_detokenizer.h"

#include <algorithm>

namespace baton {

void IncrementalDetokenizer::Push(TokenId id, std::string& out) {
  if (special_ == SpecialTokens::kSkip && tokenizer_->IsSpecial(id) &&
      std::ranges::find(kept_, id) == kept_.end()) {
    return;
  }
  tokenizer_->detokenizer().Push(id, state_, out);
}

void IncrementalDetokenizer::Push(std::span<const TokenId> ids, std::string& out) {
  for (const TokenId id : ids) Push(id, out);
}

void IncrementalDetokenizer::Finish(std::string& out) {
  tokenizer_->detokenizer().Finish(state_, out);
}

}  // namespace baton
