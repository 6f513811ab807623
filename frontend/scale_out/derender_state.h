// The state of a stream that is turned into text chunk by chunk, by whichever server gets the next
// chunk: plain JSON in the hands of the caller. Where tokens alone decide about the text, it is the
// few last of them; where the text is read (calls, reasoning, stop strings), all of them.
//
//   {"prev_tokens":["Ġcapital"],"prefix_offset":0,"read_offset":1,"role_sent":true,
//    "logprob_context_token_ids":[504,3575],"logprob_text_offset":11,
//    "output_token_ids":[],"output_chunk_lens":[]}
//
// A token without a spelling of its own is "token_id:17".
//
// Threading: plain data; CarriedText is thread-compatible.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/text/tokenizer/incremental_detokenizer.h"
#include "common/text/tokenizer/tokenizer.h"
#include "frontend/json/json_field.h"
#include "frontend/stream/generation_types.h"

namespace baton::frontend {

struct DerenderState {
  static constexpr size_t kPrevTokensMax = 1024;
  static constexpr size_t kContextMax = 4;

  std::vector<std::string> prev_tokens;  // the last, as the vocabulary spells them
  size_t prefix_offset = 0;              // those before it are not needed any more
  size_t read_offset = 0;                // those before it have been told as text
  bool role_sent = false;
  std::vector<TokenId> context_ids;  // the last, whatever they are
  size_t text_offset = 0;            // characters told so far
  std::vector<TokenId> output_ids;   // all, where the text is read

  // Problems are noted with the field's.
  static DerenderState Read(const JsonField& field);

  void AppendTo(std::string* out) const;
};

// The text of a choice that goes on from a state.
class CarriedText {
 public:
  // INVALID_ARGUMENT for a state that no stream has. The spec outlives it.
  static absl::StatusOr<CarriedText> From(const GenerationSpec& spec, const DerenderState& state);

  // Appends what `ids` add, and if they are the last what was held back.
  void Push(std::span<const TokenId> ids, bool is_last, std::string& text);

  // Puts what is needed to go on into the state. INVALID_ARGUMENT when that is more than a state
  // may hold: so many tokens in a row that make no text yet.
  absl::Status Save(DerenderState& state) const;

 private:
  explicit CarriedText(const GenerationSpec& spec);

  void Push(TokenId id, std::string& text);
  bool AddsNothing(TokenId id) const;

  const GenerationSpec* spec_;
  IncrementalDetokenizer detokenizer_;
  std::string untold_;  // of the state's own tokens
  // From the last token after which nothing was held back.
  std::vector<TokenId> window_;
};

}  // namespace baton::frontend
