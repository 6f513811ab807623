#include "router/membership/worker_watch.h"

#include <utility>

namespace baton::router {

std::shared_ptr<WorkerWatch> WorkerWatch::Start(std::shared_ptr<grpc::Channel> channel,
                                                uint64_t watch_id, WatchListener& listener) {
  std::shared_ptr<WorkerWatch> watch(new WorkerWatch(std::move(channel), watch_id, listener));
  watch->self_ = watch;
  watch->stub_->async()->Watch(&watch->context_, &watch->request_, watch.get());
  watch->AddHold();  // ReadNext comes from outside the reactions: gRPC must not finish between
  watch->StartRead(&watch->frame_);
  watch->StartCall();
  return watch;
}

WorkerWatch::WorkerWatch(std::shared_ptr<grpc::Channel> channel, uint64_t watch_id,
                         WatchListener& listener)
    : watch_id_(watch_id), listener_(listener), stub_(v1::Worker::NewStub(std::move(channel))) {}

void WorkerWatch::ReadNext() { StartRead(&frame_); }

void WorkerWatch::OnReadDone(bool ok) {
  if (!ok) {
    RemoveHold();
    return;
  }
  listener_.OnWatchFrame(watch_id_, std::move(frame_));
}

void WorkerWatch::OnDone(const grpc::Status& status) {
  const std::shared_ptr<WorkerWatch> self = std::move(self_);
  listener_.OnWatchClosed(
      watch_id_, status.ok() ? absl::UnavailableError("watch: the worker ended it")
                             : absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                                            status.error_message()));
}

}  // namespace baton::router
