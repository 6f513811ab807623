#include "common/text/unicode/reference_properties.h"

#include "common/text/unicode/code_point_runs.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

constexpr uint32_t kPropertyRuns[] = {
#include "common/text/unicode/reference_properties.inc"
};
constexpr uint32_t kScriptRuns[] = {
#include "common/text/unicode/scripts.inc"
};
// Code point, length, its lower case.
constexpr uint32_t kLowercase[] = {
#include "common/text/unicode/lowercase.inc"
};

const CodePointIndex& LowercaseIndex() {
  static const CodePointIndex index(kLowercase);
  return index;
}

}  // namespace

ReferenceProperties ReferencePropertiesOf(char32_t code) {
  static const CodePointBytes table(kPropertyRuns);
  return ReferenceProperties(table[code]);
}

void AppendLowercase(char32_t code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code >= 'A' && code <= 'Z' ? code + 0x20 : code));
    return;
  }
  const std::span<const uint32_t> lower = LowercaseIndex().Find(code);
  if (lower.empty()) return AppendUtf8(code, out);
  for (const uint32_t part : lower) AppendUtf8(part, out);
}

uint8_t ScriptOf(char32_t code) {
  static const CodePointBytes table(kScriptRuns);
  return table[code];
}

}  // namespace baton
