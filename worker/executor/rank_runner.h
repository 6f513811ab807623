#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "worker/device/compute_threads.h"
#include "worker/engine/model_executor.h"
#include "worker/executor/step_batch.h"
#include "worker/kv_storage/kv_storage.h"
#include "worker/model/decoder.h"
#include "worker/parallel/communicator.h"

namespace baton::worker {

// One rank's share of a worker: its part of the model, its cache, its compute threads.
//
// Threading: thread-compatible; Run from one thread, which computes too.
// Ownership: owns all of it. Logits are valid until the next Run.
// Errors:    INTERNAL for a plan that does not hold together; those of Decoder::Forward.
class RankRunner {
 public:
  struct Parts {
    std::unique_ptr<Decoder> decoder;
    std::unique_ptr<KvStorage> kv;
    std::unique_ptr<ComputeThreads> threads;
    std::unique_ptr<Communicator> communicator;
  };

  explicit RankRunner(Parts parts) : parts_(std::move(parts)) {}

  // Copies blocks, writes the plan's keys and values, returns the rows of logits it asks for.
  absl::StatusOr<ConstMatrix> Run(const StepPlan& plan, const ExecutorInfo& info);

  // Of the last Run.
  const StepBatch& batch() const { return batch_; }

  ComputeThreads& threads() { return *parts_.threads; }
  Communicator& communicator() { return *parts_.communicator; }
  KvStorage& kv() { return *parts_.kv; }

 private:
  const Parts parts_;
  StepBatch batch_;
};

}  // namespace baton::worker
