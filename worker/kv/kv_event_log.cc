#include "worker/kv/kv_event_log.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "common/base/check.h"

namespace baton::worker {

KvEventLog::KvEventLog(const KvGroups& groups) {
  for (const KvGroup& group : groups) groups_.emplace_back().parts = group.parts;
}

void KvEventLog::Stored(int32_t group_index, BlockHash hash) {
  Group& group = groups_[static_cast<size_t>(group_index)];
  if (group.parts > 1 && ++group.held[hash] < group.parts) return;
  Record(group, hash, Change::kStored);
}

void KvEventLog::Removed(int32_t group_index, BlockHash hash) {
  Group& group = groups_[static_cast<size_t>(group_index)];
  if (group.parts > 1) {
    const auto entry = group.held.find(hash);
    BATON_CHECK(entry != group.held.end()) << "KvEventLog: not held: hash=" << hash.value();
    const int32_t left = --entry->second;
    if (left == 0) group.held.erase(entry);
    if (left + 1 < group.parts) return;
  }
  Record(group, hash, Change::kRemoved);
}

void KvEventLog::Record(Group& group, BlockHash hash, Change change) {
  group.order.push_back(hash);
  std::optional<Change>& net = group.net[hash];
  BATON_CHECK(net != change) << "KvEventLog: the same change twice: hash=" << hash.value();
  net = net.has_value() ? std::nullopt : std::optional<Change>(change);
}

KvChanges KvEventLog::TakeChanges(Group& group) {
  KvChanges changes;
  // The last mention of a hash is the one that its parents and children agree with.
  for (size_t i = group.order.size(); i-- > 0;) {
    const auto entry = group.net.find(group.order[i]);
    if (entry == group.net.end()) continue;
    if (entry->second == Change::kStored) changes.stored.push_back(group.order[i]);
    if (entry->second == Change::kRemoved) changes.removed.push_back(group.order[i]);
    group.net.erase(entry);
  }
  group.order.clear();
  std::reverse(changes.stored.begin(), changes.stored.end());
  std::reverse(changes.removed.begin(), changes.removed.end());
  return changes;
}

std::optional<KvEventBatch> KvEventLog::Seal() {
  KvEventBatch batch;
  bool any = false;
  for (Group& group : groups_) {
    any = !batch.groups.emplace_back(TakeChanges(group)).empty() || any;
  }
  if (!any) return std::nullopt;
  batch.seq = ++head_seq_;
  return batch;
}

}  // namespace baton::worker
