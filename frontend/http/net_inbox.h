#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "frontend/http/listener.h"

namespace baton::frontend {

// One connection of one net loop, never used again for another.
using ConnectionId = uint64_t;

// How other threads reach a net loop: what they post is taken in one batch per wake-up, so that
// an engine step that writes to a hundred streams wakes the loop once.
//
// Threading: thread-safe; Take and Close belong to the loop's owner.
// Ownership: shared by the loop and the answers in flight, which may outlive it.
// Errors:    after Close everything posted is dropped, and sockets are closed. Bounded without a
//            limit of its own: a connection has at most one ready mark, sockets are counted.
class NetInbox {
 public:
  explicit NetInbox(Clock& clock);
  ~NetInbox();

  NetInbox(const NetInbox&) = delete;
  NetInbox& operator=(const NetInbox&) = delete;

  enum Command : unsigned {
    kStopAccepting = 1,  // close the listening socket
    kDrain = 2,          // close idle connections, and others after their answer
    kCutAll = 4,         // close every connection now
    kStop = 8,           // leave the loop
  };

  struct Batch {
    std::vector<ConnectionId> ready;
    std::vector<AcceptedSocket> accepted;
    unsigned commands = 0;
  };

  // The answer of this connection has something to send.
  void PostReady(ConnectionId id);
  void PostAccepted(AcceptedSocket accepted);
  void PostCommand(Command command);

  // Everything posted since the last call. `*batch` is reused, so that steady work allocates
  // nothing.
  void Take(Batch* batch);
  void Close();

  int event_fd() const { return event_fd_; }
  Clock& clock() const { return clock_; }

  // True from the kDrain command on: answers then say `connection: close`.
  bool draining() const { return draining_.load(std::memory_order_relaxed); }

 private:
  void Wake();

  Clock& clock_;
  const int event_fd_;
  std::atomic<bool> draining_{false};

  Mutex mutex_;
  Batch posted_ ABSL_GUARDED_BY(mutex_);
  bool signalled_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace baton::frontend
