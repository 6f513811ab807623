// The Router rpcs: translates messages to the planner's terms and back.
//
// Threading: callback API; every method answers on gRPC's thread in microseconds and blocks on
//            nothing. FetchModelCard is passed on by CardRelay.
// Ownership: what it is given outlives it.
// Errors:    a placement that cannot be made is a Reject in the reply, not a status. A message that
//            makes no sense is INVALID_ARGUMENT.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>

#include "baton/v1/router.grpc.pb.h"
#include "common/base/clock.h"
#include "router/load/reservations.h"
#include "router/membership/membership.h"
#include "router/plan/route_planner.h"
#include "router/service/router_metrics.h"

namespace baton::router {

class RouterService final : public v1::Router::CallbackService {
 public:
  // A prompt of more blocks than this is not a prompt.
  static constexpr int kBlocksMax = 1 << 20;

  RouterService(const Membership& membership, const RoutePlanner& planner,
                Reservations& reservations, const Clock& clock, MetricsRegistry& registry,
                uint64_t tie_seed);

  grpc::ServerUnaryReactor* Route(grpc::CallbackServerContext* context,
                                  const v1::RouteRequest* request, v1::RouteReply* reply) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const v1::RouteRequest* request,
                                    v1::Explanation* reply) override;
  grpc::ServerUnaryReactor* Abandon(grpc::CallbackServerContext* context,
                                    const v1::AbandonRequest* request,
                                    v1::AbandonReply* reply) override;
  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const v1::ListModelsRequest* request,
                                       v1::ListModelsReply* reply) override;
  grpc::ServerWriteReactor<v1::ModelCardChunk>* FetchModelCard(
      grpc::CallbackServerContext* context, const v1::FetchModelCardRequest* request) override;

 private:
  // The plan refers to the snapshot that it was made from.
  RoutePlan Plan(const ClusterSnapshot& cluster, const v1::RouteRequest& request);

  const Membership& membership_;
  const RoutePlanner& planner_;
  Reservations& reservations_;
  const Clock& clock_;
  RouterMetrics metrics_;
  std::atomic<uint64_t> tie_seed_;
};

}  // namespace baton::router
