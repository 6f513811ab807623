#include "worker/kv/kv_event_log.h"

#include <algorithm>
#include <cstddef>

#include "common/base/check.h"

namespace baton::worker {

void KvEventLog::Stored(BlockHash hash) { Record(hash, Change::kStored); }
void KvEventLog::Removed(BlockHash hash) { Record(hash, Change::kRemoved); }

void KvEventLog::Record(BlockHash hash, Change change) {
  order_.push_back(hash);
  std::optional<Change>& net = net_[hash];
  BATON_CHECK(net != change) << "KvEventLog: the same change twice: hash=" << hash.value();
  net = net.has_value() ? std::nullopt : std::optional<Change>(change);
}

std::optional<KvEventBatch> KvEventLog::Seal() {
  KvEventBatch batch;
  // The last mention of a hash is the one that its parents and children agree with.
  for (size_t i = order_.size(); i-- > 0;) {
    const auto entry = net_.find(order_[i]);
    if (entry == net_.end()) continue;
    if (entry->second == Change::kStored) batch.stored.push_back(order_[i]);
    if (entry->second == Change::kRemoved) batch.removed.push_back(order_[i]);
    net_.erase(entry);
  }
  order_.clear();
  if (batch.stored.empty() && batch.removed.empty()) return std::nullopt;
  std::reverse(batch.stored.begin(), batch.stored.end());
  std::reverse(batch.removed.begin(), batch.removed.end());
  batch.seq = ++head_seq_;
  return batch;
}

}  // namespace baton::worker
