// The flags of baton-worker.
//
// Threading: plain data, filled by main.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "baton/v1/common.pb.h"
#include "common/base/clock.h"
#include "common/config/option_table.h"
#include "common/obs/log.h"
#include "worker/executor/load_model.h"

namespace baton::worker {

struct WorkerOptions {
  std::string model;
  std::vector<std::string> served_model_names;  // empty: the last part of the model's path
  std::string listen = "127.0.0.1:7200";
  int listen_fd = -1;
  std::string admin_listen = "127.0.0.1:7201";
  int admin_listen_fd = -1;
  std::string worker_id;  // empty: host name and port
  v1::WorkerRole role = v1::WORKER_ROLE_BOTH;

  ComputeType dtype = ComputeType::kAuto;
  WeightChoice quantization = WeightChoice::kAuto;
  KvCacheType kv_cache_dtype = KvCacheType::kAuto;
  int32_t max_model_len = 0;
  int32_t max_num_seqs = 64;
  int32_t max_num_batched_tokens = 512;
  int32_t block_size = 64;
  uint64_t kv_cache_memory_bytes = 0;
  int workers_on_host = 1;
  int engine_index = 0;  // in metrics: the label `engine`
  int threads = 0;
  int tensor_parallel_size = 1;
  std::string scheduling_policy = "fcfs";
  int32_t max_waiting_requests = 1024;
  int64_t max_queued_tokens = 16 << 20;
  int32_t max_logprobs = 128;    // per token, at least 128; -1: the vocabulary
  std::optional<uint64_t> seed;  // absent: drawn anew at each start

  Duration step_timeout = std::chrono::minutes(5);  // 0: none
  Duration drain_timeout = std::chrono::seconds(30);
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kAuto;

  // INVALID_ARGUMENT naming the flag.
  absl::Status Validate() const;
};

// Names every field for LoadConfig.
void DescribeOptions(OptionTable& table, WorkerOptions& options);

}  // namespace baton::worker
