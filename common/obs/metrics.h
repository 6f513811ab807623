#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/check.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace baton {

// A number that only grows. Threading (all three kinds): thread-safe; Counter and Gauge lock-free.
class Counter {
 public:
  void Increment() { Add(1); }
  void Add(double amount);  // REQUIRES: amount >= 0
  double Value() const;

 private:
  friend class MetricsRegistry;
  explicit Counter(prometheus::Counter& counter) : counter_(counter) {}
  prometheus::Counter& counter_;
};

// A number that goes up and down.
class Gauge {
 public:
  void Set(double value);
  void Add(double amount);
  double Value() const;

 private:
  friend class MetricsRegistry;
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  prometheus::Gauge& gauge_;
};

// A distribution over fixed buckets (common/obs/buckets.h).
class Histogram {
 public:
  void Observe(double value);
  double Count() const;
  double Sum() const;

 private:
  friend class MetricsRegistry;
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
  prometheus::Histogram& histogram_;
};

// One label of a family and all the values it can ever have, in the order of the enum (or index)
// that selects them.
struct MetricLabel {
  std::string_view name;
  std::vector<std::string> values;
};

// All series of one name with labels, made up front and picked by enum, without a lookup by name:
//
//   enum class Reject { kNoWorker, kNoCapacity };
//   Counters& rejects = registry.AddCounters("baton_router_rejects_total", "Refused requests.",
//                                            {{"reason", {"no_worker", "no_capacity"}}});
//   rejects.At(Reject::kNoWorker).Increment();
//
// Threading: immutable after registration.
template <typename Metric>
class MetricFamilyOf {
 public:
  // One argument per label, each an enum or an index. REQUIRES: within the label's values.
  template <typename... Labels>
  Metric& At(Labels... labels) const {
    BATON_DCHECK(sizeof...(Labels) == sizes_.size()) << "metric family: wrong number of labels";
    const size_t indices[] = {static_cast<size_t>(labels)...};
    size_t index = 0;
    for (size_t i = 0; i < sizeof...(Labels); ++i) {
      BATON_CHECK(indices[i] < sizes_[i]) << "metric family: label value " << indices[i];
      index = index * sizes_[i] + indices[i];
    }
    return *series_[index];
  }

 private:
  friend class MetricsRegistry;
  std::vector<size_t> sizes_;
  std::vector<Metric*> series_;
};

using Counters = MetricFamilyOf<Counter>;
using Gauges = MetricFamilyOf<Gauge>;
using Histograms = MetricFamilyOf<Histogram>;

// All metrics of a process. Each component fills a struct of references from it in its constructor;
// there are no globals and nothing is found by name later.
//
//   struct RouterMetrics {
//     explicit RouterMetrics(MetricsRegistry& registry);
//     Counter& routed_total;
//   };
//
// Names: `baton_<component>_<noun>_<unit|total>` (the `vllm:` family keeps vLLM's). Labels are
// closed sets, at most three, never ids or text of users. All names stand in
// tests/golden/metric_names.txt.
//
// Threading: thread-safe. Ownership: the registry owns all series; it outlives their users.
// Errors:    a bad name, or one repeated with the same constant labels, or an unsorted bucket list,
// is our bug: CHECK.
class MetricsRegistry {
 public:
  using ConstantLabels = std::map<std::string, std::string>;

  // `constant_labels` are put on every series of this registry.
  explicit MetricsRegistry(ConstantLabels constant_labels = {});
  ~MetricsRegistry();

  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  // `labels` are constant: they name things known at start, such as the served model.
  Counter& AddCounter(std::string_view name, std::string_view help, ConstantLabels labels = {});
  Gauge& AddGauge(std::string_view name, std::string_view help, ConstantLabels labels = {});
  Histogram& AddHistogram(std::string_view name, std::string_view help,
                          std::span<const double> buckets, ConstantLabels labels = {});

  Counters& AddCounters(std::string_view name, std::string_view help,
                        const std::vector<MetricLabel>& labels, ConstantLabels constant = {});
  Gauges& AddGauges(std::string_view name, std::string_view help,
                    const std::vector<MetricLabel>& labels, ConstantLabels constant = {});
  Histograms& AddHistograms(std::string_view name, std::string_view help,
                            std::span<const double> buckets, const std::vector<MetricLabel>& labels,
                            ConstantLabels constant = {});

  // Calls `hook` before each exposition, for gauges that are cheaper to read then than to keep.
  // What it captures must outlive the registry's last scrape. It must not register metrics.
  void OnCollect(std::function<void()> hook);

  // The Prometheus text format, version 0.0.4.
  std::string Expose() const;

  // Names of all families, sorted.
  std::vector<std::string> Names() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace baton
