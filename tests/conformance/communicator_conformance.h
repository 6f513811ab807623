// What every Communicator promises, as tests. An implementation joins with one line:
//
//   INSTANTIATE_TEST_SUITE_P(Local, CommunicatorConformance, ::testing::Values(kLocal));
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/concurrency/owned_thread.h"
#include "worker/parallel/communicator.h"

namespace baton::worker {

struct CommunicatorFactory {
  std::string name;
  std::function<std::vector<std::unique_ptr<Communicator>>(int size, Duration deadline)> make;
};

class CommunicatorConformance : public ::testing::TestWithParam<CommunicatorFactory> {
 protected:
  // Runs `body` for every rank, each on a thread of its own, and waits for all.
  void OnEveryRank(int size, Duration deadline, const std::function<void(Communicator&)>& body) {
    const auto ranks = GetParam().make(size, deadline);
    std::vector<std::unique_ptr<OwnedThread>> threads;
    for (const auto& rank : ranks) {
      threads.push_back(
          std::make_unique<OwnedThread>("rank", [&body, &rank](std::stop_token) { body(*rank); }));
    }
    for (const auto& thread : threads) thread->Join();
  }

  static constexpr Duration kLong = std::chrono::seconds(60);
};

TEST_P(CommunicatorConformance, AllReduceAddsInAscendingOrderOfRank) {
  for (const int size : {1, 2, 3, 4}) {
    OnEveryRank(size, kLong, [size](Communicator& c) {
      for (const size_t count : {size_t{0}, size_t{1}, size_t{3}, size_t{1000}}) {
        std::vector<float> data(count);
        std::vector<float> expected(count);
        for (size_t i = 0; i < count; ++i) {
          // Values of different size, so that another order of addition gives other bits.
          const auto value = [i](int rank) {
            return static_cast<float>(i + 1) * (rank % 2 == 0 ? 1e7f : 0.37f);
          };
          data[i] = value(c.shard().rank);
          expected[i] = value(0);
          for (int rank = 1; rank < size; ++rank) expected[i] += value(rank);
        }
        ASSERT_TRUE(c.AllReduceSum(absl::MakeSpan(data)).ok());
        EXPECT_EQ(data, expected) << "rank " << c.shard().rank << " of " << size;
      }
    });
  }
}

TEST_P(CommunicatorConformance, AllGatherKeepsTheOrderOfRanks) {
  for (const int size : {1, 2, 3}) {
    OnEveryRank(size, kLong, [size](Communicator& c) {
      const std::vector<float> mine(5, static_cast<float>(c.shard().rank));
      std::vector<float> all(5 * static_cast<size_t>(size), -1.0f);
      ASSERT_TRUE(c.AllGather(mine, absl::MakeSpan(all)).ok());
      for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<float>(i / 5));
    });
  }
}

TEST_P(CommunicatorConformance, BroadcastCopiesFromAnyRoot) {
  OnEveryRank(3, kLong, [](Communicator& c) {
    for (int root = 0; root < 3; ++root) {
      std::vector<std::byte> bytes(1000, static_cast<std::byte>(c.shard().rank + 1));
      ASSERT_TRUE(c.Broadcast(absl::MakeSpan(bytes), root).ok());
      EXPECT_EQ(bytes, std::vector<std::byte>(1000, static_cast<std::byte>(root + 1)));
    }
  });
}

TEST_P(CommunicatorConformance, ManyOperationsInARow) {
  OnEveryRank(2, kLong, [](Communicator& c) {
    std::vector<float> data(7);
    for (int i = 0; i < 2000; ++i) {
      data.assign(7, static_cast<float>(i));
      ASSERT_TRUE(c.AllReduceSum(absl::MakeSpan(data)).ok());
      ASSERT_EQ(data[6], static_cast<float>(2 * i));
    }
  });
}

TEST_P(CommunicatorConformance, ARankThatNeverComesIsADeadlineThatNamesRankAndOperation) {
  OnEveryRank(2, std::chrono::milliseconds(30), [](Communicator& c) {
    if (c.shard().rank == 1) return;
    std::vector<float> data(4);
    const absl::Status status = c.AllReduceSum(absl::MakeSpan(data));
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
    EXPECT_NE(status.message().find("all_reduce"), absl::string_view::npos) << status;
    EXPECT_NE(status.message().find("rank=0"), absl::string_view::npos) << status;
    EXPECT_FALSE(c.AllReduceSum(absl::MakeSpan(data)).ok()) << "a broken group stays broken";
  });
}

TEST_P(CommunicatorConformance, AbortWakesWhoWaitsAndBreaksTheGroup) {
  OnEveryRank(3, kLong, [](Communicator& c) {
    std::vector<float> data(4);
    if (c.shard().rank == 2) {
      c.Abort(Internal("rank 2 lost its device"));
    }
    const absl::Status status = c.AllReduceSum(absl::MakeSpan(data));
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
    EXPECT_NE(status.message().find("lost its device"), absl::string_view::npos) << status;
  });
}

TEST_P(CommunicatorConformance, DisagreementAboutTheOperationIsFound) {
  OnEveryRank(2, kLong, [](Communicator& c) {
    std::vector<float> data(c.shard().rank == 0 ? 4 : 5);
    EXPECT_EQ(c.AllReduceSum(absl::MakeSpan(data)).code(), absl::StatusCode::kInternal);
  });
}

}  // namespace baton::worker
