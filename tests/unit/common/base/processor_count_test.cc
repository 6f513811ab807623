#include "common/base/processor_count.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/fakes/scratch_dir.h"

namespace baton {
namespace {

class ProcessorCountTest : public ::testing::Test {
 protected:
  int CountWith(const std::string& cpu_max) {
    const std::filesystem::path group = dir_.path() / "sys/fs/cgroup";
    std::filesystem::create_directories(group);
    std::ofstream(group / "cpu.max") << cpu_max;
    return UsableProcessorCount(dir_.string() + "/");
  }
  const ScratchDir dir_{"processor-count"};
};

TEST_F(ProcessorCountTest, WithoutALimitItIsTheAffinityMask) {
  cpu_set_t mask;
  ASSERT_EQ(sched_getaffinity(0, sizeof(mask), &mask), 0);
  EXPECT_EQ(UsableProcessorCount(dir_.string() + "/"), CPU_COUNT(&mask));
  EXPECT_EQ(CountWith("max 100000\n"), CPU_COUNT(&mask));
  EXPECT_EQ(CountWith("nonsense"), CPU_COUNT(&mask));
}

TEST_F(ProcessorCountTest, TheGroupsQuotaCountsRoundedUp) {
  const int all = UsableProcessorCount(dir_.string() + "/");
  EXPECT_EQ(CountWith("50000 100000\n"), 1);
  EXPECT_EQ(CountWith("100000 100000\n"), 1);
  EXPECT_EQ(CountWith("150000 100000\n"), std::min(all, 2));
  EXPECT_EQ(CountWith("9223372036854775807 100000\n"), all);
}

TEST_F(ProcessorCountTest, ANarrowedMaskCounts) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(CountWith("800000 100000\n"), 1);
  EXPECT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

}  // namespace
}  // namespace baton
