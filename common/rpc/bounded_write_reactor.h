#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/write_queue.h"

namespace baton {

// A server stream that any thread may write to: a WriteQueue behind a gRPC reactor.
// `Reactor` is grpc::ServerWriteReactor<Message> or grpc::ServerBidiReactor<Request, Message>.
//
//   class WatchStream : public BoundedWriteReactor<WatchFrame,
//   grpc::ServerWriteReactor<WatchFrame>> auto stream = std::make_shared<WatchStream>(context,
//   256); stream->KeepAlive();              // from here gRPC shares the ownership, until OnDone
//   return stream.get();
//   ...
//   if (stream->Write(frame) == PushResult::kFull) stream->CutOff(slow_watcher_status);
//
// Threading: Write, End and CutOff from any thread; callbacks on gRPC's threads, which never wait.
// Ownership: shared by its writers and, after KeepAlive, by gRPC.
// Errors:    End and CutOff: the first status counts, later ones are ignored. A client that leaves
//            ends the stream with CANCELLED.
template <typename Message, typename Reactor>
class BoundedWriteReactor
    : public Reactor,
      public std::enable_shared_from_this<BoundedWriteReactor<Message, Reactor>> {
 public:
  BoundedWriteReactor(grpc::CallbackServerContext* context, size_t queue_length_max,
                      typename WriteQueue<Message>::Merge merge = {})
      : context_(context), queue_(queue_length_max, std::move(merge)) {}

  // Shares this object with gRPC until OnDone. Called once, before the reactor is returned to it.
  void KeepAlive() {
    MutexLock lock(mutex_);
    self_ = this->shared_from_this();
  }

  // Sends `message` after those before it.
  [[nodiscard]] PushResult Write(Message message) {
    auto [result, next] = queue_.Push(std::move(message));
    Do(next);
    return result;
  }

  // Ends the stream with `status` when all that is queued has been written.
  void End(grpc::Status status) {
    SetStatus(std::move(status));
    Do(queue_.Close());
  }

  // Ends the stream now, dropping what is queued. A write that the peer does not take is broken
  // off by cancelling the call; the peer then sees CANCELLED instead of `status`.
  void CutOff(grpc::Status status) {
    SetStatus(std::move(status));
    {
      MutexLock lock(mutex_);
      if (finished_) return;
      ++holds_;  // keeps Finish, and so the end of context_, away until TryCancel is over
    }
    const bool stuck = queue_.writing();
    Do(queue_.Abort());
    if (stuck) context_->TryCancel();
    ReleaseHold();
  }

 protected:
  // The stream is over; nothing is called afterwards. The default does nothing.
  virtual void OnEnded() {}

  void OnWriteDone(bool ok) final { Do(queue_.OnWriteDone(ok)); }

  void OnCancel() override {
    SetStatus(grpc::Status(grpc::StatusCode::CANCELLED, "the client left"));
    Do(queue_.Abort());
  }

  void OnDone() final {
    OnEnded();
    std::shared_ptr<BoundedWriteReactor> self;
    MutexLock lock(mutex_);
    self.swap(self_);  // dies after the lock, declared before it
  }

 private:
  void SetStatus(grpc::Status status) {
    MutexLock lock(mutex_);
    if (has_status_) return;
    has_status_ = true;
    status_ = std::move(status);
  }

  void Do(typename WriteQueue<Message>::Next next) {
    if (next.write != nullptr) this->StartWrite(next.write);
    if (!next.end) return;
    {
      MutexLock lock(mutex_);
      end_wanted_ = true;
    }
    FinishIfDue();
  }

  void ReleaseHold() {
    {
      MutexLock lock(mutex_);
      --holds_;
    }
    FinishIfDue();
  }

  void FinishIfDue() {
    grpc::Status status;
    {
      MutexLock lock(mutex_);
      if (!end_wanted_ || finished_ || holds_ > 0) return;
      finished_ = true;
      status = status_;
    }
    this->Finish(std::move(status));
  }

  grpc::CallbackServerContext* const context_;  // valid until OnDone
  WriteQueue<Message> queue_;

  Mutex mutex_;
  std::shared_ptr<BoundedWriteReactor> self_ ABSL_GUARDED_BY(mutex_);
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  int holds_ ABSL_GUARDED_BY(mutex_) = 0;
  bool has_status_ ABSL_GUARDED_BY(mutex_) = false;
  bool end_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace baton
