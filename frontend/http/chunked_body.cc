#include "frontend/http/chunked_body.h"

#include <algorithm>

namespace baton::frontend {
namespace {

constexpr size_t kLineBytesMax = 1024;
constexpr size_t kTrailerBytesMax = 16 * 1024;
constexpr size_t kSizeDigitsMax = 15;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

size_t ChunkedBody::Consume(std::string_view input, std::string* body) {
  size_t used = 0;
  while (state_ == State::kReading && used < input.size()) {
    const std::string_view rest = input.substr(used);
    used += part_ == Part::kData ? ConsumeData(rest, body) : ConsumeLine(rest);
  }
  return used;
}

size_t ChunkedBody::ConsumeData(std::string_view input, std::string* body) {
  const auto taken = static_cast<size_t>(std::min<uint64_t>(chunk_left_, input.size()));
  body->append(input.substr(0, taken));
  chunk_left_ -= taken;
  if (chunk_left_ == 0) part_ = Part::kDataEnd;
  return taken;
}

size_t ChunkedBody::ConsumeLine(std::string_view input) {
  const size_t end = input.find('\n');
  const size_t taken = end == std::string_view::npos ? input.size() : end + 1;
  if (line_.size() + taken > kLineBytesMax) {
    state_ = State::kMalformed;
    return taken;
  }
  line_.append(input.substr(0, taken));
  if (end == std::string_view::npos) return taken;
  if (line_.size() < 2 || line_[line_.size() - 2] != '\r') {
    state_ = State::kMalformed;
    return taken;
  }
  line_.resize(line_.size() - 2);
  EndOfLine();
  line_.clear();
  return taken;
}

void ChunkedBody::EndOfLine() {
  switch (part_) {
    case Part::kSizeLine:
      EndOfSizeLine();
      return;
    case Part::kDataEnd:
      if (!line_.empty()) state_ = State::kMalformed;
      part_ = Part::kSizeLine;
      return;
    case Part::kTrailerLine:
      trailer_bytes_ += line_.size() + 2;
      if (line_.empty()) state_ = State::kDone;
      if (trailer_bytes_ > kTrailerBytesMax) state_ = State::kMalformed;
      return;
    case Part::kData:
      return;
  }
}

void ChunkedBody::EndOfSizeLine() {
  uint64_t size = 0;
  size_t digits = 0;
  while (digits < line_.size() && HexDigit(line_[digits]) >= 0) {
    if (digits == kSizeDigitsMax) {
      state_ = State::kMalformed;
      return;
    }
    size = size * 16 + static_cast<uint64_t>(HexDigit(line_[digits]));
    ++digits;
  }
  const bool extension_or_end = digits == line_.size() || line_[digits] == ';' ||
                                line_[digits] == ' ' || line_[digits] == '\t';
  if (digits == 0 || !extension_or_end || line_.find('\r') != std::string::npos) {
    state_ = State::kMalformed;
    return;
  }
  if (size > body_bytes_max_ - body_bytes_) {
    state_ = State::kTooLarge;
    return;
  }
  body_bytes_ += size;
  chunk_left_ = size;
  part_ = size == 0 ? Part::kTrailerLine : Part::kData;
}

}  // namespace baton::frontend
