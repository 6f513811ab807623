#include "worker/service/watch_hub.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/status.h"
#include "common/rpc/status_codec.h"

namespace baton::worker {
namespace {

bool SameLoad(const EngineLoad& a, const EngineLoad& b) {
  return a.running == b.running && a.waiting == b.waiting &&
         a.waiting_prefill_tokens == b.waiting_prefill_tokens &&
         a.blocks_active == b.blocks_active && a.blocks_free == b.blocks_free;
}

// `message` names stored and removed hashes.
template <typename Message>
void AddChanges(const KvChanges& changes, Message& message) {
  for (BlockHash hash : changes.stored) message.add_stored(hash.value());
  for (BlockHash hash : changes.removed) message.add_removed(hash.value());
}

v1::WatchFrame DrainFrame(const std::string& reason) {
  v1::WatchFrame frame;
  frame.mutable_drain()->set_reason(reason);
  return frame;
}

}  // namespace

void WatchStream::OnEnded() { hub_.Forget(this); }

WatchHub::WatchHub(Clock& clock, MetricsRegistry& registry)
    : clock_(clock),
      watchers_(registry.AddGauge("baton_worker_watchers", "Watch streams that are open.")),
      slow_watchers_total_(
          registry.AddCounter("baton_worker_slow_watchers_total",
                              "Watch streams cut off because they read too slowly.")),
      load_thread_("load", [this](std::stop_token) { SendLoads(); }) {}

WatchHub::~WatchHub() { Stop(); }

void WatchHub::Begin(const v1::WorkerDescription& description, EngineLoop& engine) {
  BATON_CHECK(engine_ == nullptr) << "WatchHub: begun twice";
  description_ = description;
  engine_ = &engine;
}

WatchStream* WatchHub::Watch(grpc::CallbackServerContext* context) {
  auto stream = std::make_shared<WatchStream>(context, *this);
  stream->KeepAlive();
  v1::WatchFrame hello;
  *hello.mutable_hello()->mutable_worker() = description_;
  {
    MutexLock lock(mutex_);
    hello.mutable_hello()->set_head_seq(head_seq_);
  }
  SendOne(*stream, std::move(hello));
  std::optional<std::string> draining;
  bool stopping = false;
  {
    // After hello: from here on other threads write to the stream.
    MutexLock lock(mutex_);
    stopping = stopping_;
    draining = draining_;
    if (!stopping) streams_.push_back(stream);
    load_changed_ = true;
    watchers_.Set(static_cast<double>(streams_.size()));
  }
  changed_.Signal();
  if (draining.has_value()) SendOne(*stream, DrainFrame(*draining));
  if (stopping) stream->End(ToGrpcStatus(Unavailable("watch: the worker has stopped")));
  engine_->RequestKvSnapshot();
  return stream.get();
}

void WatchHub::Drain(const std::string& reason) {
  Streams streams;
  {
    MutexLock lock(mutex_);
    if (draining_.has_value()) return;
    draining_ = reason;
    streams = streams_;
  }
  Send(streams, DrainFrame(reason));
}

void WatchHub::Stop() {
  Streams streams;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    streams.swap(streams_);
  }
  changed_.Signal();
  for (const auto& stream : streams) {
    stream->End(ToGrpcStatus(Unavailable("watch: the worker has stopped")));
  }
  load_thread_.Join();
}

void WatchHub::OnStep(const StepReport& report) {
  bool changed = false;
  {
    MutexLock lock(mutex_);
    changed = !SameLoad(load_, report.load) || !report.admitted_leases.empty() ||
              !report.finished_leases.empty();
    load_ = report.load;
    admitted_.insert(admitted_.end(), report.admitted_leases.begin(), report.admitted_leases.end());
    finished_.insert(finished_.end(), report.finished_leases.begin(), report.finished_leases.end());
    load_changed_ = load_changed_ || changed;
  }
  if (changed) changed_.Signal();
}

void WatchHub::OnKvEvents(const KvEventBatch& batch) {
  v1::WatchFrame frame;
  v1::WatchFrame::Blocks& blocks = *frame.mutable_blocks();
  blocks.set_seq(batch.seq);
  for (size_t group = 0; group < batch.groups.size(); ++group) {
    const KvChanges& changes = batch.groups[group];
    if (group == 0) {
      AddChanges(changes, blocks);
    } else if (!changes.empty()) {
      v1::WatchFrame::GroupBlocks& more = *blocks.add_groups();
      more.set_group(static_cast<uint32_t>(group));
      AddChanges(changes, more);
    }
  }
  {
    MutexLock lock(mutex_);
    head_seq_ = batch.seq;
  }
  Send(LiveStreams(), frame);
}

void WatchHub::OnKvSnapshot(const KvSnapshot& snapshot) {
  Streams fresh;
  {
    MutexLock lock(mutex_);
    for (const auto& stream : streams_) {
      if (std::exchange(stream->live, true)) continue;
      fresh.push_back(stream);
    }
  }
  for (size_t group = 0; group < snapshot.groups.size(); ++group) {
    SendSnapshot(fresh, snapshot, group);
  }
}

void WatchHub::SendSnapshot(const Streams& streams, const KvSnapshot& snapshot, size_t group) {
  const std::vector<BlockHash>& hashes = snapshot.groups[group];
  const bool last_group = group + 1 == snapshot.groups.size();
  size_t offset = 0;
  do {
    const size_t end = std::min(offset + kSnapshotHashesMax, hashes.size());
    v1::WatchFrame frame;
    v1::WatchFrame::Snapshot& chunk = *frame.mutable_snapshot();
    chunk.set_as_of_seq(snapshot.as_of_seq);
    chunk.set_group(static_cast<uint32_t>(group));
    for (; offset < end; ++offset) chunk.add_hashes(hashes[offset].value());
    chunk.set_last(last_group && offset == hashes.size());
    Send(streams, frame);
  } while (offset < hashes.size());
}

void WatchHub::SendLoads() {
  MonotonicTime next = clock_.Now();
  while (true) {
    Streams streams;
    v1::WatchFrame frame;
    {
      MutexLock lock(mutex_);
      while (!load_changed_ && !stopping_) changed_.Wait(lock);
      while (!stopping_ && clock_.Now() < next) {
        if (!changed_.WaitUntil(clock_, lock, next)) break;
      }
      if (stopping_) return;
      frame = TakeLoadLocked();
      streams = streams_;
    }
    Send(streams, frame);
    next = clock_.Now() + kLoadInterval;
  }
}

v1::WatchFrame WatchHub::TakeLoadLocked() {
  v1::WatchFrame frame;
  v1::WatchFrame::Load& load = *frame.mutable_load();
  load.set_running(static_cast<uint32_t>(load_.running));
  load.set_waiting(static_cast<uint32_t>(load_.waiting));
  load.set_waiting_prefill_tokens(static_cast<uint64_t>(load_.waiting_prefill_tokens));
  load.set_blocks_active(static_cast<uint32_t>(load_.blocks_active));
  load.set_blocks_free(static_cast<uint32_t>(load_.blocks_free));
  load.set_step_ms(static_cast<float>(load_.step_seconds * 1e3));
  for (uint64_t lease : std::exchange(admitted_, {})) load.add_admitted_leases(lease);
  for (uint64_t lease : std::exchange(finished_, {})) load.add_finished_leases(lease);
  load_changed_ = false;
  return frame;
}

WatchHub::Streams WatchHub::LiveStreams() {
  Streams live;
  MutexLock lock(mutex_);
  for (const auto& stream : streams_) {
    if (stream->live) live.push_back(stream);
  }
  return live;
}

void WatchHub::Send(const Streams& streams, const v1::WatchFrame& frame) {
  for (const auto& stream : streams) SendOne(*stream, frame);
}

void WatchHub::SendOne(WatchStream& stream, v1::WatchFrame frame) {
  if (stream.Write(std::move(frame)) != PushResult::kFull) return;
  slow_watchers_total_.Increment();
  stream.CutOff(ToGrpcStatus(ResourceExhausted("watch: the watcher reads too slowly")));
}

void WatchHub::Forget(const WatchStream* stream) {
  std::shared_ptr<WatchStream> dying;  // may be the last reference: dies after the lock
  MutexLock lock(mutex_);
  const auto entry = std::find_if(streams_.begin(), streams_.end(),
                                  [stream](const auto& other) { return other.get() == stream; });
  if (entry == streams_.end()) return;
  dying = std::move(*entry);
  streams_.erase(entry);
  watchers_.Set(static_cast<double>(streams_.size()));
}

}  // namespace baton::worker
