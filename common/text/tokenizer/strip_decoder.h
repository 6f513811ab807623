// The Strip decoder, which a plan for detokenising knows by its fields: after Fuse there is one
// token, and what goes from its front can be decided while it streams.
//
// Threading: immutable.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/text/tokenizer/decoder.h"

namespace baton {

// Takes up to `start` and `stop` times `content`, one character, off the ends of every token.
class StripDecoder : public TokenDecoder {
 public:
  StripDecoder(std::string content, uint32_t start, uint32_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}

  void Decode(std::vector<std::string>& tokens) const override;
  DecodeScope scope() const override { return DecodeScope::kToken; }
  const StripDecoder* AsStrip() const override { return this; }

  const std::string& content() const { return content_; }
  uint32_t start() const { return start_; }
  uint32_t stop() const { return stop_; }

 private:
  const std::string content_;
  const uint32_t start_;
  const uint32_t stop_;
};

}  // namespace baton
