// What the reference tokenizers hold of a character where they follow no single Unicode version:
// tables that generate_reference_tables.py reads off them, code point by code point.
//
// Threading: pure functions over tables that are built on first use.
#pragma once

#include <cstdint>
#include <string>

namespace baton {

// The facts of one character; see ReferencePropertiesOf.
class ReferenceProperties {
 public:
  constexpr explicit ReferenceProperties(uint8_t bits) : bits_(bits) {}
  constexpr bool bert_control() const { return (bits_ & 1) != 0; }     // BERT's cleaning drops it
  constexpr bool nonspacing_mark() const { return (bits_ & 2) != 0; }  // BERT's accents
  constexpr bool mark() const { return (bits_ & 4) != 0; }             // StripAccents drops it
  constexpr bool punctuation() const { return (bits_ & 8) != 0; }
  constexpr bool nfd_may_change() const { return (bits_ & 16) != 0; }
  constexpr bool nfkd_may_change() const { return (bits_ & 32) != 0; }
  constexpr bool word() const { return (bits_ & 64) != 0; }  // `\w`

 private:
  uint8_t bits_;
};

// Code points out of range count as U+FFFD.
ReferenceProperties ReferencePropertiesOf(char32_t code);

// Appends the lower case: one or two characters, without a rule for final sigma.
void AppendLowercase(char32_t code, std::string& out);

// Numbers a script, with Hiragana and Katakana as Han; 0 for spaces and others that join any.
uint8_t ScriptOf(char32_t code);

}  // namespace baton
