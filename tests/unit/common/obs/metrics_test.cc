#include "common/obs/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/concurrency/owned_thread.h"
#include "common/obs/buckets.h"

namespace baton {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

enum class Reason { kFull, kGone };
enum class Side { kLeft, kRight };

TEST(MetricsTest, ExposesValuesHelpAndLabels) {
  MetricsRegistry registry(MetricsRegistry::ConstantLabels{{"model_name", "m"}});
  Counter& counter = registry.AddCounter("baton_test_things_total", "Things.");
  Gauge& gauge = registry.AddGauge("vllm:num_requests_running", "Running.", {{"engine", "0"}});
  const std::vector<double> buckets = {1, 2};
  Histogram& histogram = registry.AddHistogram("baton_test_seconds", "Time.", buckets);
  counter.Increment();
  counter.Add(2);
  gauge.Set(5);
  gauge.Add(-1);
  histogram.Observe(1.5);
  EXPECT_EQ(counter.Value(), 3);
  EXPECT_EQ(gauge.Value(), 4);
  EXPECT_EQ(histogram.Count(), 1);
  EXPECT_EQ(histogram.Sum(), 1.5);
  const std::string text = registry.Expose();
  EXPECT_THAT(text, HasSubstr("# HELP baton_test_things_total Things."));
  EXPECT_THAT(text, HasSubstr("# TYPE baton_test_things_total counter"));
  EXPECT_THAT(text, HasSubstr("baton_test_things_total{model_name=\"m\"} 3"));
  EXPECT_THAT(text, HasSubstr("vllm:num_requests_running{"));
  EXPECT_THAT(text, HasSubstr("baton_test_seconds_bucket{model_name=\"m\",le=\"2\"} 1"));
  EXPECT_THAT(registry.Names(), ElementsAre("baton_test_seconds", "baton_test_things_total",
                                            "vllm:num_requests_running"));
}

TEST(MetricsTest, FamiliesHaveAllSeriesFromTheStartAndPickByEnum) {
  MetricsRegistry registry;
  Counters& counters =
      registry.AddCounters("baton_test_drops_total", "Drops.",
                           {{"reason", {"full", "gone"}}, {"side", {"left", "right"}}});
  counters.At(Reason::kGone, Side::kLeft).Add(7);
  EXPECT_EQ(counters.At(Reason::kGone, Side::kRight).Value(), 0);
  EXPECT_EQ(counters.At(1, 0).Value(), 7);
  const std::string text = registry.Expose();
  EXPECT_THAT(text, HasSubstr("baton_test_drops_total{reason=\"gone\",side=\"left\"} 7"));
  EXPECT_THAT(text, HasSubstr("baton_test_drops_total{reason=\"full\",side=\"right\"} 0"));
}

TEST(MetricsTest, HooksRunBeforeEachExposition) {
  MetricsRegistry registry;
  Gauge& gauge = registry.AddGauge("baton_test_level", "Level.");
  int calls = 0;
  registry.OnCollect([&] { gauge.Set(++calls); });
  EXPECT_THAT(registry.Expose(), HasSubstr("baton_test_level 1"));
  EXPECT_THAT(registry.Expose(), HasSubstr("baton_test_level 2"));
}

TEST(MetricsTest, CountsFromManyThreadsAddUp) {
  MetricsRegistry registry;
  Counter& counter = registry.AddCounter("baton_test_total", "Adds.");
  {
    std::vector<std::unique_ptr<OwnedThread>> threads;
    for (int i = 0; i < 4; ++i) {
      threads.push_back(std::make_unique<OwnedThread>("adder", [&](std::stop_token) {
        for (int k = 0; k < 1000; ++k) counter.Increment();
      }));
    }
    EXPECT_THAT(registry.Expose(), Not(HasSubstr("nan")));
  }
  EXPECT_EQ(counter.Value(), 4000);
}

TEST(MetricsDeathTest, OurMistakesAreCaughtBeforeTheLibraryThrows) {
  MetricsRegistry registry;
  registry.AddCounter("baton_test_total", "A.");
  EXPECT_DEATH(registry.AddGauge("baton_test_total", "B."), "registered already");
  EXPECT_DEATH(registry.AddGauge("baton_test_total", "B.", {{"a", "1"}}), "another kind");
  EXPECT_DEATH(registry.AddGauge("0bad", "B."), "invalid");
  EXPECT_DEATH(registry.AddGauge("baton_x", "B.", {{"a-b", "1"}}), "invalid");
  EXPECT_DEATH(registry.AddCounters("baton_y", "B.", {{"l", {}}}), "without values");
  const std::vector<double> unsorted = {2, 1};
  EXPECT_DEATH(registry.AddHistogram("baton_z", "B.", unsorted), "must grow");
  Counters& family = registry.AddCounters("baton_w", "B.", {{"l", {"a"}}});
  EXPECT_DEATH(family.At(1), "label value 1");
}

TEST(BucketsTest, GrowStrictly) {
  for (const std::vector<double>& limits :
       {FirstTokenSecondsBuckets(), TokenSecondsBuckets(), RequestSecondsBuckets(),
        ShortSecondsBuckets(), CountBuckets(3000), RatioBuckets()}) {
    for (size_t i = 1; i < limits.size(); ++i) EXPECT_LT(limits[i - 1], limits[i]);
  }
  EXPECT_EQ(CountBuckets(1), std::vector<double>{1});
  EXPECT_EQ(CountBuckets(12).back(), 20);
}

}  // namespace
}  // namespace baton
