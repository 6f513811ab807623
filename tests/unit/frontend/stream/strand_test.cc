#include "frontend/stream/strand.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/concurrency/owned_thread.h"

namespace baton::frontend {
namespace {

TEST(StrandTest, AnEventRunsAtOnceAndAnotherOneAfterIt) {
  Strand strand;
  std::string seen;
  strand.Run([&] {
    seen += "a(";
    strand.Run([&] { seen += "b"; });
    EXPECT_FALSE(strand.TryRun([&] { seen += "never"; }));
    strand.Run([&] { seen += "c"; });
    seen += ")";
  });
  EXPECT_EQ(seen, "a()bc");
  EXPECT_TRUE(strand.TryRun([&] { seen += "d"; }));
  EXPECT_EQ(seen, "a()bcd");
}

TEST(StrandTest, WhatAWaitingEventAddsStillRuns) {
  Strand strand;
  std::string seen;
  strand.Run([&] {
    strand.Run([&] {
      seen += "b";
      strand.Run([&] { seen += "c"; });
    });
    seen += "a";
  });
  EXPECT_EQ(seen, "abc");
}

TEST(StrandTest, AnEventThatDidNotRunIsUntouched) {
  Strand strand;
  auto kept = std::make_unique<int>(7);
  strand.Run([&] {
    auto event = [kept = std::move(kept)] { EXPECT_EQ(*kept, 7); };
    EXPECT_FALSE(strand.TryRun(event));
    strand.Run(std::move(event));
  });
}

// Each thread's events stay in their order, none is lost, and no two run at a time.
TEST(StrandTest, ThreadsTakeTurns) {
  constexpr int kThreads = 4;
  constexpr int kEvents = 20'000;
  Strand strand;
  std::vector<int> next(kThreads, 0);  // guarded by the strand alone
  int inside = 0;
  {
    std::vector<std::unique_ptr<OwnedThread>> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.push_back(
          std::make_unique<OwnedThread>("strand", [&, thread](const std::stop_token&) {
            for (int i = 0; i < kEvents; ++i) {
              const auto event = [&strand, &next, &inside, thread, i] {
                EXPECT_EQ(++inside, 1);
                EXPECT_EQ(next[static_cast<size_t>(thread)]++, i);
                --inside;
              };
              if (i % 2 == 0 || !strand.TryRun(event)) strand.Run(event);
            }
          }));
    }
  }
  EXPECT_EQ(next, std::vector<int>(kThreads, kEvents));
}

}  // namespace
}  // namespace baton::frontend
