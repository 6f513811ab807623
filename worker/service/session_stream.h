// One peer's stream of many requests: commands come in, one frame per engine step goes out.
//
// A call lives from its Submit to the frame that ends it. A frame that has not been written yet
// takes in those behind it; when even so too many wait, the peer is too slow: all its calls are
// cancelled and the stream ends with RESOURCE_EXHAUSTED. When the stream ends for whatever reason,
// its calls are cancelled. After the peer has closed its side, the stream ends with its last call.
//
// Threading: reads and writes on gRPC's threads, OnStep on the engine's, intake's answers on
// either. Ownership: shared by gRPC, the engine (as the peer of each request) and the intake.
// Errors:    a bad command or a refused request is a CallFailed of that call; the stream goes on.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "baton/v1/inference.grpc.pb.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/bounded_write_reactor.h"
#include "worker/engine/engine_loop.h"
#include "worker/service/inference_metrics.h"
#include "worker/service/request_intake.h"

namespace baton::worker {

class SessionStream final
    : public BoundedWriteReactor<v1::SessionFrame,
                                 grpc::ServerBidiReactor<v1::SessionCommand, v1::SessionFrame>>,
      public EnginePeer {
 public:
  static constexpr size_t kFramesWaitingMax = 64;

  // What a stream needs of the service; outlives it.
  struct Context {
    RequestIntake& intake;
    EngineLoop& engine;
    Clock& clock;
    Epoch epoch;
    InferenceMetrics& metrics;
    size_t frames_waiting_max = kFramesWaitingMax;
  };

  // Starts reading; gRPC shares the ownership until the stream is over.
  static SessionStream* Start(grpc::CallbackServerContext* context, const Context& parts);

  SessionStream(grpc::CallbackServerContext* context, const Context& parts);

  void OnStep(StepEvents& events) override;

 private:
  struct Call {
    RequestKey key;
    bool cancelled = false;
  };

  void OnReadDone(bool ok) override;
  void OnCancel() override;
  void OnEnded() override;

  void Submit(v1::SessionCommand::Submit& command);
  void OnSubmitted(uint64_t call, const absl::Status& status);
  void CancelCall(uint64_t call);
  void CancelChoice(uint64_t call, uint32_t choice);
  void CancelAll(const absl::Status& reason);
  void Fail(uint64_t call, const absl::Status& status);
  void Send(v1::SessionFrame frame);
  void EndIfDone();

  const Context parts_;
  v1::SessionCommand command_;  // being read

  Mutex calls_mutex_;
  absl::flat_hash_map<uint64_t, Call> calls_ ABSL_GUARDED_BY(calls_mutex_);
  bool reads_done_ ABSL_GUARDED_BY(calls_mutex_) = false;

  std::atomic<bool> cut_off_{false};  // more than one thread may find the peer too slow
};

}  // namespace baton::worker
