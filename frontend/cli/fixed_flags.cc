#include "frontend/cli/fixed_flags.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

constexpr char kNoAccessLog[] = "requests are never logged";
constexpr char kNoAdapters[] = "there are no adapters";
constexpr char kNoGpuGraphs[] = "nothing is captured or compiled";
constexpr char kNoMedia[] = "models read text";
constexpr char kNoOffload[] = "weights and keys stay where they are computed with";
constexpr char kNoTls[] = "a proxy in front of the API speaks TLS";
constexpr char kNoTraces[] = "no traces are made";
constexpr char kOneEngine[] = "there is one implementation, fitted to the machine";
constexpr char kOneHost[] = "it starts workers on this machine alone";
constexpr char kOnlyText[] = "models generate text";
constexpr char kOwnFiles[] = "the model's files are taken as they lie there";

struct FixedSwitch {
  const char* name;
  bool value;
  const char* why;
  bool matters = false;  // another value would change answers: refused
};

constexpr FixedSwitch kSwitches[] = {
    {"aggregate-engine-logging", false, "figures are at /metrics only"},
    {"allow-deprecated-quantization", false, "the files tell what they hold"},
    {"async-scheduling", true, "steps are always planned ahead"},
    {"cohere-is-reasoning-model", true, "Cohere's API is not served"},
    {"cudagraph-metrics", false, kNoGpuGraphs},
    {"data-parallel-external-lb", false, kOneHost, true},
    {"data-parallel-hybrid-lb", false, kOneHost, true},
    {"data-parallel-multi-port-external-lb", false, kOneHost, true},
    {"dcp-q-replicate", false, kOneEngine},
    {"disable-cascade-attn", true, kOneEngine},
    {"disable-chunked-mm-input", false, kNoMedia},
    {"disable-custom-all-reduce", false, kOneEngine},
    {"disable-hybrid-kv-cache-manager", false, kOneEngine},
    {"disable-log-requests", true, kNoAccessLog},
    {"disable-log-stats", true, "figures are at /metrics only"},
    {"disable-nccl-for-dp-synchronization", false, "workers wait for no other worker"},
    {"disable-sliding-window", false, "layers see what the model says", true},
    {"disable-uvicorn-access-log", true, kNoAccessLog},
    {"enable-batch-sharded-sampling", false, kOneEngine},
    {"enable-chunked-prefill", true, "prompts are always computed in chunks"},
    {"enable-cumem-allocator", false, kOneEngine},
    {"enable-dbo", false, kOneEngine},
    {"enable-elastic-ep", false, "--workers is settled at the start", true},
    {"enable-ep-weight-filter", false, kOneEngine},
    {"enable-eplb", false, kOneEngine},
    {"enable-expert-parallel", false, "experts are split like all layers"},
    {"enable-fault-tolerance", false, "a worker that fails is always started again"},
    {"enable-flash-late-interaction", true, kOnlyText},
    {"enable-flashinfer-autotune", false, kOneEngine},
    {"enable-hc-sp", false, kOneEngine},
    {"enable-layerwise-nvtx-tracing", false, kNoTraces},
    {"enable-log-deltas", false, kNoAccessLog},
    {"enable-log-outputs", false, kNoAccessLog},
    {"enable-log-requests", false, kNoAccessLog},
    {"enable-logging-iteration-details", false, "steps are never logged"},
    {"enable-lora", false, kNoAdapters, true},
    {"enable-mamba-cache-stochastic-rounding", false, kOneEngine},
    {"enable-mamba-shared-prefix-checkpoint", false, kOneEngine},
    {"enable-mfu-metrics", false, "use of the processor is not estimated"},
    {"enable-mixed-moe-lora-format", false, kNoAdapters},
    {"enable-mm-embeds", false, kNoMedia, true},
    {"enable-moe-shared-loras", false, kNoAdapters},
    {"enable-nccl-comm-suspend", false, "models do not sleep"},
    {"enable-per-request-metrics", false, "answers show no times", true},
    {"enable-prefix-caching", true, "prefixes are always cached"},
    {"enable-prompt-embeds", false, "prompts are text or tokens", true},
    {"enable-return-routed-experts", false, "experts are not shown", true},
    {"enable-server-load-tracking", true, "/load is always served"},
    {"enable-shm-tensor-arena", false, kOneEngine},
    {"enable-sleep-mode", false, "models do not sleep", true},
    {"enable-ssl-refresh", false, kNoTls, true},
    {"enable-tower-connector-lora", false, kNoAdapters},
    {"enable-trace-replay", false, "tokens are drawn, never given", true},
    {"enforce-eager", true, kNoGpuGraphs},
    {"fail-on-environ-validation", false, "variables of vLLM are not read"},
    {"fully-sharded-loras", false, kNoAdapters},
    {"grpc", false, "every worker speaks gRPC, under a port of its own", true},
    {"headless", false, kOneHost, true},
    {"interleave-mm-strings", false, kNoMedia},
    {"jit-monitor-verbose", false, kNoGpuGraphs},
    {"kv-cache-metrics", false, "lives of blocks are not sampled"},
    {"kv-sharing-fast-prefill", false, kOneEngine},
    {"language-model-only", true, kNoMedia},
    {"log-error-stack", false, "errors have no stack"},
    {"long-prefill-token-threshold-adaptive", false, "prompts share the budget in turn"},
    {"mm-device-do-normalize", false, kNoMedia},
    {"mm-encoder-only", false, kOnlyText, true},
    {"numa-bind", false, "threads are where the system puts them"},
    {"ray-workers-use-nsight", false, kNoTraces},
    {"return-sampling-mask", false, "masks are not shown", true},
    {"scheduler-reserve-full-isl", true, "what is admitted fits"},
    {"skip-mm-profiling", false, kNoMedia},
    {"skip-tokenizer-init", false, "text is tokenised here", true},
    {"sleep-mode-offload-cudagraph", false, "models do not sleep"},
    {"specialize-active-lora", false, kNoAdapters},
    {"swa-bounded-replay", false, kOneEngine},
    {"tokens-only", false, "--enable-scale-out adds the token-level routes", true},
    {"trust-remote-code", false, "code in checkpoints is never run"},
    {"trust-request-mm-kwargs", false, kNoMedia},
    {"use-fp64-gumbel", false, "choices are drawn in exact numbers"},
    {"use-replayssm", false, kOneEngine},
    {"use-tqdm-on-load", true, "the bar is drawn on a terminal"},
};

constexpr char kNone[] = "none of them";  // a word that no value equals: all are refused

struct FixedText {
  const char* name;
  const char* values;  // words that are taken, with a space between; empty: any, without effect
  const char* why;
  const char* alias = nullptr;
};

constexpr FixedText kTexts[] = {
    {"additional-config", "", kOneEngine},
    {"all2all-backend", "", kOneEngine},
    {"allowed-local-media-path", "", kNoMedia},
    {"anthropic-disabled-thinking-effort", "auto", "templates get no effort then"},
    {"api-server-count", "", "one frontend serves with all its threads", "asc"},
    {"attention-backend", "", kOneEngine},
    {"attention-config", "", kOneEngine, "ac"},
    {"aux-output-config", "", "experts are not shown"},
    {"code-revision", "", "code in checkpoints is never run"},
    {"cohere-format", "", "Cohere's API is not served"},
    {"compilation-config", "", kNoGpuGraphs, "cc"},
    {"config-format", "auto hf", "checkpoints are Hugging Face's or GGUF"},
    {"convert", "auto none", kOnlyText},
    {"cp-kv-cache-interleave-size", "", kOneEngine},
    {"cpu-distributed-timeout-seconds", "", kOneHost},
    {"cpu-offload-gb", "", kNoOffload},
    {"custom-histogram-buckets", "", "buckets are vLLM's"},
    {"data-parallel-address", "", kOneHost, "dpa"},
    {"data-parallel-backend", "", kOneHost, "dpb"},
    {"data-parallel-rank", "0", kOneHost, "dpn"},
    {"data-parallel-rpc-port", "", kOneHost, "dpp"},
    {"data-parallel-size-local", "", "all workers are on this machine", "dpl"},
    {"data-parallel-start-rank", "0", kOneHost, "dpr"},
    {"data-parallel-supervisor-port", "", "probes are on ports of their own"},
    {"dbo-decode-token-threshold", "", kOneEngine},
    {"dbo-prefill-token-threshold", "", kOneEngine},
    {"dcp-comm-backend", "", kOneEngine},
    {"dcp-kv-cache-interleave-size", "", kOneEngine},
    {"decode-context-parallel-size", "1", "contexts are not spread over workers", "dcp"},
    {"default-mm-loras", kNone, kNoAdapters},
    {"device-ids", "", "a worker takes the first device"},
    {"diffusion-config", kNone, "models generate from left to right", "dc"},
    {"disable-access-log-for-endpoints", "", kNoAccessLog},
    {"distributed-executor-backend", "", "ranks are threads or processes of this machine"},
    {"distributed-timeout-seconds", "", kOneHost},
    {"download-dir", "", "models are fetched by `baton pull`"},
    {"dp-supervisor-probe-failure-threshold", "", "a worker that ends is started again at once"},
    {"dp-supervisor-probe-interval-s", "", "a worker that ends is started again at once"},
    {"dp-supervisor-probe-timeout-s", "", "a worker that ends is started again at once"},
    {"dp-sync-interval", "", "workers wait for no other worker"},
    {"ec-manager-config", "", kNoMedia},
    {"ec-transfer-config", "", kNoMedia},
    {"elastic-ep-max-dp-size", "", "--workers is settled at the start"},
    {"engram-config", kNone, "no such layers are known"},
    {"eplb-config", "", kOneEngine},
    {"expert-placement-strategy", "", kOneEngine},
    {"fault-tolerance-config", "", "a worker that fails is always started again"},
    {"gdn-prefill-backend", "", kOneEngine},
    {"gpu-memory-utilization", "", "--kv-cache-memory-bytes sizes the KV cache",
     "device-memory-utilization"},
    {"grpc-port", kNone, "every worker speaks gRPC, under a port of its own"},
    {"h11-max-header-count", "", "heads of requests have bounds of their own"},
    {"h11-max-incomplete-event-size", "", "heads of requests have bounds of their own"},
    {"hf-config-path", kNone, kOwnFiles},
    {"hf-overrides", "{}", kOwnFiles},
    {"hf-token", "", "models are fetched by `baton pull`"},
    {"io-processor-plugin", kNone, "no code is loaded"},
    {"ir-op-priority", "", kOneEngine},
    {"jit-monitor-mode", "", kNoGpuGraphs},
    {"kda-decode-backend", "", kOneEngine},
    {"kda-prefill-backend", "", kOneEngine},
    {"kernel-config", "", kOneEngine},
    {"kv-cache-metrics-sample", "", "lives of blocks are not sampled"},
    {"kv-events-config", "", "routers watch every worker"},
    {"kv-offloading-backend", "", kNoOffload},
    {"kv-offloading-size", "", kNoOffload},
    {"kv-transfer-config", "", "workers agree on transfers among themselves"},
    {"limit-mm-per-prompt", "", kNoMedia},
    {"linear-backend", "", kOneEngine},
    {"load-format", "auto safetensors gguf", "the files tell their format"},
    {"log-config-file", "", "--log-level is for all programs"},
    {"logging-config", "", "--log-level is for all programs"},
    {"logprobs-mode", "raw_logprobs", "log-probabilities are those of the model"},
    {"long-prefill-token-threshold", "", "prompts share the budget in turn"},
    {"lora-dtype", "", kNoAdapters},
    {"mamba-backend", "", kOneEngine},
    {"mamba-block-size", "", kOneEngine},
    {"mamba-cache-dtype", "", kOneEngine},
    {"mamba-cache-mode", "", kOneEngine},
    {"mamba-cache-philox-rounds", "", kOneEngine},
    {"mamba-ssm-cache-dtype", "", kOneEngine},
    {"mamba-ssu-algorithm", "", kOneEngine},
    {"master-addr", "", kOneHost},
    {"master-port", "", kOneHost},
    {"max-cpu-loras", "", kNoAdapters},
    {"max-cudagraph-capture-size", "", kNoGpuGraphs},
    {"max-log-len", "", kNoAccessLog},
    {"max-lora-cls-labels", "", kNoAdapters},
    {"max-lora-rank", "", kNoAdapters},
    {"max-loras", "", kNoAdapters},
    {"max-num-active-seqs", "", "--max-num-seqs bounds what runs"},
    {"max-num-scheduled-tokens", "", "--max-num-batched-tokens bounds a step"},
    {"max-parallel-loading-workers", "", "files are mapped into memory"},
    {"media-io-kwargs", "", kNoMedia},
    {"middleware", "[]", "no code is loaded"},
    {"mm-encoder-attn-backend", "", kNoMedia},
    {"mm-encoder-attn-dtype", "", kNoMedia},
    {"mm-encoder-fp8-scale-path", "", kNoMedia},
    {"mm-encoder-fp8-scale-save-margin", "", kNoMedia},
    {"mm-encoder-fp8-scale-save-path", "", kNoMedia},
    {"mm-encoder-tp-mode", "", kNoMedia},
    {"mm-hasher-algorithm", "", kNoMedia},
    {"mm-ipc-gpu-memory-gb", "", kNoMedia},
    {"mm-processor-cache-gb", "", kNoMedia},
    {"mm-processor-cache-type", "", kNoMedia},
    {"mm-processor-device", "", kNoMedia},
    {"mm-processor-kwargs", "", kNoMedia},
    {"mm-shm-cache-max-object-size-mb", "", kNoMedia},
    {"mm-tensor-ipc", "", kNoMedia},
    {"model-class-overrides", "{}", "no code is loaded"},
    {"model-impl", "", kOneEngine},
    {"model-loader-extra-config", "", "the files tell their format"},
    {"moe-backend", "", kOneEngine},
    {"nnodes", "1", kOneHost, "n"},
    {"node-rank", "0", kOneHost, "r"},
    {"num-gpu-blocks-override", "", "--kv-cache-memory-bytes sizes the KV cache"},
    {"offload-backend", "", kNoOffload},
    {"offload-group-size", "", kNoOffload},
    {"offload-num-in-group", "", kNoOffload},
    {"offload-prefetch-step", "", kNoOffload},
    {"optimization-level", "", kNoGpuGraphs, "O"},
    {"otlp-traces-endpoint", "", kNoTraces},
    {"per-request-spec-decode-metrics", "none", "nothing is drafted"},
    {"performance-mode", "", kOneEngine},
    {"pipeline-parallel-size", "1", "layers are not spread over workers", "pp"},
    {"pooler-config", kNone, kOnlyText},
    {"prefill-context-parallel-size", "1", "contexts are not spread over workers", "pcp"},
    {"prefill-schedule-interval", "", "prompts share the budget in turn"},
    {"prefix-cache-retention-interval", "", "what was used longest ago leaves the cache"},
    {"prefix-caching-hash-algo", "", "all services hash blocks alike"},
    {"prefix-match-unit", "", "prefixes match block by block"},
    {"profiler-config", "", kNoTraces},
    {"pt-load-map-location", "", "the files tell their format"},
    {"quantization-config", kNone, "--quantization says all"},
    {"reasoning-config", "", "the chat template shows how a model marks its reasoning"},
    {"reasoning-parser-plugin", kNone, "no code is loaded"},
    {"renderer-num-workers", "", "--handler-threads of the frontend render"},
    {"replayssm-buffer-len", "", kOneEngine},
    {"revision", "main", kOwnFiles},
    {"runner", "auto generate", kOnlyText},
    {"safetensors-load-strategy", "", "files are mapped into memory"},
    {"safetensors-prefetch-block-size", "", "files are mapped into memory"},
    {"safetensors-prefetch-num-threads", "", "files are mapped into memory"},
    {"scheduler-cls", kNone, "no code is loaded"},
    {"show-hidden-metrics-for-version", "", "no metrics are hidden"},
    {"sparse-indexer-topk-backend", "", kOneEngine},
    {"spec-method", "", "nothing is drafted"},
    {"spec-model", "", "nothing is drafted"},
    {"spec-tokens", "", "nothing is drafted"},
    {"speculative-config", "", "nothing is drafted", "sc"},
    {"sse-keep-alive-interval", "0", "streams hold data and nothing else"},
    {"ssl-ca-certs", kNone, kNoTls},
    {"ssl-cert-reqs", "0", kNoTls},
    {"ssl-certfile", kNone, kNoTls},
    {"ssl-ciphers", kNone, kNoTls},
    {"ssl-keyfile", kNone, kNoTls},
    {"stream-interval", "1", "every token is streamed"},
    {"structured-outputs-config", "", "there is one engine for constraints"},
    {"swap-space", "", "what is preempted is computed again"},
    {"task", "auto generate", kOnlyText},
    {"tokenizer", kNone, "the tokenizer is the checkpoint's"},
    {"tokenizer-mode", "auto hf", "the files tell their kind"},
    {"tokenizer-revision", "main", kOwnFiles},
    {"tool-parser-plugin", kNone, "no code is loaded"},
    {"tool-server", kNone, "tools are the client's to call"},
    {"tool-strict-level", "auto", "what enforces a call is the request's choice"},
    {"ubatch-size", "", kOneEngine},
    {"uvicorn-log-level", "", "--log-level is for all programs"},
    {"video-pruning-method", "", kNoMedia},
    {"video-pruning-rate", "", kNoMedia},
    {"watermark", "", "what is preempted is computed again"},
    {"watermark-config", kNone, "text is not watermarked"},
    {"weight-transfer-config", kNone, "weights are those of the files"},
    {"worker-cls", "auto", "no code is loaded"},
    {"worker-extension-cls", kNone, "no code is loaded"},
};

// Those that take several words.
constexpr FixedText kLists[] = {
    {"allowed-media-domains", "", kNoMedia},
    {"collect-detailed-traces", "", kNoTraces},
    {"cpu-offload-params", "", kNoOffload},
    {"cudagraph-capture-sizes", "", kNoGpuGraphs},
    {"ignore-patterns", "", "models are fetched by `baton pull`"},
    {"kv-cache-dtype-skip-layers", "", "all layers keep their keys in one type"},
    {"logits-processors", kNone, "no code is loaded"},
    {"lora-modules", kNone, kNoAdapters},
    {"lora-target-modules", "", kNoAdapters},
    {"numa-bind-cpus", "", "threads are where the system puts them"},
    {"numa-bind-nodes", "", "threads are where the system puts them"},
    {"offload-params", "", kNoOffload},
    {"sleep-preserve-parameter-names", "", "models do not sleep"},
};

bool IsWordOf(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

absl::Status Refusal(std::string_view flag, const char* why) {
  return InvalidArgument(absl::StrCat("--", ToAbsl(flag), " cannot be served: ", why));
}

std::string Note(std::string_view flag, const char* why) {
  return absl::StrCat("--", ToAbsl(flag), " changes nothing here: ", why);
}

OptionSpec HiddenOption(const FixedText& flag) {
  OptionSpec spec{.name = flag.name, .help = flag.why, .hidden = true};
  if (flag.alias != nullptr) spec.aliases.emplace_back(flag.alias);
  return spec;
}

// Nothing to say of a value that is so anyway.
absl::Status Judge(const FixedText& flag, const std::string& value,
                   std::vector<std::string>& notes) {
  if (IsWordOf(flag.values, value)) return absl::OkStatus();
  if (*flag.values != '\0') return Refusal(absl::StrCat(flag.name, " ", value), flag.why);
  notes.push_back(Note(flag.name, flag.why));
  return absl::OkStatus();
}

}  // namespace

void FixedFlags::AddTo(OptionTable& table) {
  for (const FixedSwitch& flag : kSwitches) {
    switches_[flag.name] = flag.value;
    table.Add({.name = flag.name, .help = flag.why, .hidden = true}, switches_[flag.name]);
  }
  for (const FixedText& flag : kTexts) table.Add(HiddenOption(flag), texts_[flag.name]);
  for (const FixedText& flag : kLists) table.Add(HiddenOption(flag), lists_[flag.name]);
}

absl::StatusOr<std::vector<std::string>> FixedFlags::Notes() const {
  std::vector<std::string> notes;
  for (const FixedSwitch& flag : kSwitches) {
    if (switches_.at(flag.name) == flag.value) continue;
    const std::string shown = absl::StrCat(flag.value ? "no-" : "", flag.name);
    if (flag.matters) return Refusal(shown, flag.why);
    notes.push_back(Note(shown, flag.why));
  }
  for (const FixedText& flag : kTexts) {
    const std::optional<std::string>& value = texts_.at(flag.name);
    if (value.has_value()) RETURN_IF_ERROR(Judge(flag, *value, notes));
  }
  for (const FixedText& flag : kLists) {
    const std::vector<std::string>& values = lists_.at(flag.name);
    if (!values.empty()) RETURN_IF_ERROR(Judge(flag, absl::StrJoin(values, " "), notes));
  }
  return notes;
}

}  // namespace baton::frontend
