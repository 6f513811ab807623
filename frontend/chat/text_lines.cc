#include "frontend/chat/text_lines.h"

#include <algorithm>
#include <string>

#include "common/base/status_macros.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/python_text.h"

namespace baton::frontend::internal {
namespace {

bool IsLineEnd(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

}  // namespace

std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = CodePointAt(text, at);
    size_t next = at + SequenceLength(text, at);
    if (IsLineEnd(c)) {
      if (c == '\r' && next < text.size() && text[next] == '\n') ++next;
      lines.push_back(text.substr(start, (keep_ends ? next : at) - start));
      start = next;
    }
    at = next;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

size_t LinesMax(std::string_view text) {
  // The last byte of every line end: ASCII's, U+0085, U+2028 and U+2029.
  const auto ends = std::count_if(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= '\n' && byte <= '\r') || (byte >= 0x1c && byte <= 0x1e) || byte == 0x85 ||
           byte == 0xa8 || byte == 0xa9;
  });
  return static_cast<size_t>(ends) + 1;
}

absl::StatusOr<Value> ReplaceText(RenderContext& context, std::string_view text,
                                  std::string_view from, std::string_view to, WideInt count) {
  RETURN_IF_ERROR(context.ChargeText(text.size()));
  std::string out;
  size_t at = 0;
  WideInt left = count < 0 ? WideInt{1} << 62 : count;
  while (left > 0) {
    RETURN_IF_ERROR(context.ChargeText(to.size()));
    if (!context.arena().Fits(out.size())) return context.Reserve(out.size());
    if (from.empty()) {
      out.append(to);
      --left;
      if (at >= text.size()) break;
      const size_t length = SequenceLength(text, at);
      out.append(text.substr(at, length));
      at += length;
      continue;
    }
    const size_t found = FindText(text, from, at);
    if (found == std::string_view::npos) break;
    out.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
    --left;
  }
  if (at == 0 && out.empty()) return Value::String(text);
  if (at < text.size()) out.append(text.substr(at));
  return NewText(context, out);
}

absl::Status ChargeStrip(RenderContext& context, std::string_view text, const Value& set) {
  constexpr size_t kFar = size_t{1} << 30;
  const size_t set_bytes = set.string() ? std::min(set.text().size(), kFar) : 1;
  return context.ChargeCodePoints(std::min(text.size(), kFar) * set_bytes);
}

absl::StatusOr<Value> PadText(RenderContext& context, std::string_view text, const Value& width,
                              const Value& fill, Padding padding) {
  if (!width.integral()) {
    return TypeError({"'", TypeName(width), "' object cannot be interpreted as an integer"});
  }
  std::string_view filler = " ";
  if (!fill.missing()) {
    if (!fill.string() || CodePointCount(fill.text()) != 1) {
      return TypeError({"The fill character must be exactly one character long"});
    }
    filler = fill.text();
  }
  RETURN_IF_ERROR(context.ChargeCodePoints(text.size()));
  const auto length = static_cast<WideInt>(CodePointCount(text));
  if (width.integer() <= length) return Value::String(text);
  constexpr WideInt kMissingMax = WideInt{1} << 40;  // more than any arena
  const WideInt missing = std::min<WideInt>(width.integer() - length, kMissingMax);
  RETURN_IF_ERROR(context.ReserveAll(static_cast<size_t>(missing), filler.size()));
  WideInt before = 0;
  if (padding == Padding::kLeft) before = missing;
  if (padding == Padding::kBoth) before = missing / 2 + (missing & width.integer() & 1);
  std::string out;
  for (WideInt i = 0; i < before; ++i) out.append(filler);
  out.append(text);
  for (WideInt i = before; i < missing; ++i) out.append(filler);
  return NewText(context, out);
}

}  // namespace baton::frontend::internal
