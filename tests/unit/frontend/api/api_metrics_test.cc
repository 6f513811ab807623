#include "frontend/api/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "frontend/api/endpoint.h"
#include "frontend/api/peer_metrics.h"
#include "frontend/stream/stream_metrics.h"

namespace baton::frontend {
namespace {

using ::testing::HasSubstr;

// Dashboards use these names: a rename must be a visible change of the golden list.
TEST(ApiMetricsTest, NamesAreTheAgreedOnes) {
  MetricsRegistry registry;
  const ApiMetrics api(registry, EndpointNames());
  const StreamMetrics stream(registry);
  const PeerMetrics peers({}, registry);
  std::set<std::string> agreed;
  std::ifstream file(BATON_SOURCE_DIR "/tests/golden/metric_names.txt");
  for (std::string name; std::getline(file, name);) agreed.insert(name);
  for (const std::string& name : registry.Names()) EXPECT_TRUE(agreed.contains(name)) << name;
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
