#include "frontend/metrics/load_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/recording_sink.h"

namespace baton::frontend {
namespace {

constexpr char kPage[] =
    "# HELP vllm:num_requests_waiting Sequences that wait.\n"
    "vllm:num_requests_waiting{component=\"worker-0\",engine=\"0\",model_name=\"a b\"} 2\n"
    "vllm:num_requests_waiting{component=\"worker-1\",engine=\"1\",model_name=\"a b\"} 1\n"
    "vllm:num_requests_waiting_by_reason{reason=\"capacity\"} 50\n"
    "vllm:kv_cache_usage_perc{engine=\"0\"} 0.5\nvllm:kv_cache_usage_perc{engine=\"1\"} 0\n";

TEST(LoadReportTest, APageTellsTheLoadOfAllWorkers) {
  const auto load = LoadOfPage(kPage);
  ASSERT_TRUE(load.has_value());
  EXPECT_EQ(load->requests_waiting, 3);
  EXPECT_EQ(load->kv_cache_usage, 0.25);
  EXPECT_FALSE(LoadOfPage("vllm:num_requests_waiting_by_reason 3\n").has_value());
}

TEST(LoadReportTest, BothFormatsSayTheSame) {
  const FleetLoad load{.requests_waiting = 3, .kv_cache_usage = 0.25};
  EXPECT_EQ(LoadReport("TEXT", load),
            "TEXT named_metrics.num_requests_waiting=3.0, named_metrics.kv_cache_usage_perc=0.25");
  EXPECT_EQ(
      LoadReport("json", load),
      R"(JSON {"named_metrics": {"num_requests_waiting": 3.0, "kv_cache_usage_perc": 0.25}})");
  EXPECT_EQ(LoadReport("binary", load), std::nullopt);
}

TEST(LoadReportTest, OnlyWhoAsksGetsAnotherSink) {
  MetricsRegistry registry;
  PeerMetrics peers({}, registry);
  const auto sink = std::make_shared<RecordingSink>();
  HttpRequest request;
  EXPECT_EQ(WithLoadReport(request, sink, &peers), sink);
  request.headers = {{"Endpoint-Load-Metrics-Format", "TEXT"}};
  EXPECT_EQ(WithLoadReport(request, sink, nullptr), sink);
  const auto reporting = WithLoadReport(request, sink, &peers);
  reporting->Respond({.status = 400, .headers = {}, .body = "no"});
  EXPECT_EQ(sink->response.body, "no");
  EXPECT_FALSE(FindHeader(sink->response.headers, "endpoint-load-metrics").has_value());
}

}  // namespace
}  // namespace baton::frontend
