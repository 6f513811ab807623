// How the ranks of one tensor-parallel worker add up, collect and hand out numbers.
//
//   RETURN_IF_ERROR(communicator.AllReduceSum(partial_outputs));   // in place, on every rank
//
// Contract. Every rank calls the same operations in the same order with the same sizes. A result is
// bitwise the same on all ranks and from run to run: contributions are added in ascending order of
// rank. Every operation ends: with its result, at the deadline, or by Abort. After a failure on any
// rank the group is broken for good and every operation returns the first failure; the worker
// restarts. The suite in tests/conformance/communicator_conformance.h states this as tests.
//
// Threading: each rank's object is used by that rank's thread; Abort may be called from any.
// Ownership: buffers belong to the caller and must stay until the call returns.
// Errors:    DEADLINE_EXCEEDED, ABORTED, or INTERNAL when the ranks disagree about the operation;
//            each names rank, operation and its number. The buffers then hold anything.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "worker/parallel/shard.h"

namespace baton::worker {

class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual Shard shard() const = 0;

  // Replaces `data` on every rank by the sum over ranks.
  virtual absl::Status AllReduceSum(absl::Span<float> data) = 0;

  // Fills `all` with every rank's `mine`, in order of rank. REQUIRES: all.size() == mine.size() *
  // shard().size.
  virtual absl::Status AllGather(absl::Span<const float> mine, absl::Span<float> all) = 0;

  // Copies the root's bytes to every other rank's buffer of the same size.
  virtual absl::Status Broadcast(absl::Span<std::byte> bytes, int root) = 0;

  // Breaks the group: wakes every rank that waits. `reason` is what they return. Idempotent.
  virtual void Abort(const absl::Status& reason) = 0;
};

}  // namespace baton::worker
