#include "frontend/admission/json_values.h"

namespace baton::frontend {
namespace {

// The place behind the text whose first quote is at `begin`.
size_t EndOfText(std::string_view body, size_t begin) {
  size_t quote = begin;
  while ((quote = body.find('"', quote + 1)) != std::string_view::npos) {
    size_t backslashes = 0;
    while (body[quote - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return quote + 1;
  }
  return body.size();
}

}  // namespace

bool HoldsMoreJsonValues(std::string_view body, size_t values_max) {
  if (body.size() <= values_max) return false;
  size_t values = 0;
  for (size_t i = 0; i < body.size() && values <= values_max;) {
    const char c = body[i];
    values += c == '{' || c == '[' || c == '"' ? 1 : 0;
    i = c == '"' ? EndOfText(body, i) : i + 1;
  }
  return values > values_max;
}

}  // namespace baton::frontend
