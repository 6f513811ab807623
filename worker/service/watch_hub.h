// Passes what the engine reports on to everybody who watches this worker.
//
// A watcher gets hello at once, a snapshot when the engine has answered for one, and from then on
// every batch behind the snapshot's number: both come from the engine's thread, so nothing falls
// between them. Load goes out when it has changed, at most every 20 ms, together with the leases
// that have come and gone since. A watcher whose queue is full is cut off; it connects again and
// starts from a snapshot. The engine never waits.
//
// Threading: thread-safe. OnStep, OnKv… come on the engine thread; load is sent by the thread
// `load`. Ownership: watchers are shared with gRPC. The engine is set once, before the first
// watcher.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "baton/v1/worker.grpc.pb.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/owned_thread.h"
#include "common/obs/metrics.h"
#include "common/rpc/bounded_write_reactor.h"
#include "worker/engine/engine_loop.h"

namespace baton::worker {

class WatchHub;

// One watcher's stream.
class WatchStream final
    : public BoundedWriteReactor<v1::WatchFrame, grpc::ServerWriteReactor<v1::WatchFrame>> {
 public:
  static constexpr size_t kFramesWaitingMax = 4096;

  WatchStream(grpc::CallbackServerContext* context, WatchHub& hub)
      : BoundedWriteReactor(context, kFramesWaitingMax), hub_(hub) {}

 private:
  friend class WatchHub;

  void OnEnded() override;

  WatchHub& hub_;
  bool live = false;  // has its snapshot; guarded by the hub's mutex
};

class WatchHub final : public EngineObserver {
 public:
  static constexpr Duration kLoadInterval = std::chrono::milliseconds(20);
  static constexpr size_t kSnapshotHashesMax = 32 * 1024;  // per frame

  WatchHub(Clock& clock, MetricsRegistry& registry);
  ~WatchHub() override;

  // REQUIRES: called once, before Watch.
  void Begin(const v1::WorkerDescription& description, EngineLoop& engine);

  WatchStream* Watch(grpc::CallbackServerContext* context);

  // Tells everybody, now and later, that this worker takes nothing new. Idempotent.
  void Drain(const std::string& reason);

  // Ends the streams and the thread. Idempotent.
  void Stop();

  void OnStep(const StepReport& report) override;
  void OnKvEvents(const KvEventBatch& batch) override;
  void OnKvSnapshot(const KvSnapshot& snapshot) override;

 private:
  friend class WatchStream;
  using Streams = std::vector<std::shared_ptr<WatchStream>>;

  void SendLoads();
  v1::WatchFrame TakeLoadLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Streams LiveStreams();
  void SendSnapshot(const Streams& streams, const KvSnapshot& snapshot, size_t group);
  void Send(const Streams& streams, const v1::WatchFrame& frame);
  void SendOne(WatchStream& stream, v1::WatchFrame frame);
  void Forget(const WatchStream* stream);

  Clock& clock_;
  Gauge& watchers_;
  Counter& slow_watchers_total_;
  v1::WorkerDescription description_;  // constant after Begin
  EngineLoop* engine_ = nullptr;

  Mutex mutex_;
  CondVar changed_;
  Streams streams_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::string> draining_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool load_changed_ ABSL_GUARDED_BY(mutex_) = false;
  EngineLoad load_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> admitted_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> finished_ ABSL_GUARDED_BY(mutex_);
  uint64_t head_seq_ ABSL_GUARDED_BY(mutex_) = 0;

  OwnedThread load_thread_;
};

}  // namespace baton::worker
