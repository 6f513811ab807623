#include "frontend/metrics/exposition.h"

#include <gtest/gtest.h>

#include "frontend/metrics/peer_metrics.h"

namespace baton::frontend {
namespace {

TEST(ExpositionTest, FamiliesOfSeveralPagesAreMerged) {
  const std::string merged = MergeExpositions(
      {{"worker-0",
        "# HELP vllm:x Help.\n# TYPE vllm:x gauge\nvllm:x 1\n"
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\n"},
       {"worker-1", "# HELP vllm:x Help.\n# TYPE vllm:x gauge\nvllm:x{a=\"b\"} 5\n"}});
  EXPECT_EQ(merged,
            "# TYPE h histogram\nh_bucket{component=\"worker-0\",le=\"+Inf\"} 2\n"
            "h_sum{component=\"worker-0\"} 3\n"
            "# HELP vllm:x Help.\n# TYPE vllm:x gauge\nvllm:x{component=\"worker-0\"} 1\n"
            "vllm:x{component=\"worker-1\",a=\"b\"} 5\n");
}

TEST(PeerMetricsTest, PeersAreRead) {
  const auto peer = ParsePeer("worker-0=http://127.0.0.1:9101/metrics");
  ASSERT_TRUE(peer.ok());
  EXPECT_EQ(peer->component, "worker-0");
  EXPECT_EQ(peer->host, "127.0.0.1");
  EXPECT_EQ(peer->port, 9101);
  EXPECT_EQ(peer->path, "/metrics");
  EXPECT_EQ(ParsePeer("router=[::1]:80")->host, "::1");
  for (const char* bad : {"", "x", "=http://a:1", "x=http://a", "x=http://a:0", "x\"=a:1"}) {
    EXPECT_FALSE(ParsePeer(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace baton::frontend
