// One direct request: its events as a stream of their own, then its status.
//
// Threading: as SessionStream. Ownership: shared by gRPC, the engine and the intake.
// Errors:    a refused or failed request ends the stream with that status; a client that leaves
//            cancels the request; one that reads too slowly gets RESOURCE_EXHAUSTED.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>

#include "baton/v1/inference.grpc.pb.h"
#include "common/rpc/bounded_write_reactor.h"
#include "worker/service/session_stream.h"

namespace baton::worker {

class GenerateStream final
    : public BoundedWriteReactor<v1::GenerateEvent, grpc::ServerWriteReactor<v1::GenerateEvent>>,
      public EnginePeer {
 public:
  static constexpr size_t kEventsWaitingMax = 1024;

  static GenerateStream* Start(grpc::CallbackServerContext* context,
                               const SessionStream::Context& parts,
                               const v1::GenerateRequest& request);

  GenerateStream(grpc::CallbackServerContext* context, const SessionStream::Context& parts);

  void OnStep(StepEvents& events) override;

 private:
  void OnCancel() override;
  void OnEnded() override;
  void OnSubmitted(const absl::Status& status);
  void Cancel(const absl::Status& reason);
  void Send(v1::GenerateEvent event);

  const SessionStream::Context parts_;
  const RequestKey key_;
  Mutex cancel_mutex_;
  bool cancelled_ ABSL_GUARDED_BY(cancel_mutex_) = false;

  std::atomic<bool> cut_off_{false};  // more than one thread may find the peer too slow
};

}  // namespace baton::worker
