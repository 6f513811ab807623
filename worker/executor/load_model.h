// From a path to a model that runs: opens the checkpoint, packs the weights, sizes the cache,
// starts the ranks.
//
//   LoadOptions options{.path = "models/llama"};
//   options.progress = [](uint64_t done, uint64_t total) { ... };
//   ASSIGN_OR_RETURN(LoadedModel model, LoadModel(options));
//
// Threading: any thread; progress is called on the caller's.
// Errors:    those of Checkpoint::Open; UNIMPLEMENTED for a model that our decoder does not run;
//            INVALID_ARGUMENT for damaged weights and for options that do not fit the model, each
//            naming what is at fault; RESOURCE_EXHAUSTED without memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "worker/device/cpu_isa.h"
#include "worker/engine/model_executor.h"
#include "worker/executor/local_executor.h"
#include "worker/loader/checkpoint.h"

namespace baton::worker {

// --dtype: the type of weights, activations and cache. Auto: bfloat16 where the processor
// multiplies it, float32 elsewhere.
enum class ComputeType { kAuto, kBfloat16, kFloat32 };
std::optional<ComputeType> ParseComputeType(std::string_view name);  // "auto", "bfloat16", ...

// --quantization: which weights stay, or become, small integers with scales. Auto: those that the
// checkpoint holds so, unless float32 was asked for, which is exact.
enum class WeightChoice { kAuto, kNone, kInt8, kInt4 };
std::optional<WeightChoice> ParseWeightChoice(
    std::string_view name);  // "auto", "none", "int8", ...

// --kv-cache-dtype: what the cache keeps of keys and values. Auto: the compute type.
enum class KvCacheType { kAuto, kBfloat16, kFloat32, kInt8, kFp8 };
std::optional<KvCacheType> ParseKvCacheType(std::string_view name);  // "auto", "fp8_e4m3", ...

struct LoadOptions {
  std::string path;
  ComputeType dtype = ComputeType::kAuto;
  WeightChoice quantization = WeightChoice::kAuto;
  KvCacheType kv_cache_dtype = KvCacheType::kAuto;
  int32_t max_model_len = 0;  // 0: the model's own, less if the cache is too small for it
  int32_t max_num_seqs = 64;  // how many such sequences the cache should hold, at best
  int32_t max_num_batched_tokens = 512;  // the longest step, which a window's cache must hold too
  int32_t block_size = 64;               // tokens
  uint64_t kv_cache_memory_bytes = 0;    // 0: what is wanted, at most a quarter of the memory
  int workers_on_host = 1;               // that divide that share of the memory
  int threads = 0;                       // of all ranks together; 0: one for each usable processor
  int tensor_parallel_size = 1;          // ranks, as threads of this process
  CpuIsa isa = BestCpuIsa();
  std::function<void(uint64_t done_bytes, uint64_t total_bytes)> progress;
  LocalExecutor::BrokenCallback on_broken;
};

struct LoadedModel {
  std::unique_ptr<ModelExecutor> executor;
  std::vector<ModelFile> files;  // for the model card
  std::vector<TokenId> end_token_ids;
  uint64_t digest = 0;
  int32_t max_model_len = 0;
  std::string architecture;
  std::string dtype;
  std::string kv_cache_dtype;
  uint64_t loaded_bytes = 0;     // read from the checkpoint
  uint64_t weight_bytes = 0;     // in memory, all ranks
  int64_t left_aside_count = 0;  // tensors of parts that take something else than text
  Duration load_time{};
};

absl::StatusOr<LoadedModel> LoadModel(const LoadOptions& options);

}  // namespace baton::worker
