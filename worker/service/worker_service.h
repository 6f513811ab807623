// The Worker rpcs: what this worker is, what it holds, how loaded it is, and its end.
//
// Threading: gRPC's callback threads; nothing blocks. Ownership: what it is given outlives it.
// Errors:    NOT_FOUND for another model's or an older card.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>

#include "baton/v1/worker.grpc.pb.h"
#include "common/base/clock.h"
#include "worker/engine/engine_loop.h"
#include "worker/service/drain_monitor.h"
#include "worker/service/model_card.h"
#include "worker/service/served_model.h"
#include "worker/service/watch_hub.h"

namespace baton::worker {

class WorkerService final : public v1::Worker::CallbackService {
 public:
  // `begin_drain` makes the worker refuse what is new, and tells the watchers; called per Drain.
  WorkerService(const ServedModel& model, const ModelCard& card, WatchHub& hub, EngineLoop& engine,
                Clock& clock, std::function<void()> begin_drain);

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const v1::DescribeRequest* request,
                                     v1::WorkerDescription* reply) override;
  grpc::ServerWriteReactor<v1::WatchFrame>* Watch(grpc::CallbackServerContext* context,
                                                  const v1::WatchRequest* request) override;
  grpc::ServerWriteReactor<v1::ModelCardChunk>* FetchModelCard(
      grpc::CallbackServerContext* context, const v1::FetchModelCardRequest* request) override;
  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context,
                                  const v1::DrainRequest* request, v1::DrainReply* reply) override;

  // Answers the Drain calls that wait.
  void Stop() { drains_.Stop(); }

 private:
  const ServedModel& model_;
  const ModelCard& card_;
  WatchHub& hub_;
  Clock& clock_;
  const std::function<void()> begin_drain_;
  DrainMonitor drains_;
};

}  // namespace baton::worker
