#include "worker/worker_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "worker/service/inference_metrics.h"
#include "worker/service/watch_hub.h"

namespace baton::worker {
namespace {

using ::testing::HasSubstr;

TEST(WorkerMetrics, NamesAreTheAgreedOnes) {
  MetricsRegistry registry;
  const WorkerMetrics metrics(registry, "smol");
  const InferenceMetrics inference(registry);
  const WatchHub hub(RealClock(), registry);
  std::set<std::string> agreed;
  std::ifstream file(BATON_SOURCE_DIR "/tests/golden/metric_names.txt");
  for (std::string name; std::getline(file, name);) agreed.insert(name);
  std::set<std::string> ours;
  for (const std::string& name : registry.Names()) {
    EXPECT_TRUE(agreed.contains(name)) << name;
    ours.insert(name);
  }
  for (const std::string& name : agreed) {
    if (!name.starts_with("baton_worker_")) continue;
    EXPECT_TRUE(ours.contains(name)) << name;
  }
}

TEST(WorkerMetrics, CountsWhatTheReportsAdd) {
  MetricsRegistry registry;
  WorkerMetrics metrics(registry, "smol");
  StepReport report;
  report.load = {.running = 3, .waiting = 2, .blocks_active = 5, .blocks_free = 15};
  report.counters.prompt_tokens = 100;
  report.counters.generation_tokens = 7;
  report.last_step_tokens = 50;
  metrics.OnStep(report);
  report.counters.generation_tokens = 9;
  report.last_step_tokens = 0;
  metrics.OnStep(report);
  const std::string text = registry.Expose();
  for (const char* line : {"vllm:num_requests_running{model_name=\"smol\"} 3",
                           "vllm:num_requests_waiting{model_name=\"smol\"} 2",
                           "vllm:kv_cache_usage_perc{model_name=\"smol\"} 0.25",
                           "vllm:prompt_tokens_total{model_name=\"smol\"} 100",
                           "vllm:generation_tokens_total{model_name=\"smol\"} 9",
                           "vllm:iteration_tokens_total_count{model_name=\"smol\"} 1"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace baton::worker
