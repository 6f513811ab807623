#include "worker/executor/plan_codec.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/scratch_dir.h"
#include "worker/executor/memory_limit.h"

namespace baton::worker {
namespace {

StepPlan SomePlan() {
  StepPlan plan;
  plan.step = 77;
  plan.copies = {{BlockId(3), BlockId(4), 17}};
  plan.rows = {{.sequence = SequenceId(5),
                .first_position = 9,
                .token_count = 2,
                .block_begin = 0,
                .block_count = 1,
                .logits = true},
               {.sequence = SequenceId(6),
                .token_begin = 2,
                .token_count = 1,
                .block_begin = 1,
                .block_count = 2}};
  plan.tokens = {10, 11, 12};
  plan.blocks = {BlockId(8), BlockId(1), BlockId(2)};
  return plan;
}

TEST(PlanCodec, EverythingButTheSamplesComesBack) {
  StepPlan plan = SomePlan();
  plan.samples.push_back({.row = 0});
  const auto parsed = ParsePlan(SerializePlan(plan));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->step, 77u);
  ASSERT_EQ(parsed->copies.size(), 1u);
  EXPECT_EQ(parsed->copies[0].token_count, 17);
  ASSERT_EQ(parsed->rows.size(), 2u);
  EXPECT_EQ(parsed->rows[0].sequence, SequenceId(5));
  EXPECT_TRUE(parsed->rows[0].logits);
  EXPECT_EQ(parsed->rows[1].block_count, 2);
  EXPECT_FALSE(parsed->rows[1].logits);
  EXPECT_EQ(parsed->tokens, plan.tokens);
  EXPECT_EQ(parsed->blocks, plan.blocks);
  EXPECT_TRUE(parsed->samples.empty());
  EXPECT_TRUE(ParsePlan(SerializePlan(StepPlan()))->empty());
}

TEST(PlanCodec, BytesThatAreCutOrPaddedAreRefused) {
  const std::string bytes = SerializePlan(SomePlan());
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(ParsePlan(bytes.substr(0, i)).status().code(), absl::StatusCode::kInternal) << i;
  }
  EXPECT_FALSE(ParsePlan(bytes + "x").ok());
  EXPECT_FALSE(ParsePlan("X" + bytes.substr(1)).ok());
  std::string huge = bytes;
  huge.replace(16, 8, std::string(8, '\xff'));  // the number of copies
  EXPECT_FALSE(ParsePlan(huge).ok());
}

class MemoryLimitTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = dir_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  MemoryLimit Read() { return ReadMemoryLimit(dir_.string() + "/"); }
  const ScratchDir dir_{"memory-limit"};
};

TEST_F(MemoryLimitTest, TheMachineOrTheControlGroupWhicheverIsLess) {
  Write("proc/meminfo",
        "MemTotal:       8000 kB\nMemFree:        1000 kB\nMemAvailable:   6000 kB\n");
  EXPECT_EQ(Read().total_bytes, 8000u << 10);
  EXPECT_EQ(Read().available_bytes, 6000u << 10);
  Write("sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(Read().total_bytes, 8000u << 10);
  Write("sys/fs/cgroup/memory.max", "4096000\n");
  EXPECT_EQ(Read().total_bytes, 4096000u);
  EXPECT_EQ(Read().available_bytes, 4096000u);
}

TEST_F(MemoryLimitTest, WhatCannotBeReadCountsAsLittle) {
  EXPECT_EQ(Read().total_bytes, uint64_t{4} << 30);
}

}  // namespace
}  // namespace baton::worker
