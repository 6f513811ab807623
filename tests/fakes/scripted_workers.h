// Routers and workers whose every step is written by the test: what was asked stands in `routes`
// and `calls`, and the test plays the answers when it likes.
//
//   ScriptedWorkers fleet;
//   auto generation = Generation::Start({fleet, fleet, metrics}, …);
//   fleet.Place(0, "w1");                        // answers the first Route
//   fleet.Accept(0, /*seed=*/7);
//   fleet.Tokens(0, 0, BytesOf("hello"));
//   fleet.Finish(0, 0, v1::FINISH_REASON_LENGTH);
//
// Threading: used from one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frontend/client/placement_source.h"
#include "frontend/client/worker_calls.h"

namespace baton::frontend {

class ScriptedWorkers : public PlacementSource, public WorkerCalls {
 public:
  struct RouteAsked {
    v1::RouteRequest request;
    RouteCallback callback;
  };
  struct CallMade {
    v1::WorkerRef worker;
    v1::GenerateRequest request;
    std::shared_ptr<WorkerCallListener> listener;
    std::shared_ptr<bool> cancelled;
    std::shared_ptr<std::vector<uint32_t>> cancelled_choices;
  };

  void Route(v1::RouteRequest request, RouteCallback callback) override {
    routes.push_back({std::move(request), std::move(callback)});
  }
  void Abandon(uint64_t lease) override { abandoned.push_back(lease); }

  std::shared_ptr<WorkerCall> Submit(const v1::WorkerRef& worker, v1::GenerateRequest request,
                                     std::shared_ptr<WorkerCallListener> listener) override {
    auto cancelled = std::make_shared<bool>(false);
    auto choices = std::make_shared<std::vector<uint32_t>>();
    calls.push_back({worker, std::move(request), std::move(listener), cancelled, choices});
    return std::make_shared<Call>(cancelled, choices);
  }

  void Place(size_t route, const std::string& worker, uint64_t lease = 1) {
    v1::RouteReply reply;
    reply.mutable_placement()->mutable_decode()->set_worker_id(worker);
    reply.mutable_placement()->mutable_decode()->set_address(worker + ":1");
    reply.mutable_placement()->set_lease(lease);
    routes.at(route).callback(std::move(reply));
  }
  void Reject(size_t route, v1::RouteReply::Reject::Code code, uint32_t retry_after_ms = 0) {
    v1::RouteReply reply;
    reply.mutable_reject()->set_code(code);
    reply.mutable_reject()->set_message("rejected");
    reply.mutable_reject()->set_retry_after_ms(retry_after_ms);
    routes.at(route).callback(std::move(reply));
  }
  void Accept(size_t call, uint64_t seed) {
    v1::Accepted accepted;
    accepted.set_seed(seed);
    calls.at(call).listener->OnAccepted(std::move(accepted));
  }
  void Tokens(size_t call, uint32_t choice, const std::vector<TokenId>& ids,
              std::optional<v1::Finished> finished = std::nullopt) {
    v1::Tokens tokens;
    tokens.set_choice(choice);
    tokens.mutable_ids()->Add(ids.begin(), ids.end());
    calls.at(call).listener->OnTokens(std::move(tokens), std::move(finished));
  }
  void Finish(size_t call, uint32_t choice, v1::FinishReason reason) {
    calls.at(call).listener->OnFinished(End(choice, reason));
  }
  void Fail(size_t call, absl::Status status) {
    calls.at(call).listener->OnFailed(std::move(status));
  }

  static v1::Finished End(uint32_t choice, v1::FinishReason reason,
                          std::optional<TokenId> stop_token = std::nullopt) {
    v1::Finished finished;
    finished.set_choice(choice);
    finished.set_reason(reason);
    if (stop_token.has_value()) finished.set_stop_token(*stop_token);
    return finished;
  }

  std::vector<RouteAsked> routes;
  std::vector<CallMade> calls;
  std::vector<uint64_t> abandoned;

 private:
  class Call : public WorkerCall {
   public:
    Call(std::shared_ptr<bool> cancelled, std::shared_ptr<std::vector<uint32_t>> choices)
        : cancelled_(std::move(cancelled)), choices_(std::move(choices)) {}
    void Cancel() override { *cancelled_ = true; }
    void CancelChoice(uint32_t choice) override { choices_->push_back(choice); }

   private:
    const std::shared_ptr<bool> cancelled_;
    const std::shared_ptr<std::vector<uint32_t>> choices_;
  };
};

}  // namespace baton::frontend
