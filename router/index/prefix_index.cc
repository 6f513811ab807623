#include "router/index/prefix_index.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace baton::router {
namespace {

constexpr uint32_t kSlotsPerGroup = 64;
constexpr size_t kInitialCapacity = 1024;

// One hash has a key for each window. A key of zero would read as an empty cell.
uint64_t KeyOf(uint64_t hash, uint32_t window) {
  const uint64_t key = hash ^ (window * 0x9E3779B97F4A7C15ull);
  return key == 0 ? 1 : key;
}

// The first block that a query right behind `end` blocks sees.
uint32_t FirstSeen(uint32_t end, uint32_t window, uint32_t block_size) {
  const uint64_t position = uint64_t{end} * block_size;
  if (position < window) return 0;
  return std::min(end, static_cast<uint32_t>((position - window + 1) / block_size));
}

}  // namespace

// Open addressing with linear probing over cells of {key, holders}. A key, once placed, stays until
// the table is rebuilt: an entry without holders is merely empty.
class PrefixIndex::Table {
 public:
  explicit Table(size_t capacity) : cells_(capacity), mask_(capacity - 1) {}

  size_t capacity() const { return cells_.size(); }

  // The holders of `key`, or null. Any thread.
  const std::atomic<uint64_t>* Find(uint64_t key) const {
    for (size_t i = key & mask_;; i = (i + 1) & mask_) {
      const uint64_t found = cells_[i].key.load(std::memory_order_acquire);
      if (found == key) return &cells_[i].holders;
      if (found == 0) return nullptr;
    }
  }

  // Writer only.
  std::atomic<uint64_t>* FindForWrite(uint64_t key) {
    return const_cast<std::atomic<uint64_t>*>(std::as_const(*this).Find(key));
  }

  // Writer only. REQUIRES: there is an empty cell. Sets `placed` when the key is new.
  std::atomic<uint64_t>& FindOrPlace(uint64_t key, bool& placed) {
    for (size_t i = key & mask_;; i = (i + 1) & mask_) {
      const uint64_t found = cells_[i].key.load(std::memory_order_relaxed);
      if (found == key) return cells_[i].holders;
      if (found == 0) {
        placed = true;
        cells_[i].key.store(key, std::memory_order_release);
        return cells_[i].holders;
      }
    }
  }

  template <typename Visitor>
  void ForEach(Visitor visit) {
    for (Cell& cell : cells_) {
      const uint64_t key = cell.key.load(std::memory_order_relaxed);
      if (key != 0) visit(key, cell.holders);
    }
  }

 private:
  struct Cell {
    std::atomic<uint64_t> key{0};
    std::atomic<uint64_t> holders{0};
  };

  std::vector<Cell> cells_;
  const size_t mask_;
};

struct PrefixIndex::Group {
  Group() : current(std::make_shared<Table>(kInitialCapacity)), published(current) {}

  std::shared_ptr<Table> current;  // the writer's handle
  Snapshot<Table> published;       // the same table, for readers
  size_t placed = 0;               // cells with a key
  size_t live = 0;                 // of these, with a holder
};

PrefixIndex::PrefixIndex(size_t entries_max)
    : entries_max_(entries_max), groups_(std::make_shared<std::vector<std::shared_ptr<Group>>>()) {}

PrefixIndex::~PrefixIndex() = default;

PrefixIndex::Group& PrefixIndex::GroupOf(uint32_t slot) {
  const size_t wanted = slot / kSlotsPerGroup;
  std::shared_ptr<const std::vector<std::shared_ptr<Group>>> groups = groups_.Load();
  if (groups->size() <= wanted) {
    auto longer = std::make_shared<std::vector<std::shared_ptr<Group>>>(*groups);
    while (longer->size() <= wanted) longer->push_back(std::make_shared<Group>());
    groups_.Publish(longer);
    groups = std::move(longer);
  }
  return *(*groups)[wanted];
}

// Doubles the table, or rebuilds it at its size when most keys have no holder left.
void PrefixIndex::Rebuild(Group& group) {
  const size_t capacity = std::max(kInitialCapacity, std::bit_ceil(group.live * 2));
  auto next = std::make_shared<Table>(capacity);
  group.placed = 0;
  group.current->ForEach([&](uint64_t key, const std::atomic<uint64_t>& holders) {
    const uint64_t bits = holders.load(std::memory_order_relaxed);
    if (bits == 0) return;
    bool placed = false;
    next->FindOrPlace(key, placed).store(bits, std::memory_order_relaxed);
    ++group.placed;
  });
  group.current = next;
  group.published.Publish(std::move(next));
}

void PrefixIndex::Store(uint32_t slot, std::span<const uint64_t> hashes, uint32_t window) {
  Group& group = GroupOf(slot);
  const uint64_t bit = uint64_t{1} << (slot % kSlotsPerGroup);
  for (const uint64_t hash : hashes) {
    const uint64_t key = KeyOf(hash, window);
    if (group.live >= entries_max_ && group.current->Find(key) == nullptr) {
      ++dropped_total_;
      continue;
    }
    if ((group.placed + 1) * 10 > group.current->capacity() * 7) Rebuild(group);
    bool placed = false;
    std::atomic<uint64_t>& holders = group.current->FindOrPlace(key, placed);
    group.placed += placed ? 1 : 0;
    const uint64_t before = holders.load(std::memory_order_relaxed);
    group.live += before == 0 ? 1 : 0;
    holders.store(before | bit, std::memory_order_release);
  }
}

void PrefixIndex::Remove(uint32_t slot, std::span<const uint64_t> hashes, uint32_t window) {
  Group& group = GroupOf(slot);
  const uint64_t bit = uint64_t{1} << (slot % kSlotsPerGroup);
  for (const uint64_t hash : hashes) {
    std::atomic<uint64_t>* holders = group.current->FindForWrite(KeyOf(hash, window));
    if (holders == nullptr) continue;  // dropped at the bound
    const uint64_t before = holders->load(std::memory_order_relaxed);
    holders->store(before & ~bit, std::memory_order_release);
    group.live -= before == bit ? 1 : 0;
  }
}

void PrefixIndex::Clear(uint32_t slot) {
  Group& group = GroupOf(slot);
  const uint64_t bit = uint64_t{1} << (slot % kSlotsPerGroup);
  group.current->ForEach([&](uint64_t, std::atomic<uint64_t>& holders) {
    const uint64_t before = holders.load(std::memory_order_relaxed);
    if ((before & bit) == 0) return;
    holders.store(before & ~bit, std::memory_order_release);
    group.live -= before == bit ? 1 : 0;
  });
}

std::vector<uint32_t> PrefixIndex::Match(std::span<const uint64_t> chain,
                                         uint32_t slot_count) const {
  std::vector<uint32_t> matched(slot_count, 0);
  const auto groups = groups_.Load();
  for (size_t g = 0; g < groups->size() && g * kSlotsPerGroup < slot_count; ++g) {
    const std::shared_ptr<const Table> table = (*groups)[g]->published.Load();
    uint64_t holding = ~uint64_t{0};
    for (uint32_t depth = 0; depth < chain.size() && holding != 0; ++depth) {
      const std::atomic<uint64_t>* holders = table->Find(KeyOf(chain[depth], /*window=*/0));
      holding &= holders == nullptr ? 0 : holders->load(std::memory_order_acquire);
      for (uint64_t bits = holding; bits != 0; bits &= bits - 1) {
        const size_t slot = g * kSlotsPerGroup + static_cast<size_t>(std::countr_zero(bits));
        if (slot < slot_count) matched[slot] = depth + 1;
      }
    }
  }
  return matched;
}

uint32_t PrefixIndex::MatchWindows(std::span<const uint64_t> chain,
                                   const WindowQuery& query) const {
  const auto groups = groups_.Load();
  const size_t g = query.slot / kSlotsPerGroup;
  if (g >= groups->size()) return 0;
  const std::shared_ptr<const Table> table = (*groups)[g]->published.Load();
  const uint64_t bit = uint64_t{1} << (query.slot % kSlotsPerGroup);
  const auto holds = [&](uint32_t block, uint32_t window) {
    const std::atomic<uint64_t>* holders = table->Find(KeyOf(chain[block], window));
    return holders != nullptr && (holders->load(std::memory_order_acquire) & bit) != 0;
  };
  auto end = static_cast<uint32_t>(std::min<size_t>(query.most, chain.size()));
  // A block that is missing rules out every end whose window it is in.
  for (bool settled = false; !settled;) {
    settled = true;
    for (const uint32_t window : query.windows) {
      for (uint32_t block = end; block > FirstSeen(end, window, query.block_size); --block) {
        if (holds(block - 1, window)) continue;
        end = block - 1;
        settled = false;
      }
    }
  }
  return end;
}

size_t PrefixIndex::entry_count() const {
  size_t count = 0;
  for (const auto& group : *groups_.Load()) count += group->live;
  return count;
}

}  // namespace baton::router
