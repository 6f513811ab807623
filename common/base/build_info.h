// What this binary is: shown by --version, GET /version and Describe.
#pragma once

#include <string_view>

namespace baton {

std::string_view Version();

}  // namespace baton
