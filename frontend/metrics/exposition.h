// Merges Prometheus text pages: each page's samples get a label `component`, and a family that
// several pages have is written once, with all its samples.
//
// Threading: pure functions. Errors: none; lines that are no samples are dropped.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::frontend {

struct ExpositionPage {
  std::string component;
  std::string text;
};

std::string MergeExpositions(const std::vector<ExpositionPage>& pages);

}  // namespace baton::frontend
