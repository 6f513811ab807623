// Where other threads leave word for the engine: bounded, and it knows which requests are alive.
//
// A request is alive from its Submit until the engine calls Ended. Requests, those that are held
// among them, and their prompt tokens have limits; a cancellation is kept once per living request
// or choice, so it needs none.
//
// Threading: thread-safe; Take and Ended are the engine thread's.
// Errors:    UNAVAILABLE from Submit, with a time to retry after, when the limits are reached or
//            admission has ended: the request was not taken.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "worker/engine/generation_request.h"

namespace baton::worker {

class EngineInbox {
 public:
  struct Limits {
    int32_t max_requests = 0;
    // Of them; the others' places are for those that need not wait for anything.
    int32_t max_held = std::numeric_limits<int32_t>::max();
    int64_t max_prompt_tokens = 0;
  };

  // In the order in which the engine handles it.
  struct Mail {
    std::vector<GenerationRequest> submitted;
    std::vector<std::pair<RequestKey, absl::Status>> cancelled;
    std::vector<std::pair<RequestKey, int32_t>> cancelled_choices;
    std::vector<RequestKey> released;
    std::optional<absl::Status> cancel_all;
    bool snapshot = false;
    bool closed = false;
  };

  explicit EngineInbox(Limits limits) : limits_(limits) {}

  absl::Status Submit(GenerationRequest request);

  // Ends a living request with `reason`; the first one counts. Anything else is ignored.
  void Cancel(RequestKey key, absl::Status reason);
  // Ends one choice of a living request, offset included. Once it has been said as often as the
  // request has choices, it is ignored.
  void CancelChoice(RequestKey key, int32_t choice);
  // Ends all that are alive now.
  void CancelAll(absl::Status reason);

  // Lets a held request go on. Ignored if it is not alive.
  void Release(RequestKey key);

  void RequestSnapshot();

  // Submit answers `reason` from now on.
  void StopAdmission(absl::Status reason);
  void Close();

  // Takes what is there, waiting for something first if `wait`.
  void Take(bool wait, Mail& mail);
  // The same, waiting no longer than until `deadline`.
  void TakeBefore(Clock& clock, MonotonicTime deadline, Mail& mail);
  void Ended(RequestKey key);

  int32_t alive_count() const;
  // Waits until nothing is alive; false if `deadline` came first.
  [[nodiscard]] bool WaitUntilNoneAlive(Clock& clock, MonotonicTime deadline);

 private:
  struct Alive {
    int64_t prompt_tokens = 0;
    int32_t choice_cancellations_left = 0;
    bool cancelled = false;
    bool held = false;
  };

  void TakeLocked(Mail& mail) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasMailLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;

  mutable Mutex mutex_;
  CondVar mail_arrived_;
  CondVar none_alive_;
  Mail mail_ ABSL_GUARDED_BY(mutex_);
  absl::Status admission_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<RequestKey, Alive> alive_ ABSL_GUARDED_BY(mutex_);
  int64_t alive_prompt_tokens_ ABSL_GUARDED_BY(mutex_) = 0;
  int32_t alive_held_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace baton::worker
