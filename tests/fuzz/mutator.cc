#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace baton {
namespace {

constexpr size_t kInputBytesMax = size_t{1} << 20;
constexpr size_t kKeptMax = 2000;
constexpr size_t kChangesMax = 6;

// What readers of numbers, lists and expressions do not expect.
constexpr std::string_view kWords[] = {
    "0",           "-1",         "1",      "2147483648",   "4294967295", "18446744073709551615",
    "1e309",       "1e-320",     "null",   "[]",           "{}",         "\"\"",
    "\"\\u0000\"", "true",       "(?=",    "\xFF",         "[[[[[[",     "\\p{",
    "0.5e-3",      "\"<0xFF>\"", "(a*)*b", "\xE2\x96\x81", "65536",      "\"\\\"\""};

// A value of JSON, or a part of one: [begin, end).
struct Span {
  size_t begin = 0;
  size_t end = 0;
};

// The string, number, word or bracketed value around or after `at`; empty when there is none.
Span ValueAt(std::string_view text, size_t at) {
  const size_t begin = text.find_first_of("\"[{0123456789tfn-", at);
  if (begin == std::string_view::npos) return {};
  const char first = text[begin];
  size_t end = begin + 1;
  if (first == '"') {
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
    return {begin, std::min(end + 1, text.size())};
  }
  if (first == '[' || first == '{') {
    for (int depth = 1; end < text.size() && depth > 0; ++end) {
      if (text[end] == '[' || text[end] == '{') ++depth;
      if (text[end] == ']' || text[end] == '}') --depth;
    }
    return {begin, end};
  }
  end = text.find_first_of(",]} \n", begin);
  return {begin, end == std::string_view::npos ? text.size() : end};
}

}  // namespace

Mutator::Mutator(std::vector<std::string> corpus, uint64_t seed)
    : corpus_(std::move(corpus)), original_count_(corpus_.size()), random_(seed) {}

void Mutator::Keep(const std::string& input) {
  if (corpus_.size() - original_count_ < kKeptMax) {
    corpus_.push_back(input);
  } else {
    corpus_[original_count_ + kept_count_ % kKeptMax] = input;
  }
  ++kept_count_;
}

std::string Mutator::Next() {
  std::string input = corpus_[Below(corpus_.size())];
  for (size_t left = 1 + Below(kChangesMax); left > 0; --left) Mutate(input);
  input.resize(std::min(input.size(), kInputBytesMax));
  return input;
}

void Mutator::Mutate(std::string& input) {
  if (input.empty()) input = " ";
  if (input[0] == '{' && Below(3) > 0) return MutateValue(input);
  if (Below(3) == 0) return MutateLength(input);
  MutateBytes(input);
}

void Mutator::MutateBytes(std::string& input) {
  const size_t at = Below(input.size());
  const size_t length = std::min(input.size() - at, 1 + Below(32));
  switch (Below(6)) {
    case 0:
      input[at] = static_cast<char>(input[at] ^ 1 << Below(8));
      return;
    case 1:
      input[at] = static_cast<char>(Below(256));
      return;
    case 2:
      input.erase(at, length);
      return;
    case 3:
      input.insert(at, input.substr(at, length));
      return;
    case 4: {
      const std::string& other = corpus_[Below(corpus_.size())];
      if (!other.empty()) input.insert(at, other.substr(Below(other.size()), 1 + Below(64)));
      return;
    }
    default:
      input.replace(at, length, kWords[Below(std::size(kWords))]);
  }
}

// Ends the input, or lets a length or count go wild.
void Mutator::MutateLength(std::string& input) {
  const size_t at = Below(input.size());
  if (Below(4) == 0) return input.resize(at);
  const size_t width = size_t{1} << Below(4);
  const uint64_t edge = uint64_t{1} << Below(64);
  const uint64_t values[] = {edge, edge - 1, ~edge, Below(300), UINT64_MAX};
  const uint64_t value = values[Below(std::size(values))];
  for (size_t i = 0; i < width && at + i < input.size(); ++i) {
    input[at + i] = static_cast<char>(value >> (8 * i));
  }
}

std::string Mutator::OtherValue() {
  if (Below(3) == 0) return std::string(kWords[Below(std::size(kWords))]);
  const std::string& other = corpus_[Below(corpus_.size())];
  if (other.empty()) return "0";
  const Span span = ValueAt(other, Below(other.size()));
  return other.substr(span.begin, std::min<size_t>(span.end - span.begin, 4096));
}

// Puts another value in the place of one, drops it, or repeats it.
void Mutator::MutateValue(std::string& input) {
  const Span span = ValueAt(input, Below(input.size()));
  if (span.end == span.begin) return;
  const std::string value = input.substr(span.begin, span.end - span.begin);
  switch (Below(8)) {
    case 0:
      input.erase(span.begin, value.size());
      return;
    case 1:
      input.insert(span.begin, value.substr(0, 4096) + ",");
      return;
    case 2:
      input.insert(span.begin, "[").insert(span.end + 1, "]");
      return;
    default:
      input.replace(span.begin, value.size(), OtherValue());
  }
}

}  // namespace baton
