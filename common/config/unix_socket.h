// A listening socket in the file system, for servers that only programs of this machine reach.
//
// Threading: any thread.
// Errors:    INVALID_ARGUMENT for a path that is empty or longer than the system takes; UNAVAILABLE
//            for one that is in use, or is a file of another kind.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace baton {

// A socket that listens at `path`, non-blocking and closed on exec; the caller owns it. A socket
// that a dead server has left there is replaced. The file outlives the socket.
absl::StatusOr<int> OpenUnixSocket(const std::string& path);

// Removes what OpenUnixSocket has made.
void RemoveUnixSocket(const std::string& path);

}  // namespace baton
