// Tokens that arrive one by one, as text that grows by whole characters: what a stream sends.
//
//   IncrementalDetokenizer detokenizer(*tokenizer, SpecialTokens::kSkip);
//   for (TokenId id : arriving) detokenizer.Push(id, delta);   // appends what became certain
//   detokenizer.Finish(delta);                                 // flushes an unfinished character
//
// Concatenating everything equals Tokenizer::Decode of all ids: a character whose bytes are spread
// over tokens is held until it is complete, and bytes that can form none become U+FFFD. Decoders
// for which the last token decides about all before it (CTC, BPEDecoder) give everything in Finish.
//
// Threading: thread-compatible. Copyable: a copy goes on from the same point.
// Ownership: the tokenizer outlives it.
#pragma once

#include <span>
#include <string>

#include "common/base/ids.h"
#include "common/text/tokenizer/detokenizer_plan.h"
#include "common/text/tokenizer/tokenizer.h"

namespace baton {

class IncrementalDetokenizer {
 public:
  // `kept`: special tokens whose text is shown although the others' is skipped; outlives it.
  IncrementalDetokenizer(const Tokenizer& tokenizer, SpecialTokens special,
                         std::span<const TokenId> kept = {})
      : tokenizer_(&tokenizer), special_(special), kept_(kept) {}

  // Appends to `out`. Ids outside the vocabulary add nothing.
  void Push(TokenId id, std::string& out);
  void Push(std::span<const TokenId> ids, std::string& out);

  // Appends what waits for the next token, U+FFFD for an unfinished character, and starts over.
  void Finish(std::string& out);

  // True when something waits.
  bool pending() const { return state_.pending(); }

 private:
  const Tokenizer* tokenizer_;
  SpecialTokens special_;
  std::span<const TokenId> kept_;
  DetokenizerPlan::State state_;
};

}  // namespace baton
