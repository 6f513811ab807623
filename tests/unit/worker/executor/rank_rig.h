// A model with its ranks and caches, run plan by plan, for tests that look at logits.
//
//   RankRig rig(path, {.dtype = DType::kF32});
//   auto logits = rig.Logits(tokens, {0, 5, 16}, /*chunk=*/16);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/concurrency/bounded_queue.h"
#include "common/concurrency/owned_thread.h"
#include "worker/executor/plan_codec.h"
#include "worker/executor/rank_runner.h"
#include "worker/loader/checkpoint.h"
#include "worker/model/architecture.h"
#include "worker/model/kv_placement.h"
#include "worker/parallel/local_communicator.h"

namespace baton::worker {

template <typename T>
T ValueOrDie(absl::StatusOr<T> value) {
  BATON_CHECK(value.ok()) << value.status().ToString();
  return std::move(value).value();
}

struct RigOptions {
  DType dtype = DType::kF32;
  Quantization quantization = Quantization::kNone;
  KvFormat kv_format = KvFormat::kPlain;
  int threads = 2;
  int ranks = 1;
  int32_t block_size = 64;
  int32_t block_count = 64;  // of each table
  CpuIsa isa = BestCpuIsa();
  int32_t max_model_len = 0;  // 0: the model's
};

class RankRig {
 public:
  using Rows = std::vector<std::vector<float>>;

  // A sequence with the blocks it may use, of one table after the other.
  struct Sequence {
    std::vector<TokenId> tokens;
    std::vector<BlockId> blocks;
  };

  // Tokens [first, first + count) of a sequence in one step.
  struct Run {
    const Sequence* sequence = nullptr;
    int32_t first = 0;
    int32_t count = 0;
    bool logits = true;
  };

  RankRig(const std::string& path, const RigOptions& options) : options_(options) {
    const Checkpoint checkpoint = ValueOrDie(Checkpoint::Open(path));
    const ArchitectureRegistry registry = ValueOrDie(ArchitectureRegistry::Builtin());
    const Architecture* architecture = ValueOrDie(registry.Find(checkpoint));
    spec_ = ValueOrDie(ReadSpec(*architecture, checkpoint));
    placement_ = PlaceLayers(spec_);
    const WeightPlan plan(spec_, architecture->names, checkpoint);
    const absl::Status status = plan.CheckAgainst(checkpoint.tensors());
    BATON_CHECK(status.ok()) << status.ToString();
    auto communicators =
        MakeLocalCommunicators(options.ranks, RealClock(), std::chrono::seconds(30));
    for (int rank = 0; rank < options.ranks; ++rank) {
      AddRank(checkpoint, plan, {rank, options.ranks},
              std::move(communicators[static_cast<size_t>(rank)]));
    }
    info_ = {.block_size = options.block_size,
             .block_count = options.block_count * placement_.table_count(),
             .kv_groups = {},
             .max_model_len = spec_.max_positions,
             .vocab_size = spec_.vocab_size,
             .kv_bytes_per_block = 0,
             .kv_layout = "",
             .numerics_id = "",
             .device = ""};
    for (const KvPlacement::Group& group : placement_.groups) {
      info_.kv_groups.push_back({.window = group.window, .parts = group.parts});
    }
    for (size_t rank = 1; rank < ranks_.size(); ++rank) {
      followers_.push_back(std::make_unique<Follower>(*ranks_[rank], info_));
    }
  }

  const DecoderSpec& spec() const { return spec_; }
  const KvPlacement& placement() const { return placement_; }
  const ExecutorInfo& info() const { return info_; }

  // A sequence on blocks of its own, from `first_block` on, wherever they were used before.
  Sequence Place(std::vector<TokenId> tokens, int32_t first_block) const {
    Sequence sequence{std::move(tokens), {}};
    const auto count = static_cast<int32_t>(sequence.tokens.size());
    for (int32_t table = 0; table < placement_.table_count(); ++table) {
      const int32_t first = table * options_.block_count + first_block;
      for (int32_t i = 0; i * options_.block_size < count; ++i) {
        sequence.blocks.push_back(BlockId(first + i));
      }
    }
    return sequence;
  }

  // `to` has the first `count` blocks of `from`, in each table.
  void ShareBlocks(const Sequence& from, int32_t count, Sequence& to) const {
    const auto tables = static_cast<size_t>(placement_.table_count());
    for (size_t table = 0; table < tables; ++table) {
      std::copy_n(from.blocks.begin() + from.blocks.size() / tables * table, count,
                  to.blocks.begin() + to.blocks.size() / tables * table);
    }
  }

  // Takes the blocks away that no query at `position` or behind it sees.
  void DropUnseen(int32_t position, Sequence& sequence) const {
    const auto tables = static_cast<size_t>(placement_.table_count());
    const size_t per_table = sequence.blocks.size() / tables;
    for (size_t table = 0; table < tables; ++table) {
      const KvGroup group{.window = placement_.windows[table]};
      std::fill_n(sequence.blocks.begin() + per_table * table,
                  group.SeenFrom(position) / options_.block_size, kNoBlock);
    }
  }

  // The logits of each run's last token, one step for all of them.
  Rows Step(const std::vector<Run>& runs) {
    StepPlan plan;
    for (const Run& run : runs) {
      const Sequence& s = *run.sequence;
      plan.rows.push_back(
          {.sequence = SequenceId(1),
           .first_position = run.first,
           .token_begin = static_cast<int32_t>(plan.tokens.size()),
           .token_count = run.count,
           .block_begin = static_cast<int32_t>(plan.blocks.size()),
           .block_count = static_cast<int32_t>(s.blocks.size()) / placement_.table_count(),
           .logits = run.logits});
      plan.tokens.insert(plan.tokens.end(), s.tokens.begin() + run.first,
                         s.tokens.begin() + run.first + run.count);
      plan.blocks.insert(plan.blocks.end(), s.blocks.begin(), s.blocks.end());
    }
    return RunPlan(plan);
  }

  // Logits at `positions` (ascending) of one sequence that is run in chunks from its start.
  Rows Logits(const std::vector<TokenId>& tokens, const std::vector<int32_t>& positions,
              int32_t chunk) {
    const Sequence sequence = Place(tokens, 0);
    Rows all;
    int32_t at = 0;
    for (const int32_t position : positions) {
      while (at <= position) {
        const int32_t count = std::min(chunk, position + 1 - at);
        const bool last = at + count == position + 1;
        Rows rows = Step({{&sequence, at, count, last}});
        at += count;
        if (last) all.push_back(std::move(rows.front()));
      }
    }
    return all;
  }

  Rows RunPlan(const StepPlan& plan) {
    const std::string bytes = SerializePlan(plan);
    for (const auto& follower : followers_) follower->Begin(bytes);
    const ConstMatrix logits = ValueOrDie(ranks_.front()->Run(plan, info_));
    for (const auto& follower : followers_) follower->Await();
    Rows rows;
    for (int64_t row = 0; row < logits.rows(); ++row) {
      const float* values = logits.row<float>(row);
      rows.emplace_back(values, values + spec_.vocab_size);
    }
    return rows;
  }

 private:
  // A rank other than the first, on the thread that it belongs to.
  class Follower {
   public:
    Follower(RankRunner& runner, const ExecutorInfo& info)
        : thread_("rank", [this, &runner, &info](std::stop_token) {
            while (const std::optional<std::string> bytes = plans_.Pop()) {
              const StepPlan plan = ValueOrDie(ParsePlan(*bytes));
              (void)ValueOrDie(runner.Run(plan, info));
              BATON_CHECK(done_.TryPush(true) == PushResult::kPushed) << "not awaited";
            }
          }) {}
    ~Follower() { plans_.Close(); }

    void Begin(std::string plan) {
      BATON_CHECK(plans_.TryPush(std::move(plan)) == PushResult::kPushed) << "not awaited";
    }
    void Await() { (void)done_.Pop(); }

   private:
    BoundedQueue<std::string> plans_{1};
    BoundedQueue<bool> done_{1};
    OwnedThread thread_;  // last: it uses both
  };

  void AddRank(const Checkpoint& checkpoint, const WeightPlan& plan, const Shard& shard,
               std::unique_ptr<Communicator> communicator) {
    ComputeThreads packers({.thread_count = 2, .isa = options_.isa});
    const PackOptions pack{.spec = &spec_,
                           .plan = &plan,
                           .source = &checkpoint.tensors(),
                           .shard = shard,
                           .compute = options_.dtype,
                           .quantization = options_.quantization,
                           .progress = nullptr};
    const int32_t longest =
        options_.max_model_len > 0 ? options_.max_model_len : spec_.usual_positions();
    auto decoder = std::make_unique<Decoder>(spec_, ValueOrDie(PackWeights(pack, packers)), shard,
                                             options_.dtype, longest);
    const KvLayout layout = ValueOrDie(
        MakeKvLayout(spec_, shard, options_.dtype, options_.block_size, options_.kv_format));
    KvStorage kv = ValueOrDie(KvStorage::Create(layout, placement_.layers_per_block,
                                                options_.block_count * placement_.table_count()));
    ranks_.push_back(std::make_unique<RankRunner>(
        RankRunner::Parts{.decoder = std::move(decoder),
                          .kv = std::make_unique<KvStorage>(std::move(kv)),
                          .threads = std::make_unique<ComputeThreads>(ComputeThreads::Options{
                              .thread_count = options_.threads, .isa = options_.isa}),
                          .communicator = std::move(communicator)}));
  }

  const RigOptions options_;
  DecoderSpec spec_;
  KvPlacement placement_;
  ExecutorInfo info_;
  std::vector<std::unique_ptr<RankRunner>> ranks_;
  std::vector<std::unique_ptr<Follower>> followers_;  // last: they run the ranks
};

}  // namespace baton::worker
