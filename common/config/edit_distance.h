#pragma once

#include <span>
#include <string>
#include <string_view>

namespace baton {

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
int EditDistance(std::string_view a, std::string_view b);

// The candidate nearest to what a user typed, or empty if none is near enough to be meant.
std::string NearestName(std::string_view typed, std::span<const std::string> candidates);

}  // namespace baton
