#include "router/membership/worker_table.h"

#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/kv/block_hash.h"

namespace baton::router {
namespace {

std::span<const uint64_t> SpanOf(const google::protobuf::RepeatedField<uint64_t>& hashes) {
  return {hashes.data(), static_cast<size_t>(hashes.size())};
}

WorkerRole RoleOf(v1::WorkerRole role) {
  switch (role) {
    case v1::WORKER_ROLE_PREFILL:
      return WorkerRole::kPrefill;
    case v1::WORKER_ROLE_DECODE:
      return WorkerRole::kDecode;
    default:
      return WorkerRole::kBoth;
  }
}

WorkerView ViewOf(const std::string& address, const v1::WorkerDescription& worker) {
  WorkerView view;
  view.worker_id = worker.worker_id();
  view.address = address;
  view.epoch = Epoch(worker.epoch());
  view.role = RoleOf(worker.role());
  view.model_names.push_back(worker.model().name());
  for (const std::string& alias : worker.model().aliases()) view.model_names.push_back(alias);
  view.card_digest = worker.model().card_digest();
  view.model_digest = worker.model().model_digest();
  view.max_model_len = worker.model().max_model_len();
  view.vocab_size = worker.model().vocab_size();
  view.block_hash_scheme = worker.block_hash_scheme();
  view.block_size = worker.block_size();
  view.block_count = worker.block_count();
  view.max_num_seqs = worker.max_num_seqs();
  if (worker.kv_groups_size() > 0) view.kv_groups.clear();
  for (const v1::KvGroup& group : worker.kv_groups()) {
    view.kv_groups.push_back({.window = group.window(), .parts = group.parts()});
  }
  return view;
}

absl::StatusOr<uint32_t> WindowOf(const WorkerView& worker, uint32_t group) {
  if (group < worker.kv_groups.size()) return worker.kv_groups[group].window;
  return Aborted(absl::StrCat("watch: worker=", worker.worker_id, " names kv group=", group, "/",
                              worker.kv_groups.size()));
}

}  // namespace

WorkerTable::WorkerTable(PrefixIndex& index, Reservations& reservations)
    : index_(index), reservations_(reservations) {}

absl::Status WorkerTable::Apply(const std::string& address, const v1::WatchFrame& frame) {
  if (frame.frame_case() == v1::WatchFrame::kHello) return ApplyHello(address, frame.hello());
  const auto found = entries_.find(address);
  if (found == entries_.end()) {
    return Aborted(absl::StrCat("watch: worker=", address, " sent a frame before hello"));
  }
  Entry& entry = found->second;
  switch (frame.frame_case()) {
    case v1::WatchFrame::kSnapshot:
      return ApplySnapshot(entry, frame.snapshot());
    case v1::WatchFrame::kBlocks:
      return ApplyBlocks(entry, frame.blocks());
    case v1::WatchFrame::kLoad:
      ApplyLoad(entry, frame.load());
      return absl::OkStatus();
    case v1::WatchFrame::kDrain:
      entry.view.state = WorkerState::kDraining;
      return absl::OkStatus();
    default:
      return absl::OkStatus();  // of a newer protocol: fields are only added
  }
}

absl::Status WorkerTable::ApplyHello(const std::string& address,
                                     const v1::WatchFrame::Hello& hello) {
  if (entries_.contains(address)) {
    return Aborted(absl::StrCat("watch: worker=", address, " said hello twice"));
  }
  const v1::WorkerDescription& worker = hello.worker();
  if (ToStd(worker.block_hash_scheme()) != kBlockHashScheme) {
    return FailedPrecondition(absl::StrCat("watch: worker=", address,
                                           " block_hash_scheme=", worker.block_hash_scheme(),
                                           " expected=", ToAbsl(kBlockHashScheme)));
  }
  if (worker.block_size() == 0 || worker.model().name().empty()) {
    return FailedPrecondition(
        absl::StrCat("watch: worker=", address, " describes no model or block size"));
  }
  Entry& entry = entries_[address];
  entry.view = ViewOf(address, worker);
  entry.view.slot = TakeSlot();
  entry.head_seq = hello.head_seq();
  return absl::OkStatus();
}

absl::Status WorkerTable::ApplySnapshot(Entry& entry, const v1::WatchFrame::Snapshot& snapshot) {
  if (entry.view.state != WorkerState::kSyncing) {
    return Aborted(absl::StrCat("watch: worker=", entry.view.worker_id,
                                " sent a second snapshot in one watch"));
  }
  ASSIGN_OR_RETURN(const uint32_t window, WindowOf(entry.view, snapshot.group()));
  index_.Store(entry.view.slot, SpanOf(snapshot.hashes()), window);
  if (!snapshot.last()) return absl::OkStatus();
  entry.applied_seq = snapshot.as_of_seq();
  entry.view.state = WorkerState::kReady;
  return absl::OkStatus();
}

absl::Status WorkerTable::ApplyBlocks(Entry& entry, const v1::WatchFrame::Blocks& blocks) {
  if (entry.view.state == WorkerState::kSyncing) {
    return Aborted(absl::StrCat("watch: worker=", entry.view.worker_id,
                                " sent changes before its snapshot was complete"));
  }
  if (blocks.seq() <= entry.applied_seq) return absl::OkStatus();  // the snapshot stands for it
  if (blocks.seq() != entry.applied_seq + 1) {
    return Aborted(absl::StrCat("watch: worker=", entry.view.worker_id, " seq=", blocks.seq(),
                                " expected=", entry.applied_seq + 1));
  }
  entry.applied_seq = blocks.seq();
  const uint32_t slot = entry.view.slot;
  if (blocks.cleared()) index_.Clear(slot);
  const uint32_t first_window = entry.view.kv_groups.front().window;
  index_.Store(slot, SpanOf(blocks.stored()), first_window);
  index_.Remove(slot, SpanOf(blocks.removed()), first_window);
  for (const v1::WatchFrame::GroupBlocks& group : blocks.groups()) {
    ASSIGN_OR_RETURN(const uint32_t window, WindowOf(entry.view, group.group()));
    index_.Store(slot, SpanOf(group.stored()), window);
    index_.Remove(slot, SpanOf(group.removed()), window);
  }
  return absl::OkStatus();
}

void WorkerTable::ApplyLoad(Entry& entry, const v1::WatchFrame::Load& load) {
  entry.view.load = {.running = load.running(),
                     .waiting = load.waiting(),
                     .waiting_prefill_tokens = load.waiting_prefill_tokens(),
                     .blocks_active = load.blocks_active(),
                     .blocks_free = load.blocks_free(),
                     .step_ms = load.step_ms()};
  for (const uint64_t lease : load.admitted_leases()) reservations_.Drop(lease);
  for (const uint64_t lease : load.finished_leases()) reservations_.Drop(lease);
}

void WorkerTable::Remove(const std::string& address) {
  const auto found = entries_.find(address);
  if (found == entries_.end()) return;
  const uint32_t slot = found->second.view.slot;
  index_.Clear(slot);
  reservations_.DropWorker(slot);
  free_slots_.push_back(slot);
  entries_.erase(found);
}

std::shared_ptr<const ClusterSnapshot> WorkerTable::Snapshot() const {
  auto snapshot = std::make_shared<ClusterSnapshot>();
  snapshot->slot_count = slot_count_;
  snapshot->workers.reserve(entries_.size());
  for (const auto& [address, entry] : entries_) snapshot->workers.push_back(entry.view);
  return snapshot;
}

int WorkerTable::CountOf(WorkerState state) const {
  int count = 0;
  for (const auto& [address, entry] : entries_) count += entry.view.state == state ? 1 : 0;
  return count;
}

uint32_t WorkerTable::TakeSlot() {
  if (free_slots_.empty()) return slot_count_++;
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

}  // namespace baton::router
