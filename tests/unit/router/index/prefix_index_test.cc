#include "router/index/prefix_index.h"

#include <map>
#include <random>
#include <set>
#include <thread>

#include "gtest/gtest.h"

namespace baton::router {
namespace {

using Hashes = std::vector<uint64_t>;

TEST(PrefixIndexTest, MatchesTheLeadingBlocksOfEachWorker) {
  PrefixIndex index(1000);
  index.Store(0, Hashes{10, 20, 30});
  index.Store(1, Hashes{10});
  index.Store(3, Hashes{20, 30});  // not a prefix: holds no block 10
  EXPECT_EQ(index.Match(Hashes{10, 20, 30, 40}, 4), (std::vector<uint32_t>{3, 1, 0, 0}));
  EXPECT_EQ(index.Match(Hashes{}, 2), (std::vector<uint32_t>{0, 0}));
}

TEST(PrefixIndexTest, RemoveAndClearTouchOneWorkerOnly) {
  PrefixIndex index(1000);
  index.Store(0, Hashes{1, 2, 3});
  index.Store(70, Hashes{1, 2, 3});  // another group of slots
  index.Store(2, Hashes{1, 2, 3});
  index.Remove(0, Hashes{3, 999});
  index.Clear(2);
  const std::vector<uint32_t> matched = index.Match(Hashes{1, 2, 3}, 71);
  EXPECT_EQ(matched[0], 2u);
  EXPECT_EQ(matched[2], 0u);
  EXPECT_EQ(matched[70], 3u);
  EXPECT_EQ(index.entry_count(), 5u);
}

TEST(PrefixIndexTest, StoringTwiceCountsOnce) {
  PrefixIndex index(1000);
  index.Store(5, Hashes{7, 7});
  EXPECT_EQ(index.entry_count(), 1u);
  index.Remove(5, Hashes{7});
  EXPECT_EQ(index.entry_count(), 0u);
  index.Remove(5, Hashes{7});
  EXPECT_EQ(index.entry_count(), 0u);
}

TEST(PrefixIndexTest, KeepsTheHashZero) {
  PrefixIndex index(1000);
  index.Store(0, Hashes{0});
  EXPECT_EQ(index.Match(Hashes{0}, 1)[0], 1u);
}

TEST(PrefixIndexTest, AtTheBoundTheRestLooksUncached) {
  PrefixIndex index(3);
  index.Store(0, Hashes{1, 2, 3, 4, 5});
  EXPECT_EQ(index.entry_count(), 3u);
  EXPECT_EQ(index.dropped_total(), 2u);
  index.Store(1, Hashes{1, 2});  // known blocks still gain holders
  EXPECT_EQ(index.Match(Hashes{1, 2, 3, 4}, 2), (std::vector<uint32_t>{3, 2}));
  index.Remove(0, Hashes{3});
  index.Store(0, Hashes{9});
  EXPECT_EQ(index.entry_count(), 3u);
}

TEST(PrefixIndexTest, AgreesWithASetPerWorkerThroughGrowthAndChurn) {
  PrefixIndex index(1 << 20);
  std::mt19937_64 random(42);
  std::map<uint32_t, std::set<uint64_t>> held;
  for (int round = 0; round < 20000; ++round) {
    const uint32_t slot = static_cast<uint32_t>(random() % 130);
    const uint64_t hash = 2 + random() % 3000;
    if (random() % 3 == 0) {
      index.Remove(slot, Hashes{hash});
      held[slot].erase(hash);
    } else {
      index.Store(slot, Hashes{hash});
      held[slot].insert(hash);
    }
    if (round % 5000 == 4999) {
      index.Clear(slot);
      held[slot].clear();
    }
  }
  std::set<std::pair<uint32_t, uint64_t>> distinct;
  for (const auto& [slot, hashes] : held) {
    for (const uint64_t hash : hashes) distinct.insert({slot / 64, hash});
  }
  EXPECT_EQ(index.entry_count(), distinct.size());
  for (uint64_t hash = 2; hash < 3002; ++hash) {
    const std::vector<uint32_t> matched = index.Match(Hashes{hash}, 130);
    for (uint32_t slot = 0; slot < 130; ++slot) {
      ASSERT_EQ(matched[slot], held[slot].contains(hash) ? 1u : 0u) << slot << " " << hash;
    }
  }
}

TEST(PrefixIndexTest, ReadersNeverSeeMoreThanWasStored) {
  PrefixIndex index(1 << 20);
  Hashes chain(512);
  for (size_t i = 0; i < chain.size(); ++i) chain[i] = (i + 1) * 0x9e3779b97f4a7c15u;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    uint32_t last = 0;
    while (!done) {
      const uint32_t matched = index.Match(chain, 1)[0];
      EXPECT_GE(matched, last);  // only grows: nothing is removed here
      EXPECT_LE(matched, chain.size());
      last = matched;
    }
  });
  for (const uint64_t hash : chain) index.Store(0, Hashes{hash});
  for (uint64_t filler = 1; filler < 20000; ++filler) index.Store(1, Hashes{filler});
  done = true;
  reader.join();
  EXPECT_EQ(index.Match(chain, 1)[0], chain.size());
}

TEST(PrefixIndexTest, AWindowNeedsTheBlocksThatTheEndSees) {
  PrefixIndex index(1000);
  const Hashes chain = {10, 20, 30, 40, 50, 60};
  const std::vector<uint32_t> windows = {6};  // in blocks of 4: the last two
  const auto usable = [&](uint32_t slot, uint32_t most) {
    return index.MatchWindows(chain,
                              {.slot = slot, .block_size = 4, .windows = windows, .most = most});
  };
  EXPECT_EQ(usable(0, 6), 0u);
  index.Store(0, Hashes{40, 50}, 6);
  EXPECT_EQ(usable(0, 6), 5u) << "60 is not there, and 5 blocks end behind 40 and 50";
  EXPECT_EQ(usable(0, 4), 0u) << "4 blocks end behind 30 and 40";
  index.Store(0, Hashes{10}, 6);
  EXPECT_EQ(usable(0, 4), 1u);
  EXPECT_EQ(usable(1, 6), 0u) << "another worker";
  EXPECT_EQ(index.Match(chain, 1)[0], 0u) << "the window's blocks are no full group's";
  index.Remove(0, Hashes{50}, 6);
  EXPECT_EQ(usable(0, 6), 1u);
  index.Clear(0);
  EXPECT_EQ(usable(0, 6), 0u);
  EXPECT_EQ(index.entry_count(), 0u);
}

TEST(PrefixIndexTest, TheLongestThatAllWindowsServe) {
  PrefixIndex index(1000);
  const Hashes chain = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<uint32_t> windows = {4, 12};
  index.Store(0, chain, 4);
  index.Store(0, Hashes{1, 2, 3, 4, 7, 8}, 12);
  const PrefixIndex::WindowQuery query = {
      .slot = 0, .block_size = 4, .windows = windows, .most = 8};
  EXPECT_EQ(index.MatchWindows(chain, query), 4u) << "5 and 6 are missing in the wider window";
}

}  // namespace
}  // namespace baton::router
