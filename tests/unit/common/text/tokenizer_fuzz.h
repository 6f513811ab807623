// The random strings of tests/golden/tokenizer/make_golden.py, made again: class Fuzz there, choice
// for choice.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common/text/tokenizer/tokenizer.h"
#include "common/text/unicode/utf8.h"

namespace baton {

// What strings are made of, read from the golden file.
struct FuzzAlphabet {
  std::vector<std::string> words;
  std::vector<std::string> spaces;
  std::vector<std::string> punctuation;
  std::vector<std::string> contractions;
  std::vector<std::string> specials;
  std::vector<std::pair<uint32_t, uint32_t>> blocks;  // first code point, size
  uint64_t seed = 0;

  explicit FuzzAlphabet(const nlohmann::json& golden)
      : words(golden["words"]),
        spaces(golden["spaces"]),
        punctuation(golden["punctuation"]),
        contractions(golden["contractions"]),
        specials(golden["specials"]),
        blocks(golden["blocks"]),
        seed(golden["seed"]) {}
};

// Makes the string of one number.
class TokenizerFuzz {
 public:
  TokenizerFuzz(const FuzzAlphabet& alphabet, const Tokenizer& tokenizer, uint64_t number)
      : alphabet_(alphabet), tokenizer_(tokenizer), state_(alphabet.seed + number * kStep) {}

  std::string Text() {
    std::string text;
    for (uint64_t left = 1 + Below(12); left > 0; --left) AppendFragment(text);
    return text;
  }

 private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15u;

  uint64_t Below(uint64_t bound) {
    state_ += kStep;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (z ^ (z >> 31)) % bound;
  }

  template <typename T>
  const T& Pick(const std::vector<T>& items) {
    return items[Below(items.size())];
  }

  static void AppendCode(uint64_t code, std::string& out) {
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    AppendUtf8(surrogate ? kReplacementChar : static_cast<char32_t>(code), out);
  }

  std::string FromBlock() {
    const auto [first, size] = Pick(alphabet_.blocks);
    std::string result;
    AppendCode(first + Below(size), result);
    return result;
  }

  void AppendFragment(std::string& out) {
    switch (const uint64_t kind = Below(16); kind) {
      case 4:
        for (uint64_t left = 1 + Below(6); left > 0; --left)
          out += static_cast<char>('0' + Below(10));
        return;
      case 5:
        for (uint64_t left = 1 + Below(4); left > 0; --left) out += Pick(alphabet_.spaces);
        return;
      case 6:
        for (uint64_t left = 1 + Below(4); left > 0; --left) out += Pick(alphabet_.punctuation);
        return;
      case 7:
        out += Pick(alphabet_.words);
        out += Pick(alphabet_.contractions);
        return;
      case 8:
        out += FromBlock();
        return;
      case 9: {
        const auto [first, size] = Pick(alphabet_.blocks);
        for (uint64_t left = 1 + Below(6); left > 0; --left) AppendCode(first + Below(size), out);
        return;
      }
      case 10:
        out += FromBlock();
        for (uint64_t left = 1 + Below(3); left > 0; --left) AppendCode(0x300 + Below(0x70), out);
        return;
      case 11:
        out += Pick(alphabet_.specials);
        return;
      case 12: {
        const TokenId id = static_cast<TokenId>(Below(tokenizer_.vocab_size()));
        out += tokenizer_.Decode({&id, 1}, SpecialTokens::kKeep);
        return;
      }
      case 13: {
        const std::string unit = FromBlock();
        for (uint64_t left = 1 + Below(40); left > 0; --left) out += unit;
        return;
      }
      case 14:
        for (uint64_t left = 1 + Below(8); left > 0; --left) AppendCode(0x20 + Below(95), out);
        return;
      case 15:
        AppendCode(Below(0x110000), out);
        return;
      default:
        if (Below(2) != 0) out += ' ';
        out += Pick(alphabet_.words);
    }
  }

  const FuzzAlphabet& alphabet_;
  const Tokenizer& tokenizer_;
  uint64_t state_;
};

}  // namespace baton
