// How ids become text: what each token adds, and the little that depends on its neighbours. Made
// from the decoder of a tokenizer when it is loaded, so that decoding is copying.
//
//   DetokenizerPlan::State state;
//   for (TokenId id : ids) plan.Push(id, state, text);     // what became certain
//   plan.Finish(state, text);                              // the rest
//
// Threading: immutable; a State belongs to one stream.
// Ownership: keeps the decoder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.h"
#include "common/text/tokenizer/decoder.h"
#include "common/text/tokenizer/token_table.h"
#include "common/text/unicode/utf8.h"

namespace baton {

class DetokenizerPlan {
 public:
  // What a stream has to remember. Copyable: a copy goes on from the same point.
  struct State {
    bool started = false;       // a token was seen
    uint32_t stripped = 0;      // what the front has lost so far
    bool strip_done = false;    // the front has begun
    std::string byte_run;       // byte tokens, certain to be text only with the token after them
    std::vector<TokenId> held;  // all ids, when only the whole can be decoded
    Utf8Assembler assembler;

    bool pending() const { return !byte_run.empty() || !held.empty() || assembler.pending(); }
  };

  DetokenizerPlan() = default;

  // `texts`: what the decoder is to see of each token, which may be nothing; `exists`: which of
  // them the vocabulary has. Without a decoder tokens stand apart by spaces, as in the reference.
  // REQUIRES: texts.size() == exists.size().
  DetokenizerPlan(std::vector<std::string> texts, const std::vector<bool>& exists,
                  std::unique_ptr<const TokenDecoder> decoder);

  // Appends to `out`. Unknown ids add nothing.
  void Push(TokenId id, State& state, std::string& out) const;

  // Appends what waits, and starts over.
  void Finish(State& state, std::string& out) const;

  // True when every token adds the same wherever it stands, as with ByteLevel: the text is
  // TokenBytes of all ids, with U+FFFD for what is not UTF-8.
  bool context_free() const { return shape_ == Shape::kBytes; }

  // What a token adds that is not the first.
  std::string_view TokenBytes(TokenId id) const { return rest_[id]; }
  size_t size() const { return rest_.size(); }

 private:
  enum class Shape : uint8_t { kBytes, kTokens, kList };

  static constexpr uint8_t kExists = 1;
  static constexpr uint8_t kRunByte = 2;  // rest_ is one byte of a run
  static constexpr uint8_t kWhole = 4;    // rest_ is whole characters

  bool Exists(TokenId id) const { return id < facts_.size() && (facts_[id] & kExists) != 0; }

  // Tries to say everything by tables; false when neighbours matter in another way.
  bool Compile(const std::vector<std::string>& texts);
  bool CompileTail(std::span<const TokenDecoder* const> parts);
  void PushList(State& state, std::string& out) const;
  void FlushRun(State& state, std::string& out) const;
  void AppendStripped(std::string_view text, State& state, std::string& out) const;

  Shape shape_ = Shape::kBytes;
  std::unique_ptr<const TokenDecoder> decoder_;
  TokenTable first_;                // of the first token, when that differs
  TokenTable rest_;                 // of all others
  std::vector<uint8_t> facts_;      // by id, of the three below
  std::string strip_content_;       // goes from the front of the text,
  uint32_t strip_max_ = 0;          // so many times at most
  std::vector<std::string> texts_;  // of shape kList
};

}  // namespace baton
