#include "worker/worker_metrics.h"

#include <array>

#include "common/obs/buckets.h"

namespace baton::worker {
namespace {

// vLLM's limits.
constexpr std::array<double, 13> kIterationTokens = {1,   8,    16,   32,   64,   128,  256,
                                                     512, 1024, 2048, 4096, 8192, 16384};

double Delta(uint64_t now, uint64_t before) { return static_cast<double>(now - before); }

}  // namespace

WorkerMetrics::WorkerMetrics(MetricsRegistry& registry, const std::string& model_name)
    : labels_({{"model_name", model_name}}),
      running_(registry.AddGauge("vllm:num_requests_running", "Sequences in execution.", labels_)),
      waiting_(registry.AddGauge("vllm:num_requests_waiting", "Sequences that wait.", labels_)),
      cache_usage_(registry.AddGauge("vllm:kv_cache_usage_perc",
                                     "Share of the KV cache held by sequences, 0 to 1.", labels_)),
      prompt_tokens_total_(registry.AddCounter("vllm:prompt_tokens_total",
                                               "Prompt tokens of admitted requests.", labels_)),
      generation_tokens_total_(
          registry.AddCounter("vllm:generation_tokens_total", "Tokens generated.", labels_)),
      prefix_queries_total_(registry.AddCounter("vllm:prefix_cache_queries_total",
                                                "Tokens looked up in the prefix cache.", labels_)),
      prefix_hits_total_(registry.AddCounter("vllm:prefix_cache_hits_total",
                                             "Tokens found in the prefix cache.", labels_)),
      preemptions_total_(registry.AddCounter("vllm:num_preemptions_total",
                                             "Sequences that gave their blocks back.", labels_)),
      iteration_tokens_(registry.AddHistogram("vllm:iteration_tokens_total",
                                              "Tokens computed in one step.", kIterationTokens,
                                              labels_)),
      requests_total_(registry.AddCounters("baton_worker_requests_total",
                                           "Requests that have ended, by how.",
                                           {{"outcome", {"finished", "cancelled", "failed"}}})),
      failed_steps_total_(registry.AddCounter("baton_worker_failed_steps_total",
                                              "Steps that the executor failed.")),
      step_seconds_(registry.AddHistogram("baton_worker_step_seconds", "Time of one engine step.",
                                          ShortSecondsBuckets())),
      stored_blocks_total_(registry.AddCounter("baton_worker_stored_blocks_total",
                                               "Blocks that became known by their hash.")),
      removed_blocks_total_(registry.AddCounter("baton_worker_removed_blocks_total",
                                                "Blocks whose hash was forgotten.")),
      snapshots_total_(registry.AddCounter("baton_worker_kv_snapshots_total",
                                           "Snapshots of the resident hashes made for watchers.")),
      load_bytes_(registry.AddGauge("baton_worker_load_bytes", "Bytes read from the checkpoint.")),
      weight_bytes_(registry.AddGauge("baton_worker_weight_bytes", "Bytes of packed weights.")),
      load_seconds_(
          registry.AddGauge("baton_worker_load_seconds", "Time the model took to load.")) {}

void WorkerMetrics::OnStep(const StepReport& report) {
  const EngineCounters& now = report.counters;
  running_.Set(report.load.running);
  waiting_.Set(report.load.waiting + report.load.parked);
  const int32_t blocks = report.load.blocks_active + report.load.blocks_free;
  cache_usage_.Set(static_cast<double>(report.load.blocks_active) / blocks);
  prompt_tokens_total_.Add(Delta(now.prompt_tokens, last_.prompt_tokens));
  generation_tokens_total_.Add(Delta(now.generation_tokens, last_.generation_tokens));
  prefix_queries_total_.Add(Delta(now.prefix_query_tokens, last_.prefix_query_tokens));
  prefix_hits_total_.Add(Delta(now.prefix_hit_tokens, last_.prefix_hit_tokens));
  preemptions_total_.Add(Delta(now.preemptions, last_.preemptions));
  failed_steps_total_.Add(Delta(now.failed_steps, last_.failed_steps));
  requests_total_.At(Outcome::kFinished).Add(Delta(now.requests_finished, last_.requests_finished));
  requests_total_.At(Outcome::kCancelled)
      .Add(Delta(now.requests_cancelled, last_.requests_cancelled));
  requests_total_.At(Outcome::kFailed).Add(Delta(now.requests_failed, last_.requests_failed));
  if (report.last_step_tokens > 0) {
    iteration_tokens_.Observe(report.last_step_tokens);
    step_seconds_.Observe(report.last_step_seconds);
  }
  last_ = now;
}

void WorkerMetrics::OnKvEvents(const KvEventBatch& batch) {
  for (const KvChanges& changes : batch.groups) {
    stored_blocks_total_.Add(static_cast<double>(changes.stored.size()));
    removed_blocks_total_.Add(static_cast<double>(changes.removed.size()));
  }
}

void WorkerMetrics::OnKvSnapshot(const KvSnapshot&) { snapshots_total_.Increment(); }

void WorkerMetrics::SetLoad(uint64_t bytes_read, uint64_t weight_bytes, double seconds) {
  load_bytes_.Set(static_cast<double>(bytes_read));
  weight_bytes_.Set(static_cast<double>(weight_bytes));
  load_seconds_.Set(seconds);
}

}  // namespace baton::worker
