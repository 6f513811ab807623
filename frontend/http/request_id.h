// Ids of requests: what a client calls its request, or a name made here.
//
// Threading: any thread.
#pragma once

#include <string>

#include "frontend/http/http_types.h"

namespace baton::frontend {

// The client's x-request-id if it is 1 to 256 visible ASCII characters, else a new id. What does
// not pass never reaches a log or a header.
std::string RequestIdOf(const HttpHeaders& headers);

// 32 random hexadecimal digits. Unique, not secret.
std::string NewRequestId();

}  // namespace baton::frontend
