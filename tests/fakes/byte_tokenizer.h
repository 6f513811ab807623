// A tokenizer for tests: every byte is a token, and three markers come after them.
//
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "common/base/ids.h"

namespace baton {

inline constexpr TokenId kByteEos = 256;    // "<|end|>", special
inline constexpr TokenId kByteStart = 257;  // "<|start|>", special
inline constexpr TokenId kByteExtra = 258;  // "<|extra|>", special
inline constexpr uint32_t kByteVocab = 259;

// tokenizer.json with the 256 bytes in the byte-level alphabet, id = byte.
inline std::string ByteTokenizerJson() {
  std::string vocab;
  unsigned next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    const unsigned code = printable ? byte : next++;
    char entry[32];
    std::snprintf(entry, sizeof entry, "\"\\u%04x\":%u,", code, byte);
    vocab += entry;
  }
  vocab.pop_back();
  const auto added = [](TokenId id, std::string_view text) {
    return "{\"id\":" + std::to_string(id) + ",\"content\":\"" + std::string(text) +
           "\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"
           "\"special\":true}";
  };
  return "{\"version\":\"1.0\",\"added_tokens\":[" + added(kByteEos, "<|end|>") + "," +
         added(kByteStart, "<|start|>") + "," + added(kByteExtra, "<|extra|>") +
         "],\"normalizer\":null,"
         "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
         "\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":null,"
         "\"decoder\":{\"type\":\"ByteLevel\"},"
         "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
         "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":false,"
         "\"vocab\":{" +
         vocab + "},\"merges\":[]}}";
}

}  // namespace baton
