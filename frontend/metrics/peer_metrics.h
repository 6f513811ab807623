// The metrics of the other services on this machine, for `baton serve`: one page for all.
//
// Peers are asked when somebody scrapes us, on a thread of our own, each with a time limit; one
// that does not answer is left out of that page and counted.
//
// Threading: thread-safe; Collect returns at once, its callback comes on the thread `peers`.
// Ownership: the registry outlives it. The destructor stops the thread; waiting scrapes are then
//            answered with this process's own page.
// Errors:    INVALID_ARGUMENT from ParsePeer. A full queue is answered with our own page.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/concurrency/bounded_queue.h"
#include "common/concurrency/owned_thread.h"
#include "common/obs/metrics.h"

namespace baton::frontend {

struct MetricsPeer {
  std::string component = {};
  std::string host = {};
  int port = 0;
  std::string path = {};
};

// Reads "component=http://host:port/path"; the path defaults to /metrics.
absl::StatusOr<MetricsPeer> ParsePeer(std::string_view text);

class PeerMetrics {
 public:
  using Callback = std::function<void(std::string page)>;

  PeerMetrics(std::vector<MetricsPeer> peers, MetricsRegistry& registry);
  ~PeerMetrics();

  void Collect(Callback callback);

 private:
  static constexpr size_t kScrapesMax = 64;

  void Serve();
  std::string CollectNow();

  const std::vector<MetricsPeer> peers_;
  MetricsRegistry& registry_;
  Counter& failures_total_;
  BoundedQueue<Callback> scrapes_{kScrapesMax};
  OwnedThread thread_;
};

// The body of a 200 answer to GET, within the time limit for each step.
// Errors: UNAVAILABLE.
absl::StatusOr<std::string> FetchPage(const MetricsPeer& peer);

}  // namespace baton::frontend
