#include "frontend/json/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace baton::frontend {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

std::string Number(double value) {
  std::string out;
  AppendJsonDouble(value, &out);
  return out;
}

TEST(JsonWriterTest, PlacesCommas) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject().Key("a").Int(-1).Key("b").BeginArray().Bool(true).Null().String("x");
  json.BeginObject().EndObject().EndArray().Key("c").Double(0.5).Key("d").Raw("[]").EndObject();
  EXPECT_EQ(out, R"({"a":-1,"b":[true,null,"x",{}],"c":0.5,"d":[]})");
}

TEST(JsonWriterTest, EscapesWhatMustBe) {
  EXPECT_EQ(Quoted("a\"b\\c\n\r\t\b\f\x01\x1f\x7f"),
            "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u001f\x7f\"");
  EXPECT_EQ(Quoted("gr\xC3\xBC\xC3\x9F \xE6\x9D\xB1 \xF0\x9F\x98\x80"),
            "\"gr\xC3\xBC\xC3\x9F \xE6\x9D\xB1 \xF0\x9F\x98\x80\"");
}

TEST(JsonWriterTest, WhatIsNoUtf8BecomesTheReplacementCharacter) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(Quoted("a\xFFz"), "\"a" + r + "z\"");
  EXPECT_EQ(Quoted("\xC3"), "\"" + r + "\"");                          // cut short
  EXPECT_EQ(Quoted("\xC0\x80"), "\"" + r + r + "\"");                  // overlong
  EXPECT_EQ(Quoted("\xED\xA0\x80"), "\"" + r + r + r + "\"");          // a surrogate
  EXPECT_EQ(Quoted("\xF4\x90\x80\x80"), "\"" + r + r + r + r + "\"");  // above U+10FFFF
}

TEST(JsonWriterTest, NumbersReadBackAsTheSame) {
  EXPECT_EQ(Number(-9999), "-9999.0");
  EXPECT_EQ(Number(static_cast<double>(-0.5483046f)), "-0.5483046174049377");
  EXPECT_EQ(Number(std::numeric_limits<double>::infinity()), "null");
}

}  // namespace
}  // namespace baton::frontend
