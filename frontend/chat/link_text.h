// URLs and mail addresses in text made into HTML links, as Jinja's urlize does.
//
// Threading: pure function, in time linear in the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::frontend::internal {

struct LinkOptions {
  std::optional<int64_t> shown_letters_max;     // of a URL; what is cut ends in "..."
  std::string attributes;                       // of each link but those to mail addresses
  std::vector<std::string_view> extra_schemes;  // beside http, https and mailto: "tel:"
};

// What may stand in extra_schemes: "tel:", "ftp://".
bool IsSchemePrefix(std::string_view text);

// `escaped` is text in which HTML's marks are escaped already.
std::string LinkUrls(std::string_view escaped, const LinkOptions& options);

}  // namespace baton::frontend::internal
