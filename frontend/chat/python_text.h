// Python's str operations on UTF-8: positions are code points, letters are Unicode's.
//
// Threading: pure functions. Ownership: returned views point into the argument.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace baton::frontend::internal {

// The bytes of the code point that starts at `at`; 1 for a stray byte. REQUIRES: at < text.size().
size_t SequenceLength(std::string_view text, size_t at);
// The code point that starts at `at`; a stray byte stands for itself.
char32_t CodePointAt(std::string_view text, size_t at);
void AppendCodePoint(std::string& text, char32_t code_point);
// The offset of code point `index`, or text.size() past the end.
size_t ByteOffset(std::string_view text, size_t index);
bool IsAscii(std::string_view text);

// text.find(wanted, from) in linear time, whatever stands in both.
size_t FindText(std::string_view text, std::string_view wanted, size_t from = 0);

// One code point, as str.isspace and so on see it.
bool IsSpace(char32_t c);
bool IsPrintable(char32_t c);
bool IsAlphabetic(char32_t c);
bool IsDecimal(char32_t c);
// The value of a decimal digit of any script. REQUIRES: IsDecimal(c).
int DecimalValue(char32_t c);
bool IsDigit(char32_t c);
bool IsNumeric(char32_t c);
bool IsAlphanumeric(char32_t c);
// What \w takes in a regular expression.
bool IsWordLetter(char32_t c);
bool IsUppercase(char32_t c);
bool IsLowercase(char32_t c);
// One letter that is a capital and a small one: U+01C5.
bool IsTitlecase(char32_t c);
bool BeginsIdentifier(char32_t c);
bool ContinuesIdentifier(char32_t c);

// str.lstrip and str.rstrip without an argument.
std::string_view StripLeft(std::string_view text);
std::string_view StripRight(std::string_view text);
// The same with the set of code points to strip.
std::string_view StripLeft(std::string_view text, std::string_view set);
std::string_view StripRight(std::string_view text, std::string_view set);

std::string Upper(std::string_view text);
std::string Lower(std::string_view text);
std::string Title(std::string_view text);
std::string Capitalize(std::string_view text);
std::string SwapCase(std::string_view text);
std::string CaseFold(std::string_view text);

}  // namespace baton::frontend::internal
