#include "router/service/router_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "router/membership/membership.h"

namespace baton::router {
namespace {

// Dashboards and alerts use these names: a rename must be a visible change of the golden list.
TEST(RouterMetricsTest, NamesAreThoseOfTheGoldenList) {
  std::ifstream file(BATON_SOURCE_DIR "/tests/golden/metric_names.txt");
  std::vector<std::string> golden;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("baton_router_")) golden.push_back(line);
  }
  MetricsRegistry registry;
  RouterMetrics router(registry);
  MembershipMetrics membership(registry);
  EXPECT_EQ(registry.Names(), golden);
}

TEST(RouterMetricsTest, EveryRejectHasItsCounter) {
  MetricsRegistry registry;
  RouterMetrics metrics(registry);
  for (const RejectCode code : {RejectCode::kModelNotFound, RejectCode::kNoWorker,
                                RejectCode::kNoCapacity, RejectCode::kTooLong}) {
    metrics.rejects_total.At(code).Increment();
  }
  const std::string text = registry.Expose();
  for (const char* reason : {"model_not_found", "no_worker", "no_capacity", "too_long"}) {
    EXPECT_THAT(text, testing::HasSubstr("baton_router_rejects_total{reason=\"" +
                                         std::string(reason) + "\"} 1"));
  }
}

}  // namespace
}  // namespace baton::router
