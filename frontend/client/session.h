// One multiplexed stream to one worker process: many calls, one frame per engine step.
//
// The stream is opened with the first command and ends with the process at its other end, with an
// error, or with Close. All its open calls then fail with UNAVAILABLE; a session that has ended
// takes no more calls, and its owner makes another.
//
// Threading: thread-safe. Reactor events come one after another on gRPC's threads, where listeners
//            are called with no lock held.
// Ownership: keeps itself alive until the stream is over; calls keep their listeners.
// Errors:    see WorkerCalls. A command queue of kCommandsMax that is full fails the new call with
//            UNAVAILABLE; cancellations always find room, because each belongs to an open call
//            or choice.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "baton/v1/inference.grpc.pb.h"
#include "common/concurrency/mutex.h"
#include "frontend/client/worker_calls.h"

namespace baton::frontend {

class Session : public grpc::ClientBidiReactor<v1::SessionCommand, v1::SessionFrame>,
                public std::enable_shared_from_this<Session> {
 public:
  static constexpr size_t kCommandsMax = 16384;

  // Opens the stream. Events may come before it returns.
  // `on_over` runs once, when the stream is over and every call has been told.
  static std::shared_ptr<Session> Open(std::shared_ptr<grpc::Channel> channel,
                                       std::function<void()> on_over);

  // Sends a request. False: the stream is over, the listener heard nothing.
  // `choices` is the number of ends that the call has.
  std::shared_ptr<WorkerCall> Submit(v1::GenerateRequest request, uint32_t choices,
                                     std::shared_ptr<WorkerCallListener> listener);

  bool over() const;
  size_t call_count() const;

  // Ends the stream; open calls fail.
  void Close();

 private:
  class Call;

  struct OpenCall {
    std::shared_ptr<WorkerCallListener> listener;
    uint32_t choices_left = 0;
  };
  using CallMap = absl::flat_hash_map<uint64_t, OpenCall>;

  Session(std::shared_ptr<grpc::Channel> channel, std::function<void()> on_over);
  void Start();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  void Dispatch(v1::SessionFrame& frame);
  void DispatchTokens(v1::SessionFrame& frame);
  std::shared_ptr<WorkerCallListener> ListenerOf(uint64_t call);
  // Counts one end of a choice; the listener to tell, if the call is open.
  std::shared_ptr<WorkerCallListener> EndChoice(uint64_t call);
  std::shared_ptr<WorkerCallListener> RemoveCall(uint64_t call);
  void CancelCall(uint64_t call);
  void CancelChoice(uint64_t call, uint32_t choice);
  void WriteNextLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction.
  const std::unique_ptr<v1::Inference::Stub> stub_;
  const std::function<void()> on_over_;
  grpc::ClientContext context_;

  // Owned by the one read that is under way.
  v1::SessionFrame frame_;

  mutable Mutex mutex_;
  std::shared_ptr<Session> self_ ABSL_GUARDED_BY(mutex_);  // until OnDone
  CallMap calls_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::SessionCommand> commands_ ABSL_GUARDED_BY(mutex_);  // the first is being written
  uint64_t next_call_ ABSL_GUARDED_BY(mutex_) = 1;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace baton::frontend
