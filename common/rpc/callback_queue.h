// Keeps gRPC's shared callback queue alive for the life of the process.
//
// All callback clients and servers share one completion queue and its threads, counted by
// reference. In gRPC 1.51, when the last user lets go while a thread of the queue is busy, the
// queue can be freed twice (seen about once in six runs of a test that makes and drops clients; the
// process aborts). One user that never lets go avoids both that and the cost of making the threads
// anew.
//
// Threading: any thread; the first call does the work.
#pragma once

namespace baton {

void HoldCallbackQueue();

}  // namespace baton
