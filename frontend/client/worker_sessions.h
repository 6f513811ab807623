// The sessions to all workers: one per worker process, made when the first request goes there.
//
// A worker process is its address and epoch: a worker that has restarted gets a new session, the
// old one ends with its calls. Sessions that are over, or idle for long, are dropped by Sweep.
//
// Threading: thread-safe.
// Ownership: the channel factory is kept; calls may outlive this object and then fail.
// Errors:    see WorkerCalls.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "frontend/client/worker_calls.h"

namespace grpc {
class Channel;
}

namespace baton::frontend {

class Session;

class WorkerSessions : public WorkerCalls {
 public:
  using ChannelFactory = std::function<std::shared_ptr<grpc::Channel>(const std::string& address)>;

  WorkerSessions(ChannelFactory make_channel, Clock& clock);
  ~WorkerSessions() override;

  std::shared_ptr<WorkerCall> Submit(const v1::WorkerRef& worker, v1::GenerateRequest request,
                                     std::shared_ptr<WorkerCallListener> listener) override;

  // Drops sessions that are over, and closes those without calls since `idle`.
  void Sweep(Duration idle);

  size_t session_count() const;

  // Ends every session: open calls fail. New calls fail too. Does not wait.
  void Close();

  // Waits until no listener will be called any more. REQUIRES: Close was called.
  void Join();

 private:
  using Key = std::pair<std::string, uint64_t>;  // address, epoch

  struct Entry {
    std::shared_ptr<Session> session;
    MonotonicTime last_used;
  };

  std::shared_ptr<Session> SessionFor(const v1::WorkerRef& worker);
  std::shared_ptr<Session> OpenSession(const std::string& address);

  const ChannelFactory make_channel_;
  Clock& clock_;

  mutable Mutex mutex_;
  absl::flat_hash_map<Key, Entry> sessions_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int streams_open_ ABSL_GUARDED_BY(mutex_) = 0;
  CondVar all_over_;
};

}  // namespace baton::frontend
