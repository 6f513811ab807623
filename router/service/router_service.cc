#include "router/service/router_service.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "router/service/card_relay.h"

namespace baton::router {
namespace {

v1::RouteReply::Reject::Code CodeOf(RejectCode code) {
  switch (code) {
    case RejectCode::kModelNotFound:
      return v1::RouteReply::Reject::CODE_MODEL_NOT_FOUND;
    case RejectCode::kNoWorker:
      return v1::RouteReply::Reject::CODE_NO_WORKER;
    case RejectCode::kNoCapacity:
      return v1::RouteReply::Reject::CODE_NO_CAPACITY;
    case RejectCode::kTooLong:
      return v1::RouteReply::Reject::CODE_TOO_LONG;
  }
  return v1::RouteReply::Reject::CODE_UNSPECIFIED;
}

void FillWorker(const WorkerView& view, v1::WorkerRef& worker) {
  worker.set_worker_id(view.worker_id);
  worker.set_address(view.address);
  worker.set_epoch(view.epoch.value());
}

void FillReply(const RoutePlan& plan, uint64_t lease, v1::RouteReply& reply) {
  if (const auto* rejection = std::get_if<Rejection>(&plan.outcome)) {
    reply.mutable_reject()->set_code(CodeOf(rejection->code));
    reply.mutable_reject()->set_message(rejection->message);
    reply.mutable_reject()->set_retry_after_ms(
        static_cast<uint32_t>(rejection->retry_after.count()));
    return;
  }
  const Placement& placement = std::get<Placement>(plan.outcome);
  FillWorker(*placement.decode, *reply.mutable_placement()->mutable_decode());
  reply.mutable_placement()->set_decode_matched_blocks(placement.matched_blocks);
  reply.mutable_placement()->set_lease(lease);
}

grpc::Status Validate(const v1::RouteRequest& request) {
  if (request.block_hashes_size() > RouterService::kBlocksMax) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            absl::StrCat("route: block_hashes=", request.block_hashes_size(),
                         " allowed=", RouterService::kBlocksMax)};
  }
  return grpc::Status::OK;
}

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context, grpc::Status status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(std::move(status));
  return reactor;
}

void FillModel(const WorkerView& view, v1::ListModelsReply::Entry& entry) {
  v1::ModelInfo& model = *entry.mutable_model();
  model.set_name(view.model_names.front());
  for (size_t i = 1; i < view.model_names.size(); ++i) model.add_aliases(view.model_names[i]);
  model.set_card_digest(view.card_digest);
  model.set_model_digest(view.model_digest);
  model.set_max_model_len(view.max_model_len);
  model.set_vocab_size(view.vocab_size);
  entry.set_block_size(view.block_size);
  entry.set_block_hash_scheme(view.block_hash_scheme);
}

}  // namespace

RouterService::RouterService(const Membership& membership, const RoutePlanner& planner,
                             Reservations& reservations, const Clock& clock,
                             MetricsRegistry& registry, uint64_t tie_seed)
    : membership_(membership),
      planner_(planner),
      reservations_(reservations),
      clock_(clock),
      metrics_(registry),
      tie_seed_(tie_seed) {}

RoutePlan RouterService::Plan(const ClusterSnapshot& cluster, const v1::RouteRequest& request) {
  const std::vector<std::string> excluded(request.excluded_workers().begin(),
                                          request.excluded_workers().end());
  RouteQuery query;
  query.model = request.model();
  query.block_hashes = {request.block_hashes().data(),
                        static_cast<size_t>(request.block_hashes_size())};
  query.prompt_tokens = request.prompt_tokens();
  query.max_new_tokens = request.max_new_tokens();
  query.sequences = request.sequences() == 0 ? 1 : request.sequences();
  query.excluded_workers = excluded;
  query.tie_seed = tie_seed_.fetch_add(1, std::memory_order_relaxed);
  return planner_.Plan(cluster, query);
}

grpc::ServerUnaryReactor* RouterService::Route(grpc::CallbackServerContext* context,
                                               const v1::RouteRequest* request,
                                               v1::RouteReply* reply) {
  const MonotonicTime start = clock_.Now();
  if (grpc::Status valid = Validate(*request); !valid.ok()) return Finish(context, valid);
  const std::shared_ptr<const ClusterSnapshot> cluster = membership_.snapshot();
  const RoutePlan plan = Plan(*cluster, *request);
  uint64_t lease = 0;
  if (const auto* placement = std::get_if<Placement>(&plan.outcome)) {
    lease = reservations_.Add(placement->decode->slot, placement->cost);
    metrics_.placements_total.Increment();
    metrics_.matched_blocks_total.Add(placement->matched_blocks);
    metrics_.requested_blocks_total.Add(request->block_hashes_size());
  } else {
    metrics_.rejects_total.At(std::get<Rejection>(plan.outcome).code).Increment();
  }
  FillReply(plan, lease, *reply);
  metrics_.decision_seconds.Observe(ToSeconds(clock_.Now() - start));
  return Finish(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* RouterService::Explain(grpc::CallbackServerContext* context,
                                                 const v1::RouteRequest* request,
                                                 v1::Explanation* reply) {
  if (grpc::Status valid = Validate(*request); !valid.ok()) return Finish(context, valid);
  const std::shared_ptr<const ClusterSnapshot> cluster = membership_.snapshot();
  const RoutePlan plan = Plan(*cluster, *request);
  FillReply(plan, 0, *reply->mutable_reply());
  for (const CandidateReport& report : plan.candidates) {
    v1::Explanation::Candidate& candidate = *reply->add_candidates();
    FillWorker(*report.worker, *candidate.mutable_worker());
    candidate.set_excluded_by(report.excluded_by.data(), report.excluded_by.size());
    candidate.set_matched_blocks(report.matched_blocks);
    candidate.set_cost(report.cost);
    for (const auto& [name, value] : report.terms) {
      (*candidate.mutable_terms())[std::string(name)] = value;
    }
  }
  return Finish(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* RouterService::Abandon(grpc::CallbackServerContext* context,
                                                 const v1::AbandonRequest* request,
                                                 v1::AbandonReply*) {
  reservations_.Drop(request->lease());
  metrics_.abandons_total.Increment();
  return Finish(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* RouterService::ListModels(grpc::CallbackServerContext* context,
                                                    const v1::ListModelsRequest*,
                                                    v1::ListModelsReply* reply) {
  const std::shared_ptr<const ClusterSnapshot> cluster = membership_.snapshot();
  std::map<std::pair<std::string, std::string>, v1::ListModelsReply::Entry*> entries;
  for (const WorkerView& view : cluster->workers) {
    v1::ListModelsReply::Entry*& entry = entries[{view.model_names.front(), view.card_digest}];
    if (entry == nullptr) {
      entry = reply->add_models();
      FillModel(view, *entry);
    }
    if (view.state == WorkerState::kReady) entry->set_ready_workers(entry->ready_workers() + 1);
  }
  return Finish(context, grpc::Status::OK);
}

grpc::ServerWriteReactor<v1::ModelCardChunk>* RouterService::FetchModelCard(
    grpc::CallbackServerContext* context, const v1::FetchModelCardRequest* request) {
  const std::shared_ptr<const ClusterSnapshot> cluster = membership_.snapshot();
  for (const WorkerView& view : cluster->workers) {
    if (!view.Serves(request->model())) continue;
    if (!request->card_digest().empty() && request->card_digest() != view.card_digest) continue;
    std::shared_ptr<grpc::Channel> channel = membership_.ChannelTo(view.address);
    if (channel != nullptr) return CardRelay::Start(*context, std::move(channel), *request);
  }
  return CardRelay::Refuse({grpc::StatusCode::NOT_FOUND,
                            "fetch model card: no connected worker serves this model and card"});
}

}  // namespace baton::router
