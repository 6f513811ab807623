#include "worker/executor/rank_runner.h"

#include "common/base/status_macros.h"

namespace baton::worker {

absl::StatusOr<ConstMatrix> RankRunner::Run(const StepPlan& plan, const ExecutorInfo& info) {
  RETURN_IF_ERROR(batch_.Build(plan, info));
  if (!plan.copies.empty()) {
    parts_.threads->Run([&](const ComputeSlice& slice) {
      for (const BlockCopy& copy : plan.copies) parts_.kv->CopyBlock(copy.from, copy.to, slice);
    });
  }
  return parts_.decoder->Forward(batch_.view(), *parts_.kv, *parts_.threads, *parts_.communicator);
}

}  // namespace baton::worker
