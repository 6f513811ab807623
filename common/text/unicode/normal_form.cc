#include "common/text/unicode/normal_form.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "common/text/unicode/char_properties.h"
#include "common/text/unicode/code_point_runs.h"
#include "common/text/unicode/front_tracer.h"
#include "common/text/unicode/reference_properties.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

constexpr uint32_t kDecompositions[] = {
#include "common/text/unicode/decompositions.inc"
};
constexpr uint32_t kClassRuns[] = {
#include "common/text/unicode/combining_classes.inc"
};
// Where they differ from the canonical ones.
constexpr uint32_t kCompatibility[] = {
#include "common/text/unicode/compatibility.inc"
};
// Triples: first, second, composite.
constexpr uint32_t kCompositions[] = {
#include "common/text/unicode/compositions.inc"
};
static_assert(std::size(kCompositions) % 3 == 0);

// Hangul syllables compose and decompose by arithmetic.
constexpr uint32_t kSyllables = 0xAC00, kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11A7;
constexpr uint32_t kLeadCount = 19, kVowelCount = 21, kTailCount = 28;
constexpr uint32_t kSyllableCount = kLeadCount * kVowelCount * kTailCount;

// Bytes that are no UTF-8 travel through as code points that do not exist.
constexpr char32_t kRawByte = 0x80000000;

bool IsAsciiWord(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return (word & 0x8080808080808080u) == 0;
}

struct Element {
  char32_t code;
  uint8_t combining_class;
  int16_t change;  // as FrontTracer takes it
};

uint8_t CombiningClass(char32_t code) {
  const uint32_t key = static_cast<uint32_t>(code) << 8 | 0xFF;
  const auto* run = std::upper_bound(std::begin(kClassRuns), std::end(kClassRuns), key);
  return run == std::begin(kClassRuns) ? 0 : static_cast<uint8_t>(*(run - 1));
}

std::span<const uint32_t> Decomposition(char32_t code, bool compatibility) {
  static const CodePointIndex canonical(kDecompositions);
  static const CodePointIndex compatible(kCompatibility);
  if (compatibility) {
    const std::span<const uint32_t> parts = compatible.Find(code);
    if (!parts.empty()) return parts;
  }
  return canonical.Find(code);
}

// `begin`: where the elements begin that come from the same character.
void Append(char32_t code, size_t begin, std::vector<Element>& out) {
  const int16_t change = out.size() > begin ? 1 : 0;
  out.push_back({code, code < kCodePointCount ? CombiningClass(code) : uint8_t{0}, change});
}

void AppendDecomposed(char32_t code, bool compatibility, std::vector<Element>& out) {
  if (code < 0x80) return out.push_back({code, 0, 0});
  const size_t begin = out.size();
  if (code >= kSyllables && code < kSyllables + kSyllableCount) {
    const uint32_t index = code - kSyllables;
    Append(kLeads + index / (kVowelCount * kTailCount), begin, out);
    Append(kVowels + index / kTailCount % kVowelCount, begin, out);
    if (index % kTailCount != 0) Append(kTails + index % kTailCount, begin, out);
    return;
  }
  const std::span<const uint32_t> parts = Decomposition(code, compatibility);
  if (parts.empty()) return Append(code, begin, out);
  for (const uint32_t part : parts) Append(part, begin, out);
}

std::optional<char32_t> Compose(char32_t first, char32_t second) {
  if (first >= kLeads && first < kLeads + kLeadCount && second >= kVowels &&
      second < kVowels + kVowelCount) {
    return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTailCount;
  }
  if (first >= kSyllables && first < kSyllables + kSyllableCount &&
      (first - kSyllables) % kTailCount == 0 && second > kTails && second < kTails + kTailCount) {
    return first + (second - kTails);
  }
  size_t low = 0;
  size_t high = std::size(kCompositions) / 3;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const uint32_t* entry = kCompositions + middle * 3;
    if (std::pair(entry[0], entry[1]) < std::pair(uint32_t{first}, uint32_t{second})) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const uint32_t* entry = kCompositions + low * 3;
  if (low == std::size(kCompositions) / 3 || entry[0] != first || entry[1] != second) {
    return std::nullopt;
  }
  return entry[2];
}

// Sorts every run of marks by combining class, keeping the order of equals.
void OrderMarks(std::vector<Element>& elements) {
  for (size_t i = 0; i < elements.size();) {
    if (elements[i].combining_class == 0) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < elements.size() && elements[end].combining_class != 0) ++end;
    std::stable_sort(
        elements.begin() + static_cast<ptrdiff_t>(i),
        elements.begin() + static_cast<ptrdiff_t>(end),
        [](const Element& a, const Element& b) { return a.combining_class < b.combining_class; });
    i = end;
  }
}

// Joins each starter with the marks that reach it: those with nothing of their own class, or of
// class 0, between.
void ComposeInPlace(std::vector<Element>& elements) {
  size_t out = 0;
  std::optional<size_t> starter;
  for (const Element element : elements) {
    const bool blocked = starter && out > *starter + 1 &&
                         elements[out - 1].combining_class >= element.combining_class;
    if (starter && !blocked) {
      if (const auto composite = Compose(elements[*starter].code, element.code)) {
        elements[*starter].code = *composite;
        elements[*starter].change =
            static_cast<int16_t>(elements[*starter].change + element.change - 1);
        continue;
      }
    }
    if (element.combining_class == 0) starter = out;
    elements[out++] = element;
  }
  elements.resize(out);
}

bool MayChange(char32_t code, NormalForm form) {
  switch (form) {
    case NormalForm::kC:
      return PropertiesOf(code).nfc_may_change();
    case NormalForm::kD:
      return ReferencePropertiesOf(code).nfd_may_change();
    case NormalForm::kKC:
      return PropertiesOf(code).nfc_may_change() || ReferencePropertiesOf(code).nfkd_may_change();
    case NormalForm::kKD:
      return ReferencePropertiesOf(code).nfkd_may_change();
  }
  return true;
}

bool Composes(NormalForm form) { return form == NormalForm::kC || form == NormalForm::kKC; }
bool IsCompatible(NormalForm form) { return form == NormalForm::kKC || form == NormalForm::kKD; }

}  // namespace

bool IsSurelyInForm(std::string_view text, NormalForm form) {
  for (size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      while (at + sizeof(uint64_t) <= text.size() && IsAsciiWord(text.data() + at)) {
        at += sizeof(uint64_t);
      }
      continue;
    }
    const Utf8Char next = DecodeNonAscii(text.substr(at));
    if (MayChange(next.code, form)) return false;
    at += next.length;
  }
  return true;
}

namespace {

std::vector<Element> ElementsInForm(std::string_view text, NormalForm form) {
  std::vector<Element> elements;
  elements.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Char next = DecodeChar(text.substr(at));
    if (next.valid) {
      AppendDecomposed(next.code, IsCompatible(form), elements);
    } else {
      for (uint32_t i = 0; i < next.length; ++i) {
        Append(kRawByte | static_cast<unsigned char>(text[at + i]), elements.size(), elements);
      }
    }
    at += next.length;
  }
  OrderMarks(elements);
  if (Composes(form)) ComposeInPlace(elements);
  return elements;
}

void AppendElement(const Element& element, std::string& out) {
  if (element.code >= kRawByte) {
    out.push_back(static_cast<char>(element.code & 0xFF));
  } else {
    AppendUtf8(element.code, out);
  }
}

}  // namespace

std::string ToNormalForm(std::string_view text, NormalForm form) {
  std::string out;
  out.reserve(text.size());
  for (const Element& element : ElementsInForm(text, form)) AppendElement(element, out);
  return out;
}

size_t FrontInNormalForm(std::string_view text, NormalForm form, size_t front) {
  if (IsSurelyInForm(text, form)) return front;
  FrontTracer tracer(text, front);
  std::string bytes;
  for (const Element& element : ElementsInForm(text, form)) {
    bytes.clear();
    AppendElement(element, bytes);
    if (!tracer.Push(bytes.size(), element.change)) break;
  }
  return tracer.front();
}

}  // namespace baton
