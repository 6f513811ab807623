// Keeps a Watch open to every worker, and publishes what they say as snapshots.
//
//   Membership membership(options, names, DialWorker, clock, index, reservations, metrics);
//   membership.Start();
//   std::shared_ptr<const ClusterSnapshot> cluster = membership.snapshot();
//
// A stream that breaks removes its worker from the candidates at once; it is dialled again with
// growing pauses. A worker that is out of step is cut off and starts from a new snapshot. Names
// from DNS are asked again every `resolve_period`.
//
// Threading: the thread `state` owns the worker table and writes the index; `resolve` waits for
// DNS;
//            snapshot() may be called from any thread and never waits.
// Ownership: index, reservations, clock and metrics outlive it. Stop() ends all streams and joins.
// Errors:    none outward: a worker that fails is counted, logged and tried again.
#pragma once

#include <grpcpp/channel.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "common/concurrency/bounded_queue.h"
#include "common/concurrency/owned_thread.h"
#include "common/concurrency/periodic_task.h"
#include "common/concurrency/snapshot.h"
#include "common/obs/metrics.h"
#include "common/rpc/backoff.h"
#include "router/index/prefix_index.h"
#include "router/load/reservations.h"
#include "router/membership/cluster_snapshot.h"
#include "router/membership/worker_names.h"
#include "router/membership/worker_table.h"
#include "router/membership/worker_watch.h"

namespace baton::router {

struct MembershipOptions {
  Backoff::Options retry = {};
  Duration resolve_period = std::chrono::seconds(2);
  Duration tick_period = std::chrono::milliseconds(50);
};

struct MembershipMetrics {
  explicit MembershipMetrics(MetricsRegistry& registry);

  Gauges& workers;             // by state: syncing, ready, draining
  Counter& resyncs_total;      // watches cut because they were out of step
  Counter& disconnects_total;  // watches that ended by themselves
  Counter& dial_failures_total;
  Gauge& index_blocks;
  Gauge& index_dropped_blocks;
  Counter& reservations_expired_total;
};

class Membership final : public WatchListener {
 public:
  using Dial = std::function<std::shared_ptr<grpc::Channel>(const std::string& address)>;

  Membership(MembershipOptions options, WorkerNames names, Dial dial, Clock& clock,
             PrefixIndex& index, Reservations& reservations, MetricsRegistry& registry);
  ~Membership() override;

  void Start();

  // Ends every stream and joins. Idempotent.
  void Stop();

  std::shared_ptr<const ClusterSnapshot> snapshot() const { return snapshot_.Load(); }

  // A channel to a connected worker, for calls that are passed on; null when it has gone.
  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) const;

  void OnWatchFrame(uint64_t watch_id, v1::WatchFrame frame) override;
  void OnWatchClosed(uint64_t watch_id, absl::Status status) override;

 private:
  struct FrameEvent {
    uint64_t watch_id;
    v1::WatchFrame frame;
  };
  struct ClosedEvent {
    uint64_t watch_id;
    absl::Status status;
  };
  struct NamesEvent {
    std::vector<std::string> addresses;
  };
  using Event = std::variant<FrameEvent, ClosedEvent, NamesEvent>;

  // One worker that should be connected.
  struct Connection {
    Connection(const Backoff::Options& retry, uint64_t seed) : backoff(retry, seed) {}

    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<WorkerWatch> watch;  // null between attempts
    uint64_t watch_id = 0;
    bool cut_off = false;  // its frames no longer count; its end is on the way
    std::optional<MonotonicTime> ready_since;
    Backoff backoff;
    MonotonicTime next_attempt;
    bool wanted = true;  // still named by the source
  };
  using Channels = std::map<std::string, std::shared_ptr<grpc::Channel>>;

  void Run(std::stop_token stop);
  void Handle(FrameEvent& event);
  void Handle(ClosedEvent& event);
  void Handle(NamesEvent& event);
  void Tick();
  void Connect(const std::string& address, Connection& connection);
  void PublishSnapshot();
  void PublishChannels();
  void CancelAll();

  const MembershipOptions options_;
  const WorkerNames names_;
  const Dial dial_;
  Clock& clock_;
  Reservations& reservations_;
  const PrefixIndex& index_;
  MembershipMetrics metrics_;

  Snapshot<ClusterSnapshot> snapshot_;
  Snapshot<Channels> channels_;
  BoundedQueue<Event> inbox_;

  // Owned by the state thread.
  WorkerTable table_;
  std::map<std::string, Connection> connections_;
  std::map<uint64_t, std::string> watched_;  // watch id → address
  uint64_t next_watch_id_ = 1;
  uint64_t expired_counted_ = 0;
  bool changed_ = false;

  std::unique_ptr<PeriodicTask> resolver_;
  std::unique_ptr<OwnedThread> state_thread_;
};

}  // namespace baton::router
