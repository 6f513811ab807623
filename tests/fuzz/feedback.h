// Which parts of the program an input reaches: builds with BATON_FUZZ_FEEDBACK call back from every
// block of code. Other builds never do, and everything seems old.
//
// Threading: one writer at a time is exact; several only lose counts.
#pragma once

#include <cstddef>

namespace baton {

// True when code ran that had not run before, since the last call.
bool TookNewPath();

// Distinct places that ran so far.
size_t PlacesReached();

}  // namespace baton
