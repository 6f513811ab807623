#include "worker/worker_metrics.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/obs/buckets.h"

namespace baton::worker {
namespace {

// vLLM's limits.
constexpr std::array<double, 13> kIterationTokens = {1,   8,    16,   32,   64,   128,  256,
                                                     512, 1024, 2048, 4096, 8192, 16384};

constexpr double kTokensMax = 1'000'000;

double Delta(uint64_t now, uint64_t before) { return static_cast<double>(now - before); }

}  // namespace

WorkerMetrics::WorkerMetrics(MetricsRegistry& registry, const Engine& engine)
    : labels_({{"model_name", engine.model_name}, {"engine", std::to_string(engine.index)}}),
      running_(registry.AddGauge("vllm:num_requests_running", "Sequences in execution.", labels_)),
      waiting_(registry.AddGauge("vllm:num_requests_waiting", "Sequences that wait.", labels_)),
      waiting_by_reason_(registry.AddGauges("vllm:num_requests_waiting_by_reason",
                                            "Sequences that wait, by what for.",
                                            {{"reason", {"capacity", "deferred"}}}, labels_)),
      cache_usage_(registry.AddGauge("vllm:kv_cache_usage_perc",
                                     "Share of the KV cache held by sequences, 0 to 1.", labels_)),
      prompt_tokens_total_(registry.AddCounter("vllm:prompt_tokens_total",
                                               "Prompt tokens of admitted requests.", labels_)),
      prompt_tokens_by_source_(registry.AddCounters(
          "vllm:prompt_tokens_by_source_total", "Prompt tokens by where their keys came from.",
          {{"source", {"local_compute", "local_cache_hit", "external_kv_transfer"}}}, labels_)),
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
      queue_seconds_(registry.AddHistogram("vllm:request_queue_time_seconds",
                                           "From a request's submission to its first step.",
                                           RequestSecondsBuckets(), labels_)),
      prefill_seconds_(registry.AddHistogram("vllm:request_prefill_time_seconds",
                                             "From a request's first step to its first token.",
                                             RequestSecondsBuckets(), labels_)),
      decode_seconds_(registry.AddHistogram("vllm:request_decode_time_seconds",
                                            "From a choice's first token to its last.",
                                            RequestSecondsBuckets(), labels_)),
      inference_seconds_(registry.AddHistogram("vllm:request_inference_time_seconds",
                                               "From a request's first step to a choice's end.",
                                               RequestSecondsBuckets(), labels_)),
      computed_prompt_tokens_(registry.AddHistogram(
          "vllm:request_prefill_kv_computed_tokens",
          "Prompt tokens of a request that were in no cache.", CountBuckets(kTokensMax), labels_)),
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
          registry.AddGauge("baton_worker_load_seconds", "Time the model took to load.")) {
  MetricsRegistry::ConstantLabels cache = {{"engine", labels_.at("engine")},
                                           {"block_size", std::to_string(engine.block_size)},
                                           {"num_gpu_blocks", std::to_string(engine.block_count)},
                                           {"cache_dtype", engine.cache_dtype},
                                           {"enable_prefix_caching", "True"}};
  registry.AddGauge("vllm:cache_config_info", "The KV cache, in labels.", std::move(cache)).Set(1);
  enum class Sleep { kAwake };
  registry
      .AddGauges("vllm:engine_sleep_state", "1 for the state that the engine is in.",
                 {{"sleep_state", {"awake", "weights_offloaded", "discard_all"}}}, labels_)
      .At(Sleep::kAwake)
      .Set(1);
}

void WorkerMetrics::CountFinished(const ChoiceTimes& times) {
  queue_seconds_.Observe(times.queue_seconds);
  prefill_seconds_.Observe(times.prefill_seconds);
  decode_seconds_.Observe(times.decode_seconds);
  inference_seconds_.Observe(times.prefill_seconds + times.decode_seconds);
  computed_prompt_tokens_.Observe(times.computed_prompt_tokens);
}

void WorkerMetrics::CountPrompts(const EngineCounters& now) {
  const double prompt = Delta(now.prompt_tokens, last_.prompt_tokens);
  const double hits = Delta(now.prefix_hit_tokens, last_.prefix_hit_tokens);
  prompt_tokens_total_.Add(prompt);
  prompt_tokens_by_source_.At(PromptSource::kLocalCompute).Add(std::max(prompt - hits, 0.0));
  prompt_tokens_by_source_.At(PromptSource::kLocalCacheHit).Add(hits);
}

void WorkerMetrics::OnStep(const StepReport& report) {
  const EngineCounters& now = report.counters;
  running_.Set(report.load.running);
  waiting_.Set(report.load.waiting + report.load.parked);
  const int32_t blocks = report.load.blocks_active + report.load.blocks_free;
  cache_usage_.Set(static_cast<double>(report.load.blocks_active) / blocks);
  waiting_by_reason_.At(WaitReason::kCapacity).Set(report.load.waiting);
  waiting_by_reason_.At(WaitReason::kDeferred).Set(report.load.parked);
  for (const ChoiceTimes& times : report.finished_choices) CountFinished(times);
  CountPrompts(now);
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
