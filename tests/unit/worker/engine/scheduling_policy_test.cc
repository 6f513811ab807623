#include "worker/engine/scheduling_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::worker {
namespace {

using ::testing::HasSubstr;

SchedulingPolicy Find(std::string_view name) {
  SchedulerRegistry registry;
  EXPECT_TRUE(RegisterBuiltinSchedulers(registry).ok());
  return *registry.Find(name);
}

TEST(SchedulingPolicy, FcfsIgnoresPriority) {
  const SchedulingPolicy before = Find("fcfs");
  EXPECT_TRUE(before({.priority = 9, .arrival = 1}, {.priority = 0, .arrival = 2}));
  EXPECT_TRUE(before({.arrival = 1, .choice = 0}, {.arrival = 1, .choice = 1}));
}

TEST(SchedulingPolicy, PriorityComesBeforeArrival) {
  const SchedulingPolicy before = Find("priority");
  EXPECT_TRUE(before({.priority = -1, .arrival = 5}, {.priority = 0, .arrival = 2}));
  EXPECT_TRUE(before({.priority = 0, .arrival = 1}, {.priority = 0, .arrival = 2}));
}

TEST(SchedulingPolicy, UnknownNamesListTheKnown) {
  SchedulerRegistry registry;
  ASSERT_TRUE(RegisterBuiltinSchedulers(registry).ok());
  const auto found = registry.Find("lottery");
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("known: fcfs priority"));
  EXPECT_TRUE(absl::IsAlreadyExists(registry.Add("fcfs", Find("fcfs"))));
}

}  // namespace
}  // namespace baton::worker
