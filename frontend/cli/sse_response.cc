#include "frontend/cli/sse_response.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace baton::frontend {
namespace {

constexpr size_t kHeadBytesMax = 256 * 1024;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::optional<size_t> ParseNumber(std::string_view digits, int base) {
  size_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return result.ec == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

void SseResponse::Consume(std::string_view bytes) {
  input_.append(bytes);
  while ((state_ == State::kHead && TakeHead()) || (state_ == State::kBody && TakeBody())) {
  }
}

void SseResponse::EndOfInput() {
  const bool complete = state_ == State::kBody && framing_ == Framing::kUntilClose;
  if (state_ != State::kDone) state_ = complete ? State::kDone : State::kMalformed;
}

void SseResponse::ReadHeader(std::string_view name, std::string_view value) {
  const std::string lower_name = Lower(name);
  if (lower_name == "transfer-encoding" && Lower(value) == "chunked") {
    framing_ = Framing::kChunked;
  } else if (lower_name == "content-length" && framing_ != Framing::kChunked) {
    framing_ = Framing::kLength;
    length_left_ = ParseNumber(value, 10).value_or(0);
  } else if (lower_name == "connection" && Lower(value) == "close") {
    keep_alive_ = false;
  }
}

bool SseResponse::TakeHead() {
  const size_t end = input_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (input_.size() > kHeadBytesMax) state_ = State::kMalformed;
    return false;
  }
  const std::string head = input_.substr(0, end + 2);
  input_.erase(0, end + 4);
  const std::optional<size_t> status =
      head.size() > 12 ? ParseNumber(std::string_view(head).substr(9, 3), 10) : std::nullopt;
  if (!status.has_value() || head.compare(0, 7, "HTTP/1.") != 0) {
    state_ = State::kMalformed;
    return false;
  }
  status_ = static_cast<int>(*status);
  if (status_ == 100) return true;  // the real head follows
  size_t line = head.find("\r\n") + 2;
  while (line < head.size()) {
    const size_t line_end = head.find("\r\n", line);
    const size_t colon = head.find(':', line);
    if (colon < line_end) {
      const size_t value = std::min(head.find_first_not_of(' ', colon + 1), line_end);
      ReadHeader(std::string_view(head).substr(line, colon - line),
                 std::string_view(head).substr(value, line_end - value));
    }
    line = line_end + 2;
  }
  if (framing_ == Framing::kUntilClose) keep_alive_ = false;
  state_ = framing_ == Framing::kLength && length_left_ == 0 ? State::kDone : State::kBody;
  return true;
}

bool SseResponse::TakeBody() {
  if (framing_ == Framing::kChunked) return TakeChunk();
  size_t taken = input_.size();
  if (framing_ == Framing::kLength) taken = std::min(taken, length_left_);
  body_.append(input_, 0, taken);
  input_.erase(0, taken);
  if (framing_ == Framing::kLength) {
    length_left_ -= taken;
    if (length_left_ == 0) state_ = State::kDone;
  }
  return false;
}

// One whole chunk; they are small here, so none is taken in parts.
bool SseResponse::TakeChunk() {
  const size_t line_end = input_.find("\r\n");
  if (line_end == std::string::npos) return false;
  const std::optional<size_t> size = ParseNumber(std::string_view(input_).substr(0, line_end), 16);
  if (!size.has_value()) {
    state_ = State::kMalformed;
    return false;
  }
  const size_t begin = line_end + 2;
  if (input_.size() < begin + *size + 2) return false;
  body_.append(input_, begin, *size);
  input_.erase(0, begin + *size + 2);
  if (*size == 0) state_ = State::kDone;
  return *size != 0;
}

std::vector<std::string> SseResponse::TakeEvents() {
  return events_.Consume(std::exchange(body_, {}));
}

}  // namespace baton::frontend
