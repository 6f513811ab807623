// What this worker serves and who it is: everything that Describe states and requests are checked
// against.
//
// Threading: immutable once the services run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "baton/v1/worker.pb.h"
#include "common/base/ids.h"
#include "common/text/tokenizer/tokenizer.h"
#include "worker/service/seed_source.h"

namespace baton::worker {

struct ServedModel {
  std::vector<std::string> names;  // the first is the model's, the others are aliases
  uint64_t digest = 0;             // root of its block hashes
  int32_t vocab_size = 0;
  int32_t block_size = 0;
  int32_t max_model_len = 0;
  int32_t logprobs_max = 128;  // per token
  Epoch epoch;
  std::shared_ptr<SeedSource> seeds = std::make_shared<SeedSource>();  // of requests without one
  std::unique_ptr<const Tokenizer> tokenizer;  // null: prompts must come as token ids
  v1::WorkerDescription description;

  // An empty name is the only model.
  bool Serves(std::string_view name) const;
};

}  // namespace baton::worker
