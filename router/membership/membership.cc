#include "router/membership/membership.h"

#include <functional>
#include <set>
#include <utility>

#include "common/base/check.h"
#include "common/obs/log.h"

namespace baton::router {
namespace {

// Per worker: a frame and the end of its stream, for a stream and its successor.
constexpr size_t kInboxMax = 4 * WorkerNames::kAddressesMax + 16;

// Events between two publications: readers see a snapshot that is a few milliseconds old at most,
// however busy the inbox is.
constexpr int kEventsPerTurn = 256;

// Routers that lost the same worker must not come back in step.
uint64_t BackoffSeed(const std::string& address, MonotonicTime now) {
  return std::hash<std::string>()(address) ^ static_cast<uint64_t>(now.time_since_epoch().count());
}

}  // namespace

MembershipMetrics::MembershipMetrics(MetricsRegistry& registry)
    : workers(registry.AddGauges("baton_router_workers", "Connected workers by state.",
                                 {{"state", {"syncing", "ready", "draining"}}})),
      resyncs_total(registry.AddCounter("baton_router_watch_resyncs_total",
                                        "Watches cut because they were out of step.")),
      disconnects_total(registry.AddCounter("baton_router_watch_disconnects_total",
                                            "Watches that broke after hello.")),
      dial_failures_total(registry.AddCounter("baton_router_dial_failures_total",
                                              "Attempts to watch a worker that got no hello.")),
      index_blocks(registry.AddGauge("baton_router_index_blocks",
                                     "Distinct KV blocks known to be held by a worker.")),
      index_dropped_blocks(registry.AddGauge("baton_router_index_dropped_blocks",
                                             "Blocks left out of the index for lack of room.")),
      reservations_expired_total(
          registry.AddCounter("baton_router_reservations_expired_total",
                              "Placements that no worker ever acknowledged.")) {}

Membership::Membership(MembershipOptions options, WorkerNames names, Dial dial, Clock& clock,
                       PrefixIndex& index, Reservations& reservations, MetricsRegistry& registry)
    : options_(options),
      names_(std::move(names)),
      dial_(std::move(dial)),
      clock_(clock),
      reservations_(reservations),
      index_(index),
      metrics_(registry),
      snapshot_(std::make_shared<ClusterSnapshot>()),
      channels_(std::make_shared<Channels>()),
      inbox_(kInboxMax),
      table_(index, reservations) {}

Membership::~Membership() { Stop(); }

void Membership::Start() {
  state_thread_ = std::make_unique<OwnedThread>("state", [this](std::stop_token s) { Run(s); });
  const auto resolve = [this] {
    // A full inbox only delays: the next period asks again.
    if (inbox_.TryPush(NamesEvent{names_.Resolve()}) == PushResult::kFull) {
      LogWarning("names of workers were not taken in time");
    }
  };
  if (!names_.dynamic()) return resolve();
  resolver_ = std::make_unique<PeriodicTask>("resolve", clock_, options_.resolve_period, resolve);
  resolver_->RunSoon();
}

void Membership::Stop() {
  if (resolver_ != nullptr) resolver_->Stop();
  if (state_thread_ == nullptr) return;
  state_thread_->RequestStop();
  state_thread_->Join();
  state_thread_.reset();
}

std::shared_ptr<grpc::Channel> Membership::ChannelTo(const std::string& address) const {
  const std::shared_ptr<const Channels> channels = channels_.Load();
  const auto found = channels->find(address);
  return found == channels->end() ? nullptr : found->second;
}

void Membership::OnWatchFrame(uint64_t watch_id, v1::WatchFrame frame) {
  const PushResult pushed = inbox_.TryPush(FrameEvent{watch_id, std::move(frame)});
  BATON_CHECK(pushed == PushResult::kPushed) << "membership: the inbox is full of frames";
}

void Membership::OnWatchClosed(uint64_t watch_id, absl::Status status) {
  const PushResult pushed = inbox_.TryPush(ClosedEvent{watch_id, std::move(status)});
  BATON_CHECK(pushed == PushResult::kPushed) << "membership: the inbox is full of ends";
}

void Membership::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::optional<Event> event = inbox_.PopUntil(clock_, clock_.Now() + options_.tick_period);
    for (int handled = 0; event.has_value(); event = inbox_.TryPop()) {
      std::visit([this](auto& e) { Handle(e); }, *event);
      if (++handled == kEventsPerTurn) break;
    }
    Tick();
    if (changed_) PublishSnapshot();
  }
  CancelAll();
}

void Membership::Handle(FrameEvent& event) {
  const auto watched = watched_.find(event.watch_id);
  if (watched == watched_.end()) return;  // cut off a moment ago
  const std::string& address = watched->second;
  Connection& connection = connections_.at(address);
  if (connection.cut_off) return connection.watch->ReadNext();  // drained until its end
  const absl::Status applied = table_.Apply(address, event.frame);
  changed_ = true;
  if (!applied.ok()) {
    metrics_.resyncs_total.Increment();
    LogWarning("worker cut off", {{"worker", address}, {"reason", applied}});
    table_.Remove(address);  // no candidate from this moment, not only from the stream's end
    connection.cut_off = true;
    connection.watch->Cancel();
    return connection.watch->ReadNext();
  }
  if (event.frame.frame_case() == v1::WatchFrame::kSnapshot && event.frame.snapshot().last()) {
    connection.ready_since = clock_.Now();
    LogInfo("worker ready", {{"worker", address}});
  }
  if (event.frame.frame_case() == v1::WatchFrame::kDrain) {
    LogInfo("worker drains", {{"worker", address}});
  }
  connection.watch->ReadNext();
}

void Membership::Handle(ClosedEvent& event) {
  const auto watched = watched_.find(event.watch_id);
  if (watched == watched_.end()) return;
  const std::string address = watched->second;
  watched_.erase(watched);
  Connection& connection = connections_.at(address);
  if (table_.Contains(address)) {
    metrics_.disconnects_total.Increment();
    LogWarning("worker gone", {{"worker", address}, {"reason", event.status}});
  } else if (!connection.cut_off) {
    metrics_.dial_failures_total.Increment();
    if (connection.backoff.attempts() == 0) {
      LogInfo("worker not there yet", {{"worker", address}, {"reason", event.status}});
    }
  }
  connection.watch.reset();
  connection.cut_off = false;
  table_.Remove(address);
  changed_ = true;
  if (!connection.wanted) {
    connections_.erase(address);
    PublishChannels();
    return;
  }
  // Only a stream that lasted earns a quick return: one that is cut off again and again does not.
  const MonotonicTime now = clock_.Now();
  if (connection.ready_since && now - *connection.ready_since >= options_.retry.limit) {
    connection.backoff.Reset();
  }
  connection.ready_since.reset();
  connection.next_attempt = now + connection.backoff.Next();
}

void Membership::Handle(NamesEvent& event) {
  const std::set<std::string> wanted(event.addresses.begin(), event.addresses.end());
  for (const std::string& address : wanted) {
    auto [entry, added] =
        connections_.try_emplace(address, options_.retry, BackoffSeed(address, clock_.Now()));
    entry->second.wanted = true;
    if (added) entry->second.channel = dial_(address);
  }
  for (auto entry = connections_.begin(); entry != connections_.end();) {
    Connection& connection = entry->second;
    connection.wanted = wanted.contains(entry->first);
    // A worker that lost its name may still drain: its stream, not DNS, decides when it is gone.
    const bool idle = connection.watch == nullptr;
    entry = !connection.wanted && idle ? connections_.erase(entry) : std::next(entry);
  }
  PublishChannels();
}

void Membership::Tick() {
  const MonotonicTime now = clock_.Now();
  for (auto& [address, connection] : connections_) {
    if (connection.watch == nullptr && connection.wanted && now >= connection.next_attempt) {
      Connect(address, connection);
    }
  }
  reservations_.Expire();
  const uint64_t expired = reservations_.expired_total();
  metrics_.reservations_expired_total.Add(static_cast<double>(expired - expired_counted_));
  expired_counted_ = expired;
}

void Membership::Connect(const std::string& address, Connection& connection) {
  connection.watch_id = next_watch_id_++;
  watched_[connection.watch_id] = address;
  connection.watch = WorkerWatch::Start(connection.channel, connection.watch_id, *this);
}

void Membership::PublishSnapshot() {
  changed_ = false;
  snapshot_.Publish(table_.Snapshot());
  for (const WorkerState state :
       {WorkerState::kSyncing, WorkerState::kReady, WorkerState::kDraining}) {
    metrics_.workers.At(state).Set(table_.CountOf(state));
  }
  metrics_.index_blocks.Set(static_cast<double>(index_.entry_count()));
  metrics_.index_dropped_blocks.Set(static_cast<double>(index_.dropped_total()));
}

void Membership::PublishChannels() {
  auto channels = std::make_shared<Channels>();
  for (const auto& [address, connection] : connections_) (*channels)[address] = connection.channel;
  channels_.Publish(std::move(channels));
}

// Every stream must have ended before the members that it calls go away.
void Membership::CancelAll() {
  for (auto& [address, connection] : connections_) {
    if (connection.watch != nullptr) connection.watch->Cancel();
  }
  while (!watched_.empty()) {
    std::optional<Event> event = inbox_.Pop();
    if (const auto* closed = std::get_if<ClosedEvent>(&*event)) {
      watched_.erase(closed->watch_id);
    } else if (const auto* frame = std::get_if<FrameEvent>(&*event)) {
      const auto watched = watched_.find(frame->watch_id);
      if (watched != watched_.end()) connections_.at(watched->second).watch->ReadNext();
    }
  }
}

}  // namespace baton::router
