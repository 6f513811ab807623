#include "common/text/unicode/char_properties.h"

#include <algorithm>
#include <iterator>
#include <memory>

namespace baton {
namespace {

constexpr uint32_t kRuns[] = {
#include "common/text/unicode/char_properties.inc"
};

std::unique_ptr<const uint8_t[]> Expand() {
  auto table = std::make_unique<uint8_t[]>(kCodePointCount);
  for (size_t i = 0; i < std::size(kRuns); ++i) {
    const uint32_t begin = kRuns[i] >> 8;
    const uint32_t end = i + 1 < std::size(kRuns) ? kRuns[i + 1] >> 8 : kCodePointCount;
    std::fill(table.get() + begin, table.get() + end, static_cast<uint8_t>(kRuns[i]));
  }
  return table;
}

bool Between(char32_t code, char32_t first, char32_t last) { return code >= first && code <= last; }

}  // namespace

const uint8_t* CharPropertyTable() {
  static const std::unique_ptr<const uint8_t[]> table = Expand();
  return table.get();
}

bool IsWordChar(char32_t code) {
  constexpr CategorySet kWord =
      kLetters | kMarks | SetOf(Category::kNd, Category::kNl, Category::kPc);
  if (PropertiesOf(code).Is(kWord)) return true;
  // Alphabetic by exception: circled, negative circled and squared Latin letters; and join
  // controls.
  return Between(code, 0x24B6, 0x24E9) || Between(code, 0x1F130, 0x1F149) ||
         Between(code, 0x1F150, 0x1F169) || Between(code, 0x1F170, 0x1F189) ||
         Between(code, 0x200C, 0x200D);
}

}  // namespace baton
