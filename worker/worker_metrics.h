// The engine's numbers as metrics: vLLM's names where vLLM has the quantity.
//
// Threading: OnStep on the engine thread; the metrics themselves are thread-safe.
// Ownership: the registry owns the metrics and outlives this.
#pragma once

#include <string>

#include "common/obs/metrics.h"
#include "worker/engine/engine_events.h"

namespace baton::worker {

class WorkerMetrics final : public EngineObserver {
 public:
  WorkerMetrics(MetricsRegistry& registry, const std::string& model_name);

  void OnStep(const StepReport& report) override;
  void OnKvEvents(const KvEventBatch& batch) override;
  void OnKvSnapshot(const KvSnapshot& snapshot) override;

  // What loading took; set once.
  void SetLoad(uint64_t bytes_read, uint64_t weight_bytes, double seconds);

 private:
  enum class Outcome { kFinished, kCancelled, kFailed };

  const MetricsRegistry::ConstantLabels labels_;

  Gauge& running_;
  Gauge& waiting_;
  Gauge& cache_usage_;
  Counter& prompt_tokens_total_;
  Counter& generation_tokens_total_;
  Counter& prefix_queries_total_;
  Counter& prefix_hits_total_;
  Counter& preemptions_total_;
  Histogram& iteration_tokens_;

  Counters& requests_total_;
  Counter& failed_steps_total_;
  Histogram& step_seconds_;
  Counter& stored_blocks_total_;
  Counter& removed_blocks_total_;
  Counter& snapshots_total_;
  Gauge& load_bytes_;
  Gauge& weight_bytes_;
  Gauge& load_seconds_;

  EngineCounters last_;  // engine thread
};

}  // namespace baton::worker
