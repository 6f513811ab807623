#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace baton {

// Our status on the wire and back. The codes are the same numbers; the retry time and the field at
// fault (common/base/status.h) travel as google.rpc.RetryInfo and google.rpc.BadRequest in the
// standard error details, which any gRPC client can read. Messages are cut at 2 KB, because
// trailers have a limit.
//
// Threading: any thread. Details that cannot be read are ignored.
grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace baton
