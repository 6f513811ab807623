#include <gtest/gtest.h>

#include <random>

#include "common/text/unicode/char_properties.h"
#include "common/text/unicode/normal_form.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

std::string Lossy(std::string_view bytes) {
  std::string text;
  AppendLossy(bytes, text);
  return text;
}

TEST(Utf8, RoundTripsEveryCodePoint) {
  for (char32_t code = 0; code < kCodePointCount; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    std::string text;
    AppendUtf8(code, text);
    const Utf8Char first = DecodeChar(text);
    const Utf8Char last = DecodeLastChar("x" + text);
    ASSERT_TRUE(first.valid && last.valid) << static_cast<uint32_t>(code);
    ASSERT_EQ(first.code, code);
    ASSERT_EQ(last.code, code);
    ASSERT_EQ(first.length, text.size());
    ASSERT_EQ(last.length, text.size());
    ASSERT_TRUE(IsValidUtf8(text));
    ASSERT_EQ(IncompleteSuffix(text), 0u);
  }
}

// The examples of the Unicode standard, section 3.9, for replacement of maximal subparts.
TEST(Utf8, ReplacesMaximalSubparts) {
  const std::string r(kReplacementUtf8);
  EXPECT_EQ(Lossy("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(Lossy("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(Lossy("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), r + r + r + r + r + "A" + r + r + "B");
  EXPECT_EQ(Lossy("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), r + r + r + r + "A");
  EXPECT_EQ(Lossy("plain"), "plain");
  EXPECT_EQ(Lossy("\xE2\x82"), r);
}

TEST(Utf8, AssemblesAnyChunkingLikeTheWhole) {
  std::mt19937_64 random(1);
  const std::string units[] = {
      "a",        "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xFF",         "\xE2",
      "\xF0\x9F", "\x80",     "\xF0\x9F\x98", "\xED\xA0",         "text of ascii"};
  for (int round = 0; round < 20000; ++round) {
    std::string bytes;
    for (uint64_t left = random() % 12; left > 0; --left) bytes += units[random() % 11];
    Utf8Assembler assembler;
    std::string text;
    for (size_t at = 0; at < bytes.size();) {
      const size_t length = std::min<size_t>(1 + random() % 4, bytes.size() - at);
      assembler.Push(std::string_view(bytes).substr(at, length), text);
      EXPECT_TRUE(IsValidUtf8(text));
      at += length;
    }
    assembler.Finish(text);
    EXPECT_EQ(text, Lossy(bytes));
    EXPECT_FALSE(assembler.pending());
  }
}

TEST(CharProperties, KnowsCategoriesOfUnicode16) {
  EXPECT_EQ(PropertiesOf('A').category(), Category::kLu);
  EXPECT_EQ(PropertiesOf(0x105C9).category(), Category::kLo);  // new in 16
  EXPECT_EQ(PropertiesOf(0x10FFFF).category(), Category::kCn);
  EXPECT_EQ(PropertiesOf(0xE000).category(), Category::kCo);
  EXPECT_TRUE(PropertiesOf(0x3000).white_space());
  EXPECT_FALSE(PropertiesOf(0x180E).white_space());
  EXPECT_TRUE(PropertiesOf(0x11DE5).numeric());  // new in 17: for Digits only
  EXPECT_FALSE(PropertiesOf(0x11DE5).Is(kNumbers));
  int letters = 0, numbers = 0, marks = 0, spaces = 0;
  for (char32_t code = 0; code < kCodePointCount; ++code) {
    letters += PropertiesOf(code).Is(kLetters);
    numbers += PropertiesOf(code).Is(kNumbers);
    marks += PropertiesOf(code).Is(kMarks);
    spaces += PropertiesOf(code).white_space();
  }
  EXPECT_EQ(letters, 141028);
  EXPECT_EQ(numbers, 1911);
  EXPECT_EQ(marks, 2501);
  EXPECT_EQ(spaces, 25);
}

TEST(CharProperties, WordCharacters) {
  for (const char32_t code : {U'a', U'_', U'9', U'\u0301', U'\u24B6', U'\u200D', U'\u2160'}) {
    EXPECT_TRUE(IsWordChar(code)) << static_cast<uint32_t>(code);
  }
  for (const char32_t code : {U' ', U'-', U'\u00B2', U'\u20AC', U'\u2028'}) {
    EXPECT_FALSE(IsWordChar(code)) << static_cast<uint32_t>(code);
  }
}

TEST(Nfc, ComposesAndOrders) {
  EXPECT_EQ(ToNormalForm("e\u0301", NormalForm::kC), "\u00E9");
  EXPECT_EQ(ToNormalForm("\u212B", NormalForm::kC), "\u00C5");
  EXPECT_EQ(ToNormalForm("a\u0315\u0300\u05AE\u0062", NormalForm::kC), "\u00E0\u05AE\u0315b");
  EXPECT_EQ(ToNormalForm("\u1100\u1161\u11A8", NormalForm::kC), "\uAC01");
  EXPECT_EQ(ToNormalForm("\uAC00\u11A8", NormalForm::kC), "\uAC01");
  EXPECT_EQ(ToNormalForm("\u0958", NormalForm::kC), "\u0915\u093C");  // excluded from composition
  EXPECT_EQ(ToNormalForm("\u0344", NormalForm::kC), "\u0308\u0301");
  EXPECT_EQ(ToNormalForm("e\xFF\u0301", NormalForm::kC),
            "e\xFF\u0301");  // nothing composes over a stray byte
  EXPECT_EQ(ToNormalForm("", NormalForm::kC), "");
}

TEST(Nfc, QuickCheckNeverClaimsTooMuch) {
  std::mt19937_64 random(2);
  const char32_t starts[] = {0x20, 0xC0, 0x300, 0x1100, 0xAC00, 0x900, 0x1E00, 0x2126, 0x3040};
  int sure = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string text;
    for (uint64_t left = random() % 6; left > 0; --left) {
      AppendUtf8(starts[random() % 9] + static_cast<char32_t>(random() % 96), text);
    }
    const std::string composed = ToNormalForm(text, NormalForm::kC);
    if (IsSurelyInForm(text, NormalForm::kC)) {
      ++sure;
      EXPECT_EQ(composed, text);
    }
    EXPECT_EQ(ToNormalForm(composed, NormalForm::kC), composed);
  }
  EXPECT_GT(sure, 1000);
}

}  // namespace
}  // namespace baton
