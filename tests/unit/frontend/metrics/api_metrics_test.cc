#include "frontend/metrics/api_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "frontend/metrics/peer_metrics.h"
#include "frontend/stream/stream_metrics.h"

namespace baton::frontend {
namespace {

using ::testing::HasSubstr;

// Dashboards use these names: a rename must be a visible change of the golden list.
TEST(ApiMetricsTest, NamesAreTheAgreedOnes) {
  MetricsRegistry registry;
  ApiMetrics api(registry, {"models"});
  api.OfModel("m");
  const StreamMetrics stream(registry);
  const PeerMetrics peers({}, registry);
  std::set<std::string> agreed;
  std::ifstream file(BATON_SOURCE_DIR "/tests/golden/metric_names.txt");
  for (std::string name; std::getline(file, name);) agreed.insert(name);
  for (const std::string& name : registry.Names()) EXPECT_TRUE(agreed.contains(name)) << name;
}

TEST(ApiMetricsTest, SeriesOfTheVllmFamilyNameTheirModel) {
  MetricsRegistry registry;
  ApiMetrics metrics(registry, {});
  metrics.OfModel("a").request_success_total.At(FinishLabel::kStop).Increment();
  metrics.OfModel("b").time_to_first_token_seconds.Observe(1);
  EXPECT_EQ(&metrics.OfModel("a"), &metrics.OfModel("a"));
  const std::string text = registry.Expose();
  EXPECT_THAT(text, HasSubstr("{engine=\"0\",finished_reason=\"stop\",model_name=\"a\"} 1"));
  EXPECT_THAT(text, HasSubstr("{engine=\"0\",finished_reason=\"stop\",model_name=\"b\"} 0"));
  EXPECT_THAT(text,
              HasSubstr("vllm:time_to_first_token_seconds_count{engine=\"0\",model_name=\"b\"} 1"));
  const size_t help = text.find("# HELP vllm:request_success_total");
  EXPECT_EQ(text.find("# HELP vllm:request_success_total", help + 1), std::string::npos);
}

TEST(ApiMetricsTest, TheNumberOfModelsIsBounded) {
  MetricsRegistry registry;
  ApiMetrics metrics(registry, {});
  for (size_t i = 0; i < ApiMetrics::kModelsMax; ++i) metrics.OfModel("m" + std::to_string(i));
  EXPECT_EQ(&metrics.OfModel("x"), &metrics.OfModel("y"));
  EXPECT_NE(&metrics.OfModel("x"), &metrics.OfModel("m3"));
}

TEST(ApiMetricsTest, RequestsAreCountedByEndpointAndStatus) {
  MetricsRegistry registry;
  ApiMetrics metrics(registry, {"models"});
  metrics.CountRequest(0, 200);
  metrics.CountRequest(7, 418);
  const std::string text = registry.Expose();
  EXPECT_THAT(text, HasSubstr("{code=\"200\",endpoint=\"models\"} 1"));
  EXPECT_THAT(text, HasSubstr("{code=\"other\",endpoint=\"other\"} 1"));
}

}  // namespace
}  // namespace baton::frontend
