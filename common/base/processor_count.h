#pragma once

#include <string>

namespace baton {

// How many processors this process may keep busy: those it may be scheduled on, or fewer where its
// control group grants less time (a container's CPU limit, rounded up). At least 1.
//
// Threading: any thread; asks the system on each call. `root` is "/" outside of tests.
int UsableProcessorCount(const std::string& root = "/");

}  // namespace baton
