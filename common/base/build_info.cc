#include "common/base/build_info.h"

namespace baton {

std::string_view Version() { return BATON_VERSION; }

}  // namespace baton
