// The last stage, backwards: turns tokens of the vocabulary into text.
//
// Threading: implementations are immutable and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace baton {

class StripDecoder;

// What the text of a token depends on besides the token.
enum class DecodeScope : uint8_t {
  kToken,    // nothing
  kFirst,    // whether it is the first
  kByteRun,  // the byte tokens next to it: ByteFallback
  kFuse,     // all become one token
  kBytes,    // tokens spell bytes, and all together are the text: ByteLevel
  kList,     // anything
};

class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;

  // Rewrites the tokens of a whole text. With scope kToken and kFirst their number stays.
  virtual void Decode(std::vector<std::string>& tokens) const = 0;

  virtual DecodeScope scope() const = 0;

  // The decoders that this one applies in turn; itself, but for a sequence.
  virtual void AppendParts(std::vector<const TokenDecoder*>& parts) const { parts.push_back(this); }

  // This, if it is one.
  virtual const StripDecoder* AsStrip() const { return nullptr; }
};

}  // namespace baton
