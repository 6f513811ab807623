#include "frontend/cli/reply.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/json/json.h"

namespace baton::frontend {
namespace {

constexpr size_t kShownBodyBytes = 200;

// A string member, or empty.
std::string TextMember(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

const Json* Member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto member = object.find(name);
  return member == object.end() || member->is_null() ? nullptr : &*member;
}

std::optional<std::string> FindMessage(const Json& body) {
  const Json* error = Member(body, "error");
  if (error != nullptr && error->is_string()) return error->get<std::string>();
  for (const Json* place : {error, &body}) {
    const Json* message = place == nullptr ? nullptr : Member(*place, "message");
    if (message != nullptr && message->is_string()) return message->get<std::string>();
  }
  const Json* detail = Member(body, "detail");
  if (detail != nullptr && detail->is_string()) return detail->get<std::string>();
  return std::nullopt;
}

// On one line, and without what a terminal would obey.
std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    line.push_back(byte < 0x20 || byte == 0x7F ? ' ' : c);
  }
  return line;
}

}  // namespace

absl::StatusOr<ReplyPiece> ParseReplyPiece(std::string_view payload) {
  const absl::StatusOr<Json> chunk = ParseJson(payload);
  if (!chunk.ok()) return InvalidArgument("the server sent an event that is no JSON");
  if (Member(*chunk, "error") != nullptr) return Unavailable(ErrorMessage(payload));
  if (!chunk->is_object()) return InvalidArgument("the server sent an event that is no object");
  ReplyPiece piece;
  const Json* usage = Member(*chunk, "usage");
  const Json* tokens = usage == nullptr ? nullptr : Member(*usage, "completion_tokens");
  if (tokens != nullptr && tokens->is_number_integer()) {
    piece.completion_tokens = tokens->get<int64_t>();
  }
  const Json* choices = Member(*chunk, "choices");
  if (choices == nullptr || !choices->is_array() || choices->empty()) return piece;
  const Json& choice = choices->front();
  if (const Json* delta = Member(choice, "delta"); delta != nullptr && delta->is_object()) {
    piece.text = TextMember(*delta, "content");
    piece.reasoning = TextMember(*delta, "reasoning");
    if (piece.reasoning.empty()) piece.reasoning = TextMember(*delta, "reasoning_content");
  } else if (choice.is_object()) {
    piece.text = TextMember(choice, "text");
  }
  return piece;
}

std::string ErrorMessage(std::string_view body) {
  const absl::StatusOr<Json> parsed = ParseJson(body);
  if (parsed.ok()) {
    if (const std::optional<std::string> message = FindMessage(*parsed)) return OneLine(*message);
  }
  return OneLine(body.substr(0, kShownBodyBytes));
}

ReplyPrinter::ReplyPrinter(std::ostream& out, bool terminal, Clock& clock)
    : out_(out), terminal_(terminal), clock_(clock), start_(clock.Now()) {}

void ReplyPrinter::Write(std::string_view text) {
  if (!terminal_) {
    out_ << text;
    return;
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t' || (byte >= 0x20 && byte != 0x7F)) out_ << c;
  }
}

void ReplyPrinter::Add(const ReplyPiece& piece) {
  if (piece.completion_tokens.has_value()) completion_tokens_ = *piece.completion_tokens;
  if (piece.text.empty() && piece.reasoning.empty()) return;
  ++pieces_;
  if (!to_first_token_.has_value()) to_first_token_ = clock_.Now() - start_;
  if (!piece.reasoning.empty()) {
    if (!reasoning_) out_ << "<think>\n";
    reasoning_ = true;
    Write(piece.reasoning);
  }
  if (!piece.text.empty()) {
    if (reasoning_) out_ << "\n</think>\n";
    reasoning_ = false;
    text_ += piece.text;
    Write(piece.text);
  }
  out_ << std::flush;
}

void ReplyPrinter::Finish(bool stats) {
  if (reasoning_) out_ << "\n</think>";
  out_ << "\n";
  const double seconds = ToSeconds(clock_.Now() - start_);
  if (stats && to_first_token_.has_value() && seconds > 0) {
    const int64_t tokens = completion_tokens_.value_or(pieces_);
    char lines[200];
    std::snprintf(
        lines, sizeof(lines), "TTFT: %.2f ms\nTPS:  %.2f tokens/s (%s%lld tokens in %.2fs)\n",
        ToMilliseconds(*to_first_token_), static_cast<double>(tokens) / seconds,
        completion_tokens_.has_value() ? "" : "about ", static_cast<long long>(tokens), seconds);
    out_ << lines;
  }
  out_ << std::flush;
}

}  // namespace baton::frontend
