// The frontend's line to the routers. Any of them can answer: requests go to one after another, and
// one that does not answer is passed over for that request.
//
//   RouterClient routers({"router-0:8081", "router-1:8081"}, RealClock());
//   routers.Route(request, [](absl::StatusOr<v1::RouteReply> reply) { … });
//
// Threading: thread-safe. Route and Abandon return at once; their callbacks come on gRPC's threads.
// Ownership: the destructor cancels what is under way and waits for its callbacks.
// Errors:    UNAVAILABLE, with a retry time, when no router answered; otherwise the router's own.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "baton/v1/router.grpc.pb.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "frontend/client/model_source.h"
#include "frontend/client/placement_source.h"

namespace baton::frontend {

class RouterClient : public PlacementSource, public ModelSource {
 public:
  static constexpr Duration kRouteTimeout = std::chrono::seconds(2);  // of one router
  static constexpr Duration kListTimeout = std::chrono::seconds(2);
  static constexpr Duration kCardTimeout = std::chrono::seconds(60);
  static constexpr size_t kCardBytesMax = size_t{256} << 20;

  // REQUIRES: at least one address.
  RouterClient(const std::vector<std::string>& addresses, Clock& clock);
  ~RouterClient() override;

  void Route(v1::RouteRequest request, RouteCallback callback) override;
  void Abandon(uint64_t lease) override;

  absl::StatusOr<v1::ListModelsReply> ListModels() override;
  absl::StatusOr<ModelCard> FetchModelCard(const v1::FetchModelCardRequest& request) override;

  // Cancels what is under way; later calls fail. Idempotent, does not wait.
  void Close();

  // Waits until no callback will come any more. REQUIRES: Close was called.
  void Join();

 private:
  using Stub = v1::Router::Stub;
  class Pending;  // registers a context for Close
  struct RouteAttempt;

  size_t NextRouter() { return next_router_.fetch_add(1, std::memory_order_relaxed); }
  Stub& StubAt(size_t index) { return *stubs_[index % stubs_.size()]; }
  void SendRoute(std::shared_ptr<RouteAttempt> attempt);
  absl::StatusOr<ModelCard> FetchFrom(Stub& stub, const v1::FetchModelCardRequest& request);
  std::chrono::system_clock::time_point DeadlineAfter(Duration timeout) const;

  Clock& clock_;
  std::vector<std::unique_ptr<Stub>> stubs_;
  std::atomic<size_t> next_router_{0};

  Mutex mutex_;
  CondVar idle_;
  absl::flat_hash_set<grpc::ClientContext*> contexts_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace baton::frontend
