// Bridges between std::string_view, which our interfaces use, and absl::string_view, which the
// distribution's Abseil keeps as a type of its own (no implicit conversion either way).
//
// ToAbsl and ToStd copy nothing. StringHash and StringEqual let an absl::flat_hash_map with
// std::string keys be searched by std::string_view.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace baton {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

struct StringEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

}  // namespace baton
