// Appends JSON to a string: no document tree, no allocation but the string's own growth.
//
//   std::string body;
//   JsonWriter json(&body);
//   json.BeginObject();
//   json.Key("id").String(id);
//   json.Key("usage").Null();
//   json.EndObject();
//
// Strings are escaped as RFC 8259 asks and otherwise stay UTF-8; a byte sequence that is not UTF-8
// becomes U+FFFD, so the result is always valid JSON. Commas are placed by the writer.
//
// Threading: thread-compatible. Ownership: the string outlives the writer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace baton::frontend {

// Appends `text`, escaped, without quotes.
void AppendJsonEscaped(std::string_view text, std::string* out);

// Appends `text` as a JSON string.
void AppendJsonString(std::string_view text, std::string* out);

// Appends a number that reads back as the same double, with a fraction or an exponent; what is not
// finite becomes null.
void AppendJsonDouble(double value, std::string* out);

class JsonWriter {
 public:
  explicit JsonWriter(std::string* out) : out_(out) {}

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }

  // The key must need no escaping: it is one of ours.
  JsonWriter& Key(std::string_view key);

  JsonWriter& String(std::string_view text);
  JsonWriter& Int(int64_t value);
  JsonWriter& Double(double value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // `json` is a complete value already.
  JsonWriter& Raw(std::string_view json);

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();

  std::string* out_;
  bool need_comma_ = false;
};

}  // namespace baton::frontend
