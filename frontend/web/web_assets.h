// What the server shows in a browser, carried in the program: nothing is fetched from elsewhere.
//
// Threading: immutable, any thread.
#pragma once

#include <string_view>

namespace baton::frontend {

// The bytes of an asset, or an empty view.
std::string_view WebAsset(std::string_view name);

// By the name's ending; "application/octet-stream" for others.
std::string_view MediaTypeOf(std::string_view name);

}  // namespace baton::frontend
