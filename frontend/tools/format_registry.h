// The formats of one kind, each joined by its own file: found by name, or by the chat template of a
// model that writes them.
//
// Threading: immutable once all have joined. Ownership: formats live as long as the registry.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::frontend {

// `Format` has `names`, the first of them the main one, and `template_signs`.
template <typename Format>
class FormatRegistry {
 public:
  void Add(Format format) { formats_.push_back(std::move(format)); }

  const Format* Find(std::string_view name) const {
    for (const Format& format : formats_) {
      for (const std::string_view own : format.names) {
        if (own == name) return &format;
      }
    }
    return nullptr;
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const Format& format : formats_) {
      names.insert(names.end(), format.names.begin(), format.names.end());
    }
    return names;
  }

  // The format with the longest list of signs that all stand in the template.
  const Format* Recognise(std::string_view template_source) const {
    const Format* best = nullptr;
    size_t most = 0;
    for (const Format& format : formats_) {
      for (const std::vector<std::string_view>& signs : format.template_signs) {
        if (signs.size() <= most || !HasAll(template_source, signs)) continue;
        best = &format;
        most = signs.size();
      }
    }
    return best;
  }

 private:
  static bool HasAll(std::string_view text, const std::vector<std::string_view>& signs) {
    for (const std::string_view sign : signs) {
      if (text.find(sign) == std::string_view::npos) return false;
    }
    return true;
  }

  std::vector<Format> formats_;
};

}  // namespace baton::frontend
