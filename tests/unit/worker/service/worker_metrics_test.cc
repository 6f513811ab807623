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

const WorkerMetrics::Engine kEngine = {.model_name = "smol",
                                       .index = 3,
                                       .block_size = 64,
                                       .block_count = 10,
                                       .cache_dtype = "bfloat16"};

TEST(WorkerMetrics, NamesAreTheAgreedOnes) {
  MetricsRegistry registry;
  const WorkerMetrics metrics(registry, kEngine);
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
  WorkerMetrics metrics(registry, kEngine);
  StepReport report;
  report.load = {.running = 3, .waiting = 2, .blocks_active = 5, .blocks_free = 15};
  report.counters.prompt_tokens = 100;
  report.counters.prefix_hit_tokens = 60;
  const ChoiceTimes times[] = {{.queue_seconds = 1, .prefill_seconds = 2, .decode_seconds = 4}};
  report.finished_choices = times;
  report.counters.generation_tokens = 7;
  report.last_step_tokens = 50;
  metrics.OnStep(report);
  report.counters.generation_tokens = 9;
  report.last_step_tokens = 0;
  report.finished_choices = {};
  metrics.OnStep(report);
  const std::string text = registry.Expose();
  for (const char* line :
       {"vllm:num_requests_running{engine=\"3\",model_name=\"smol\"} 3",
        "vllm:num_requests_waiting{engine=\"3\",model_name=\"smol\"} 2",
        "vllm:kv_cache_usage_perc{engine=\"3\",model_name=\"smol\"} 0.25",
        "vllm:prompt_tokens_total{engine=\"3\",model_name=\"smol\"} 100",
        "vllm:generation_tokens_total{engine=\"3\",model_name=\"smol\"} 9",
        "vllm:request_inference_time_seconds_sum{engine=\"3\",model_name=\"smol\"} 6",
        "source=\"local_compute\"} 40", "sleep_state=\"awake\"} 1",
        "vllm:iteration_tokens_total_count{engine=\"3\",model_name=\"smol\"} 1"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace baton::worker
