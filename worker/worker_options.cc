#include "worker/worker_options.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/obs/service_options.h"

namespace baton::worker {
namespace {

void DescribeIdentity(OptionTable& table, WorkerOptions& options) {
  table.Add(
      {.name = "model", .help = "A Hugging Face directory or a GGUF file.", .value_name = "PATH"},
      options.model);
  table.Add({.name = "served-model-name",
             .help = "Name that clients use; the first is the model's, further ones are aliases.",
             .value_name = "NAME"},
            options.served_model_names);
  AddListenOptions(table, options.listen, options.listen_fd);
  AddAdminOptions(table, options.admin_listen, options.admin_listen_fd);
  table.Add({.name = "worker-id",
             .help = "Stable name of this worker; made from host and port if empty."},
            options.worker_id);
  table.AddChoice({.name = "role", .help = "What routers give it."}, options.role,
                  {{"both", v1::WORKER_ROLE_BOTH},
                   {"prefill", v1::WORKER_ROLE_PREFILL},
                   {"decode", v1::WORKER_ROLE_DECODE}});
}

void DescribeEngine(OptionTable& table, WorkerOptions& options) {
  table.AddChoice({.name = "dtype", .help = "Type of weights, activations and cache."},
                  options.dtype,
                  {{"auto", ComputeType::kAuto},
                   {"bfloat16", ComputeType::kBfloat16},
                   {"float32", ComputeType::kFloat32}});
  table.AddChoice({.name = "quantization",
                   .help = "Weights as small integers: auto keeps those that the checkpoint holds, "
                           "unless --dtype is float32."},
                  options.quantization,
                  {{"auto", WeightChoice::kAuto},
                   {"none", WeightChoice::kNone},
                   {"int8", WeightChoice::kInt8},
                   {"int4", WeightChoice::kInt4}});
  table.AddChoice({.name = "kv-cache-dtype",
                   .help = "Type of the keys and values that are kept: auto is that of --dtype."},
                  options.kv_cache_dtype,
                  {{"auto", KvCacheType::kAuto},
                   {"bfloat16", KvCacheType::kBfloat16},
                   {"bf16", KvCacheType::kBfloat16},
                   {"float32", KvCacheType::kFloat32},
                   {"int8", KvCacheType::kInt8},
                   {"fp8", KvCacheType::kFp8},
                   {"fp8_e4m3", KvCacheType::kFp8}});
  table.Add({.name = "max-model-len",
             .help = "Longest prompt and output together; 0 is the model's own."},
            options.max_model_len);
  table.Add({.name = "max-num-seqs", .help = "Sequences that run at once."}, options.max_num_seqs);
  table.Add({.name = "max-num-batched-tokens",
             .help = "Tokens computed in one step; longer prompts are cut into chunks."},
            options.max_num_batched_tokens);
  table.Add({.name = "block-size", .help = "Tokens in a block of the KV cache, 16 to 128."},
            options.block_size);
  table.Add({.name = "kv-cache-memory-bytes",
             .help = "Size of the KV cache; 0 is what the sequences want, within the memory."},
            options.kv_cache_memory_bytes);
  table.Add({.name = "workers-on-host",
             .help = "Workers that size their KV caches by this machine's memory, this one too."},
            options.workers_on_host);
  table.Add({.name = "engine-index", .help = "The label `engine` of this worker's metrics."},
            options.engine_index);
  table.Add({.name = "threads", .help = "Compute threads; 0 is one for each usable processor."},
            options.threads);
  table.Add({.name = "tensor-parallel-size", .help = "Ranks that share each layer."},
            options.tensor_parallel_size);
  table.Add({.name = "scheduling-policy", .help = "Order of service: fcfs or priority."},
            options.scheduling_policy);
  table.Add({.name = "max-waiting-requests",
             .help = "Requests accepted beyond those that run; more are refused."},
            options.max_waiting_requests);
  table.Add({.name = "max-queued-tokens",
             .help = "Prompt tokens of all accepted requests together; more are refused."},
            options.max_queued_tokens);
  table.Add({.name = "max-logprobs",
             .help = "Log-probabilities per token that a request may ask for, where more than "
                     "128; -1: the whole vocabulary."},
            options.max_logprobs);
  table.Add({.name = "seed",
             .help = "Where requests without a seed get theirs from: the same requests in the "
                     "same order are answered alike. Default: drawn anew at each start."},
            options.seed);
}

}  // namespace

absl::Status WorkerOptions::Validate() const {
  if (model.empty()) return InvalidArgument("--model is missing: a directory or a GGUF file");
  if (block_size < 16 || block_size > 128) {
    return InvalidArgument(absl::StrCat("--block-size is ", block_size, "; from 16 to 128"));
  }
  if (workers_on_host < 1) {
    return InvalidArgument(absl::StrCat("--workers-on-host is ", workers_on_host, "; at least 1"));
  }
  if (max_num_seqs < 1 || max_num_seqs > 4096) {
    return InvalidArgument(absl::StrCat("--max-num-seqs is ", max_num_seqs, "; from 1 to 4096"));
  }
  if (max_num_batched_tokens < max_num_seqs || max_num_batched_tokens > (1 << 20)) {
    return InvalidArgument(absl::StrCat("--max-num-batched-tokens is ", max_num_batched_tokens,
                                        "; at least --max-num-seqs, which is ", max_num_seqs));
  }
  if (max_waiting_requests < 0 || max_queued_tokens < 1) {
    return InvalidArgument("--max-waiting-requests and --max-queued-tokens cannot be negative");
  }
  if (max_logprobs < -1) return InvalidArgument("--max-logprobs is negative; -1: the vocabulary");
  if (step_timeout < Duration::zero()) return InvalidArgument("--step-timeout is negative");
  return absl::OkStatus();
}

void DescribeOptions(OptionTable& table, WorkerOptions& options) {
  DescribeIdentity(table, options);
  DescribeEngine(table, options);
  table.Add(
      {.name = "step-timeout",
       .help = "An engine that completes no step for so long ends the worker, with status 70, "
               "so that it is started anew; 0s: never."},
      options.step_timeout);
  table.Add({.name = "drain-timeout", .help = "How long running requests may take to end."},
            options.drain_timeout);
  AddLogOptions(table, options.log_level, options.log_format);
}

}  // namespace baton::worker
