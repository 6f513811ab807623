// Requests under way at workers, as the rest of the frontend sees them: one call per request, its
// events in order, no RPC type in sight.
//
//   std::shared_ptr<WorkerCall> call = calls.Submit(worker, std::move(request), listener);
//   call->Cancel();
//
// Threading: thread-safe. A listener's events come one after another, from an RPC thread: they must
// not block. They may begin before Submit returns.
// Ownership: the call keeps its listener alive until it is over or cancelled.
// Errors:    everything arrives as OnFailed: UNAVAILABLE when the worker cannot be reached, is gone
//            in mid-stream or our queue to it is full; ABORTED for a stale epoch; otherwise what
//            the worker said, with its retry time and field.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "baton/v1/common.pb.h"
#include "baton/v1/inference.pb.h"

namespace baton::frontend {

class WorkerCallListener {
 public:
  virtual ~WorkerCallListener() = default;

  virtual void OnAccepted(v1::Accepted accepted) = 0;
  // New tokens of one choice; `finished` when the same step ended that choice. A listener takes
  // what it keeps; what it leaves is used again for the next step.
  virtual void OnTokens(v1::Tokens&& tokens, std::optional<v1::Finished>&& finished) = 0;
  // The end of a choice in a step without tokens for it.
  virtual void OnFinished(v1::Finished finished) = 0;
  // The call is over. No event follows.
  virtual void OnFailed(absl::Status status) = 0;
};

class WorkerCall {
 public:
  virtual ~WorkerCall() = default;

  // Tells the worker to stop, at once. No event starts after it returns, but one that runs already
  // may go on. Idempotent; does nothing when the call is over.
  virtual void Cancel() = 0;

  // Tells the worker to stop one choice, while the others go on; its end still comes as an event.
  virtual void CancelChoice(uint32_t choice) = 0;
};

class WorkerCalls {
 public:
  virtual ~WorkerCalls() = default;

  // Never null. The request's epoch is taken from `worker`.
  virtual std::shared_ptr<WorkerCall> Submit(const v1::WorkerRef& worker,
                                             v1::GenerateRequest request,
                                             std::shared_ptr<WorkerCallListener> listener) = 0;
};

}  // namespace baton::frontend
