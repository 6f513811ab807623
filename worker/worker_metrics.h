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
  // What a series says of the engine beside its numbers.
  struct Engine {
    std::string model_name;
    int32_t index = 0;  // among those of one frontend
    int32_t block_size = 0;
    int32_t block_count = 0;
    std::string cache_dtype;
  };

  WorkerMetrics(MetricsRegistry& registry, const Engine& engine);

  void OnStep(const StepReport& report) override;
  void OnKvEvents(const KvEventBatch& batch) override;
  void OnKvSnapshot(const KvSnapshot& snapshot) override;

  // What loading took; set once.
  void SetLoad(uint64_t bytes_read, uint64_t weight_bytes, double seconds);

 private:
  enum class Outcome { kFinished, kCancelled, kFailed };
  enum class WaitReason { kCapacity, kDeferred };
  enum class PromptSource { kLocalCompute, kLocalCacheHit, kExternalKvTransfer };

  void CountFinished(const ChoiceTimes& times);
  void CountPrompts(const EngineCounters& now);

  const MetricsRegistry::ConstantLabels labels_;

  Gauge& running_;
  Gauge& waiting_;
  Gauges& waiting_by_reason_;
  Gauge& cache_usage_;
  Counter& prompt_tokens_total_;
  Counters& prompt_tokens_by_source_;
  Counter& generation_tokens_total_;
  Counter& prefix_queries_total_;
  Counter& prefix_hits_total_;
  Counter& preemptions_total_;
  Histogram& iteration_tokens_;
  Histogram& queue_seconds_;
  Histogram& prefill_seconds_;
  Histogram& decode_seconds_;
  Histogram& inference_seconds_;
  Histogram& computed_prompt_tokens_;

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
