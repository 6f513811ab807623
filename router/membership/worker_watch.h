// One Watch stream to one worker: reads a frame, hands it on, and reads the next only when asked.
//
// So at most one frame of each worker is ever in flight to the state thread, and a slow router
// holds a worker's stream back instead of growing a queue.
//
// Threading: the listener is called on gRPC's callback threads, one call at a time, and must not
//            block; ReadNext and Cancel may be called from any thread.
// Ownership: shared; the stream keeps itself alive until gRPC is done with it.
// Errors:    every stream ends with exactly one OnWatchClosed.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/status/status.h"
#include "baton/v1/worker.grpc.pb.h"

namespace baton::router {

class WatchListener {
 public:
  virtual ~WatchListener() = default;
  virtual void OnWatchFrame(uint64_t watch_id, v1::WatchFrame frame) = 0;
  virtual void OnWatchClosed(uint64_t watch_id, absl::Status status) = 0;
};

class WorkerWatch final : public grpc::ClientReadReactor<v1::WatchFrame> {
 public:
  // Opens the stream and reads the first frame. The listener outlives the stream.
  static std::shared_ptr<WorkerWatch> Start(std::shared_ptr<grpc::Channel> channel,
                                            uint64_t watch_id, WatchListener& listener);

  // The last frame has been dealt with: reads one more.
  void ReadNext();

  // Ends the stream; OnWatchClosed follows.
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  WorkerWatch(std::shared_ptr<grpc::Channel> channel, uint64_t watch_id, WatchListener& listener);

  const uint64_t watch_id_;
  WatchListener& listener_;
  const std::unique_ptr<v1::Worker::Stub> stub_;
  grpc::ClientContext context_;
  const v1::WatchRequest request_;
  v1::WatchFrame frame_;
  std::shared_ptr<WorkerWatch> self_;  // until OnDone
};

}  // namespace baton::router
