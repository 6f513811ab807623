#include "common/obs/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "absl/base/thread_annotations.h"
#include "common/base/strings.h"
#include "common/concurrency/mutex.h"

namespace baton {
namespace {

bool IsNameCharacter(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
         (!first && c >= '0' && c <= '9');
}

bool IsValidName(std::string_view name) {
  if (name.empty() || name.starts_with("__")) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (!IsNameCharacter(name[i], i == 0)) return false;
  }
  return true;
}

// Every combination of label values, the last label running fastest, as MetricFamilyOf::At counts.
std::vector<prometheus::Labels> AllCombinations(const std::vector<MetricLabel>& labels) {
  std::vector<prometheus::Labels> combinations = {{}};
  for (const MetricLabel& label : labels) {
    std::vector<prometheus::Labels> longer;
    for (const prometheus::Labels& combination : combinations) {
      for (const std::string& value : label.values) {
        longer.push_back(combination);
        longer.back()[std::string(label.name)] = value;
      }
    }
    combinations = std::move(longer);
  }
  return combinations;
}

}  // namespace

void Counter::Add(double amount) { counter_.Increment(amount); }
double Counter::Value() const { return counter_.Value(); }
void Gauge::Set(double value) { gauge_.Set(value); }
void Gauge::Add(double amount) { gauge_.Increment(amount); }
double Gauge::Value() const { return gauge_.Value(); }
void Histogram::Observe(double value) { histogram_.Observe(value); }
double Histogram::Count() const {
  return static_cast<double>(histogram_.Collect().histogram.sample_count);
}
double Histogram::Sum() const { return histogram_.Collect().histogram.sample_sum; }

struct MetricsRegistry::State {
  // Deques keep the addresses that callers hold.
  template <typename Metric, typename Exposed>
  struct Store {
    std::deque<Metric> series;
    std::deque<MetricFamilyOf<Metric>> families;
    std::map<std::string, prometheus::Family<Exposed>*, std::less<>> exposed;  // by name
  };

  struct Description {
    std::string_view name;
    std::string_view help;
    const ConstantLabels& constant;
    const std::vector<MetricLabel>& labels;
  };

  explicit State(ConstantLabels labels) : constant_labels(std::move(labels)) {}

  // Checks the name and the labels before prometheus-cpp can throw about them. A name may come
  // again with other constant labels of the same kind of metric.
  void Claim(std::string_view name, const ConstantLabels& constant,
             const std::vector<MetricLabel>& labels) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    BATON_CHECK(IsValidName(name)) << "metric name '" << name << "' is invalid";
    BATON_CHECK(names[std::string(name)].insert(constant).second)
        << "metric '" << name << "' is registered already";
    std::set<std::string> keys;
    for (const auto& [key, value] : constant_labels) keys.insert(key);
    for (const auto& [key, value] : constant) keys.insert(key);
    for (const MetricLabel& label : labels) {
      BATON_CHECK(!label.values.empty() && keys.insert(std::string(label.name)).second)
          << "metric '" << name << "': label '" << label.name << "' repeated or without values";
    }
    for (const std::string& key : keys) {
      BATON_CHECK(IsValidName(key) && key.find(':') == std::string::npos && key != "le")
          << "metric '" << name << "': label '" << key << "' is invalid";
    }
  }

  // Makes the family at prometheus-cpp, if it is new, and the series; `arguments` go to each.
  template <typename Metric, typename Exposed, typename Builder, typename... Arguments>
  MetricFamilyOf<Metric>& Make(Store<Metric, Exposed>& store, Builder builder,
                               const Description& what, const Arguments&... arguments)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const bool is_new = names.find(what.name) == names.end();
    Claim(what.name, what.constant, what.labels);
    auto& exposed = store.exposed[std::string(what.name)];
    if (is_new) {
      exposed = &builder.Name(std::string(what.name))
                     .Help(std::string(what.help))
                     .Labels(prometheus::Labels(constant_labels.begin(), constant_labels.end()))
                     .Register(registry);
    }
    BATON_CHECK(exposed != nullptr)
        << "metric '" << what.name << "' is registered already, as another kind";
    MetricFamilyOf<Metric>& made = store.families.emplace_back();
    for (const MetricLabel& label : what.labels) made.sizes_.push_back(label.values.size());
    for (prometheus::Labels& combination : AllCombinations(what.labels)) {
      combination.insert(what.constant.begin(), what.constant.end());
      store.series.push_back(Metric(exposed->Add(combination, arguments...)));
      made.series_.push_back(&store.series.back());
    }
    return made;
  }

  const ConstantLabels constant_labels;
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Throw};

  Mutex mutex;
  std::map<std::string, std::set<ConstantLabels>, std::less<>> names ABSL_GUARDED_BY(mutex);
  std::vector<std::function<void()>> hooks ABSL_GUARDED_BY(mutex);
  Store<Counter, prometheus::Counter> counters ABSL_GUARDED_BY(mutex);
  Store<Gauge, prometheus::Gauge> gauges ABSL_GUARDED_BY(mutex);
  Store<Histogram, prometheus::Histogram> histograms ABSL_GUARDED_BY(mutex);
};

MetricsRegistry::MetricsRegistry(ConstantLabels constant_labels)
    : state_(std::make_unique<State>(std::move(constant_labels))) {}

MetricsRegistry::~MetricsRegistry() = default;

Counter& MetricsRegistry::AddCounter(std::string_view name, std::string_view help,
                                     ConstantLabels labels) {
  return AddCounters(name, help, {}, std::move(labels)).At();
}

Gauge& MetricsRegistry::AddGauge(std::string_view name, std::string_view help,
                                 ConstantLabels labels) {
  return AddGauges(name, help, {}, std::move(labels)).At();
}

Histogram& MetricsRegistry::AddHistogram(std::string_view name, std::string_view help,
                                         std::span<const double> buckets, ConstantLabels labels) {
  return AddHistograms(name, help, buckets, {}, std::move(labels)).At();
}

Counters& MetricsRegistry::AddCounters(std::string_view name, std::string_view help,
                                       const std::vector<MetricLabel>& labels,
                                       ConstantLabels constant) {
  MutexLock lock(state_->mutex);
  return state_->Make(state_->counters, prometheus::BuildCounter(), {name, help, constant, labels});
}

Gauges& MetricsRegistry::AddGauges(std::string_view name, std::string_view help,
                                   const std::vector<MetricLabel>& labels,
                                   ConstantLabels constant) {
  MutexLock lock(state_->mutex);
  return state_->Make(state_->gauges, prometheus::BuildGauge(), {name, help, constant, labels});
}

Histograms& MetricsRegistry::AddHistograms(std::string_view name, std::string_view help,
                                           std::span<const double> buckets,
                                           const std::vector<MetricLabel>& labels,
                                           ConstantLabels constant) {
  BATON_CHECK(!buckets.empty() && std::adjacent_find(buckets.begin(), buckets.end(),
                                                     std::greater_equal<>()) == buckets.end())
      << "metric '" << name << "': buckets must grow";
  MutexLock lock(state_->mutex);
  return state_->Make(state_->histograms, prometheus::BuildHistogram(),
                      {name, help, constant, labels},
                      prometheus::Histogram::BucketBoundaries(buckets.begin(), buckets.end()));
}

void MetricsRegistry::OnCollect(std::function<void()> hook) {
  MutexLock lock(state_->mutex);
  state_->hooks.push_back(std::move(hook));
}

std::string MetricsRegistry::Expose() const {
  std::vector<std::function<void()>> hooks;
  {
    MutexLock lock(state_->mutex);
    hooks = state_->hooks;
  }
  for (const std::function<void()>& hook : hooks) hook();
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

std::vector<std::string> MetricsRegistry::Names() const {
  MutexLock lock(state_->mutex);
  std::vector<std::string> names;
  for (const auto& [name, constants] : state_->names) names.push_back(name);
  return names;
}

}  // namespace baton
