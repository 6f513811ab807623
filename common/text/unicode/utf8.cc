#include "common/text/unicode/utf8.h"

#include <cstring>

namespace baton {
namespace {

unsigned char At(std::string_view text, size_t i) { return static_cast<unsigned char>(text[i]); }

// What the first byte promises, and the range of the second byte, which is where over-long forms,
// surrogates and code points beyond U+10FFFF show.
struct Lead {
  uint32_t length;
  unsigned char second_min;
  unsigned char second_max;
};

Lead LeadOf(unsigned char first) {
  if (first < 0xC2 || first > 0xF4) return {0, 0, 0};
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first < 0xF0) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {4, 0x80, 0xBF};
}

// The case of most Asian text, without the second byte's special ranges.
bool IsPlainTriple(std::string_view text, size_t at) {
  if (text.size() - at < 3) return false;
  const unsigned char first = At(text, at);
  return first >= 0xE1 && first <= 0xEF && first != 0xED && (At(text, at + 1) & 0xC0) == 0x80 &&
         (At(text, at + 2) & 0xC0) == 0x80;
}

}  // namespace

Utf8Char DecodeNonAscii(std::string_view text) {
  const unsigned char first = At(text, 0);
  const Lead lead = LeadOf(first);
  if (lead.length == 0) return {kReplacementChar, 1, false};
  char32_t code = first & (0x7Fu >> lead.length);
  for (uint32_t i = 1; i < lead.length; ++i) {
    const unsigned char low = i == 1 ? lead.second_min : 0x80;
    const unsigned char high = i == 1 ? lead.second_max : 0xBF;
    if (i >= text.size() || At(text, i) < low || At(text, i) > high) {
      return {kReplacementChar, i, false};
    }
    code = code << 6 | (At(text, i) & 0x3Fu);
  }
  return {code, lead.length, true};
}

Utf8Char DecodeLastChar(std::string_view text) {
  for (size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    const std::string_view tail = text.substr(text.size() - length);
    if ((At(tail, 0) & 0xC0) == 0x80) continue;  // a continuation byte: look further left
    const Utf8Char result = DecodeChar(tail);
    if (result.valid && result.length == length) return result;
    break;
  }
  return {kReplacementChar, 1, false};
}

void AppendUtf8(char32_t code, std::string& out) {
  const auto byte = [&out](char32_t value) { out.push_back(static_cast<char>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

size_t ValidUtf8Prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    // Eight ASCII bytes at a time.
    uint64_t word;
    while (at + sizeof(word) <= text.size()) {
      std::memcpy(&word, text.data() + at, sizeof(word));
      if ((word & 0x8080808080808080u) != 0) break;
      at += sizeof(word);
    }
    if (at == text.size()) break;
    if (IsPlainTriple(text, at)) {
      at += 3;
      continue;
    }
    const Utf8Char next = DecodeChar(text.substr(at));
    if (!next.valid) return at;
    at += next.length;
  }
  return at;
}

void AppendLossy(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const size_t valid = ValidUtf8Prefix(text);
    out.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) return;
    text.remove_prefix(DecodeNonAscii(text).length);
    out.append(kReplacementUtf8);
  }
}

size_t IncompleteSuffix(std::string_view text) {
  for (size_t length = 1; length <= 3 && length <= text.size(); ++length) {
    const std::string_view tail = text.substr(text.size() - length);
    if ((At(tail, 0) & 0xC0) == 0x80) continue;
    const Lead lead = LeadOf(At(tail, 0));
    const bool open = length < lead.length && DecodeNonAscii(tail).length == length;
    return open ? length : 0;
  }
  return 0;
}

void Utf8Assembler::Push(std::string_view bytes, std::string& out) {
  // Bytes join the pending ones until those are complete or provably wrong.
  while (pending_size_ > 0 && !bytes.empty()) {
    pending_[pending_size_++] = bytes[0];
    bytes.remove_prefix(1);
    const std::string_view pending(pending_, pending_size_);
    const size_t open = IncompleteSuffix(pending);
    if (open == pending_size_) continue;
    AppendLossy(pending.substr(0, pending_size_ - open), out);
    std::memmove(pending_, pending_ + pending_size_ - open, open);
    pending_size_ = open;
  }
  if (bytes.empty()) return;
  const size_t open = IncompleteSuffix(bytes);
  AppendLossy(bytes.substr(0, bytes.size() - open), out);
  std::memcpy(pending_, bytes.data() + bytes.size() - open, open);
  pending_size_ = open;
}

void Utf8Assembler::Finish(std::string& out) {
  if (pending_size_ > 0) out.append(kReplacementUtf8);
  pending_size_ = 0;
}

}  // namespace baton
