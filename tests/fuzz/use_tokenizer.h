// What a tokenizer from a damaged file must do, once it is accepted.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/text/tokenizer/incremental_detokenizer.h"
#include "common/text/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz_target.h"

namespace baton {

inline void UseTokenizer(const absl::StatusOr<std::unique_ptr<const Tokenizer>>& tokenizer) {
  if (!tokenizer.ok()) return PromiseRefusal(tokenizer.status());
  for (const char* text : {"", "Hello, world! 123 <s>ab</s>",
                           " \xE4\xBD\xA0\xE5\xA5\xBD \xFF e\xCC\x81 \xEF\xAC\x81", "a\nb  c"}) {
    const auto ids = (*tokenizer)->Encode(text, {});
    if (!ids.ok()) {
      PromiseRefusal(ids.status());
      continue;
    }
    for (const TokenId id : *ids) Promise(id < (*tokenizer)->vocab_size(), "ids of the vocabulary");
    IncrementalDetokenizer detokenizer(**tokenizer, SpecialTokens::kKeep);
    std::string streamed;
    detokenizer.Push(*ids, streamed);
    detokenizer.Finish(streamed);
    Promise(streamed == (*tokenizer)->Decode(*ids, SpecialTokens::kKeep),
            "a stream's text is that of the whole");
  }
}

}  // namespace baton
