#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/base/status.h"

namespace baton {

// How each type of option is read from text, shown as a default, and named in --help. The set of
// types is closed; OptionTable is its only user.
//
// Threading: any thread. Errors: INVALID_ARGUMENT that says what was expected.

absl::Status ParseOption(std::string_view text, bool& value);  // true/false, yes/no, on/off, 1/0
absl::Status ParseOption(std::string_view text, double& value);
absl::Status ParseOption(std::string_view text, std::string& value);
absl::Status ParseOption(std::string_view text, Duration& value);  // 500us 20ms 1.5s 2m 1h; 30 = s
// Appends what stands between the separators; where those are commas, also a list of JSON, ["a",
// "b"].
absl::Status ParseListOption(std::string_view text, char separator,
                             std::vector<std::string>& values);

// What a number's last letter multiplies it by: k, m and g by powers of 1000, K, M and G by those
// of 1024, as vLLM has it; 1 where there is none. Takes the letter off.
int64_t TakeMultiple(std::string_view& text);

// 4096, 32k, 128K.
template <std::integral Integer>
absl::Status ParseOption(std::string_view text, Integer& value) {
  const int64_t multiple = TakeMultiple(text);
  Integer number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return InvalidArgument("number out of range");
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument("expected an integer");
  }
  if (__builtin_mul_overflow(number, multiple, &value)) {
    return InvalidArgument("number out of range");
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ParseOption(std::string_view text, std::optional<T>& value) {
  T parsed{};
  absl::Status status = ParseOption(text, parsed);
  if (status.ok()) value = std::move(parsed);
  return status;
}

std::string OptionToText(bool value);
std::string OptionToText(double value);
std::string OptionToText(const std::string& value);
std::string OptionToText(Duration value);
std::string OptionToText(const std::vector<std::string>& values);
template <std::integral Integer>
std::string OptionToText(Integer value) {
  return std::to_string(value);
}
template <typename T>
std::string OptionToText(const std::optional<T>& value) {
  return value.has_value() ? OptionToText(*value) : std::string();
}

// A list starts empty in each source that names it; other types are simply written over.
template <typename T>
void ClearOption(T&) {}
inline void ClearOption(std::vector<std::string>& values) { values.clear(); }

template <typename T>
struct OptionalElement {
  using type = T;
};
template <typename T>
struct OptionalElement<std::optional<T>> {
  using type = T;
};

template <typename T>
std::string OptionTypeName() {
  using Element = typename OptionalElement<T>::type;
  if constexpr (std::same_as<Element, bool>) {
    return "BOOL";
  } else if constexpr (std::integral<Element>) {
    return "N";
  } else if constexpr (std::same_as<Element, double>) {
    return "X";
  } else if constexpr (std::same_as<Element, Duration>) {
    return "DURATION";
  } else {
    return "TEXT";
  }
}

}  // namespace baton
