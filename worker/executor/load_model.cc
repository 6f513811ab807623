#include "worker/executor/load_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/processor_count.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/executor/memory_limit.h"
#include "worker/loader/read_ahead.h"
#include "worker/model/architecture.h"
#include "worker/model/kv_placement.h"
#include "worker/parallel/local_communicator.h"

namespace baton::worker {
namespace {

constexpr int kReadThreads = 2;
constexpr int kRanksMax = 64;
constexpr int kThreadsMax = 1024;
constexpr Duration kCollectiveDeadline = std::chrono::seconds(60);

// What quantised weights add to the numerics id.
const char* SuffixOf(Quantization quantization) {
  switch (quantization) {
    case Quantization::kNone:
      return "";
    case Quantization::kAsCheckpoint:
      return "+quantized";
    case Quantization::kInt8:
      return "+int8";
    case Quantization::kInt4:
      return "+int4";
  }
  return "";
}

// Loads one model; one use.
class ModelLoader {
 public:
  explicit ModelLoader(const LoadOptions& options) : options_(options) {}

  absl::StatusOr<LoadedModel> Load() {
    const MonotonicTime start = RealClock().Now();
    RETURN_IF_ERROR(CheckOptions());
    ASSIGN_OR_RETURN(Checkpoint checkpoint, Checkpoint::Open(options_.path));
    RETURN_IF_ERROR(PlanWeights(checkpoint));
    RETURN_IF_ERROR(PackRanks(checkpoint));
    RETURN_IF_ERROR(SizeCache());
    ASSIGN_OR_RETURN(model_.executor, StartExecutor(checkpoint));
    model_.files = checkpoint.TakeModelFiles();
    model_.end_token_ids = checkpoint.end_token_ids();
    model_.digest = checkpoint.digest();
    model_.architecture = spec_.architecture;
    model_.dtype = std::string(NameOf(compute_));
    model_.kv_cache_dtype = std::string(NameOf(layout_.format, compute_));
    model_.load_time = RealClock().Now() - start;
    return std::move(model_);
  }

 private:
  absl::Status CheckOptions() {
    const int ranks = options_.tensor_parallel_size;
    if (ranks < 1 || ranks > kRanksMax) {
      return InvalidArgument(
          absl::StrCat("load model: tensor parallel size=", ranks, "/1 to ", kRanksMax));
    }
    int threads = options_.threads;
    if (threads == 0) threads = UsableProcessorCount();
    if (threads < 0 || threads > kThreadsMax) {
      return InvalidArgument(absl::StrCat("load model: threads=", threads, "/0 to ", kThreadsMax));
    }
    if (options_.workers_on_host < 1) {
      return InvalidArgument(
          absl::StrCat("load model: workers_on_host=", options_.workers_on_host, "/>0"));
    }
    if (options_.max_model_len < 0 || options_.max_num_seqs < 1 ||
        options_.max_num_batched_tokens < 1) {
      return InvalidArgument(absl::StrCat(
          "load model: max_model_len=", options_.max_model_len,
          ", max_num_seqs=", options_.max_num_seqs,
          ", max_num_batched_tokens=", options_.max_num_batched_tokens, " are no sizes"));
    }
    threads_per_rank_ = std::max(1, threads / ranks);
    const bool bf16 = options_.dtype == ComputeType::kBfloat16 ||
                      (options_.dtype == ComputeType::kAuto && HasBf16Products(options_.isa));
    compute_ = bf16 ? DType::kBf16 : DType::kF32;
    return absl::OkStatus();
  }

  Quantization ChooseQuantization(const TensorSource& source) const {
    if (options_.quantization == WeightChoice::kInt8) return Quantization::kInt8;
    if (options_.quantization == WeightChoice::kInt4) return Quantization::kInt4;
    if (options_.quantization == WeightChoice::kNone) return Quantization::kNone;
    const bool exact = options_.dtype == ComputeType::kFloat32;
    const bool any = std::any_of(
        source.tensors().begin(), source.tensors().end(), [](const SourceTensor& tensor) {
          return tensor.format.has_value() && InfoOf(*tensor.format).quant.bits != 0;
        });
    return any && !exact ? Quantization::kAsCheckpoint : Quantization::kNone;
  }

  absl::Status PlanWeights(const Checkpoint& checkpoint) {
    ASSIGN_OR_RETURN(const ArchitectureRegistry registry, ArchitectureRegistry::Builtin());
    ASSIGN_OR_RETURN(const Architecture* architecture, registry.Find(checkpoint));
    ASSIGN_OR_RETURN(spec_, ReadSpec(*architecture, checkpoint));
    plan_.emplace(spec_, architecture->names, checkpoint);
    RETURN_IF_ERROR(plan_->CheckAgainst(checkpoint.tensors()));
    model_.left_aside_count = plan_->CountLeftAside(checkpoint.tensors());
    // A model that cannot be cut is refused before minutes of reading.
    return CheckShard(spec_, {0, options_.tensor_parallel_size});
  }

  absl::Status PackRanks(const Checkpoint& checkpoint) {
    ComputeThreads threads({.thread_count = threads_per_rank_ * options_.tensor_parallel_size,
                            .isa = options_.isa,
                            .name = "pack"});
    quantization_ = ChooseQuantization(checkpoint.tensors());
    const ReadAhead ahead(PlannedBytes(checkpoint.tensors()), kReadThreads);
    for (int rank = 0; rank < options_.tensor_parallel_size; ++rank) {
      const Shard shard{rank, options_.tensor_parallel_size};
      PackOptions pack{.spec = &spec_,
                       .plan = &*plan_,
                       .source = &checkpoint.tensors(),
                       .shard = shard,
                       .compute = compute_,
                       .quantization = quantization_,
                       .progress = rank == 0 ? options_.progress : nullptr};
      ASSIGN_OR_RETURN(DecoderWeights weights, PackWeights(pack, threads));
      model_.weight_bytes += weights.size_bytes();
      weights_.push_back(std::move(weights));
    }
    return absl::OkStatus();
  }

  // What will be packed, in that order.
  std::vector<std::string_view> PlannedBytes(const TensorSource& source) {
    std::vector<const WeightRow*> rows;
    for (const WeightRow& row : plan_->rows()) rows.push_back(&row);
    std::stable_sort(rows.begin(), rows.end(),
                     [](const WeightRow* a, const WeightRow* b) { return a->layer < b->layer; });
    std::vector<std::string_view> ranges;
    for (const WeightRow* row : rows) {
      const SourceTensor* tensor = source.Find(row->name);
      if (tensor == nullptr || row->first_row != 0) continue;
      ranges.push_back(tensor->bytes);
      model_.loaded_bytes += tensor->bytes.size();
    }
    return ranges;
  }

  absl::StatusOr<KvFormat> ChooseKvFormat() const {
    switch (options_.kv_cache_dtype) {
      case KvCacheType::kAuto:
        return KvFormat::kPlain;
      case KvCacheType::kBfloat16:
        return compute_ == DType::kBf16 ? KvFormat::kPlain : KvFormat::kBf16;
      case KvCacheType::kFloat32:
        if (compute_ == DType::kF32) return KvFormat::kPlain;
        return InvalidArgument(
            "load model: kv_cache_dtype=float32 holds no more than dtype=bfloat16 computes");
      case KvCacheType::kInt8:
        return KvFormat::kInt8;
      case KvCacheType::kFp8:
        return KvFormat::kFp8;
    }
    return KvFormat::kPlain;
  }

  // What the numerics id says of the cache, where it is not of the compute type.
  std::string CacheSuffix() const {
    if (layout_.format == KvFormat::kPlain) return "";
    return absl::StrCat("+kv-", ToAbsl(NameOf(layout_.format, compute_)));
  }

  // Chooses the number of blocks and the length of the longest sequence.
  absl::Status SizeCache() {
    ASSIGN_OR_RETURN(const KvFormat format, ChooseKvFormat());
    ASSIGN_OR_RETURN(layout_, MakeKvLayout(spec_, {0, options_.tensor_parallel_size}, compute_,
                                           options_.block_size, format));
    placement_ = PlaceLayers(spec_);
    for (const KvPlacement::Group& group : placement_.groups) {
      kv_groups_.push_back({.window = group.window, .parts = group.parts});
    }
    const uint64_t block_bytes = BytesPerBlock();
    const int32_t wanted_len =
        options_.max_model_len > 0 ? options_.max_model_len : spec_.usual_positions();
    if (wanted_len > spec_.max_positions) {
      return InvalidArgument(absl::StrCat("load model: max_model_len=", wanted_len, "/",
                                          spec_.max_positions, " positions of the model"));
    }
    const int64_t blocks_per_sequence = BlocksForSequence(wanted_len);
    const int64_t wanted_blocks = blocks_per_sequence * options_.max_num_seqs;
    uint64_t budget_bytes = options_.kv_cache_memory_bytes;
    if (budget_bytes == 0) {
      const MemoryLimit memory = ReadMemoryLimit();
      budget_bytes = std::min(memory.total_bytes / 4, memory.available_bytes / 2) /
                     static_cast<uint64_t>(options_.workers_on_host);
      budget_bytes = std::min(budget_bytes, block_bytes * static_cast<uint64_t>(wanted_blocks));
    }
    const uint64_t blocks = std::min<uint64_t>(budget_bytes / block_bytes, INT32_MAX / 2);
    block_count_ = static_cast<int32_t>(blocks);
    const bool fits = blocks >= static_cast<uint64_t>(blocks_per_sequence);
    if (LongestIn(block_count_) < 1 || (!fits && options_.max_model_len > 0)) {
      return InvalidArgument(absl::StrCat("load model: a cache of ", budget_bytes, " bytes holds ",
                                          blocks, " blocks of ", options_.block_size,
                                          " tokens, max_model_len=", wanted_len, " needs ",
                                          blocks_per_sequence));
    }
    model_.max_model_len = fits ? wanted_len : LongestIn(block_count_);
    return absl::OkStatus();
  }

  // Part of the numerics where rotary positions depend on the longest sequence.
  std::string LengthSuffix() const {
    const bool depends = std::any_of(spec_.ropes.begin(), spec_.ropes.end(), DependsOnLength);
    return depends ? absl::StrCat("/len", model_.max_model_len) : std::string();
  }

  uint64_t BytesPerBlock() const {
    return layout_.block_bytes() * static_cast<uint64_t>(placement_.layers_per_block) *
           static_cast<uint64_t>(options_.tensor_parallel_size);
  }

  // In all tables.
  int64_t BlocksForSequence(int32_t tokens) const {
    return BlocksMax(kv_groups_, options_.block_size, tokens, options_.max_num_batched_tokens);
  }

  // Tokens of the longest sequence that so many blocks hold; 0: not even one.
  int32_t LongestIn(int32_t blocks) const {
    int32_t fits = 0;
    for (int32_t above = spec_.max_positions + 1; fits + 1 < above;) {
      const int32_t middle = fits + (above - fits) / 2;
      (BlocksForSequence(middle) <= blocks ? fits : above) = middle;
    }
    return fits;
  }

  absl::StatusOr<std::unique_ptr<ModelExecutor>> StartExecutor(const Checkpoint& checkpoint) {
    const int size = options_.tensor_parallel_size;
    auto communicators = MakeLocalCommunicators(size, RealClock(), kCollectiveDeadline);
    std::vector<std::unique_ptr<RankRunner>> ranks;
    for (int rank = 0; rank < size; ++rank) {
      ASSIGN_OR_RETURN(KvStorage kv,
                       KvStorage::Create(layout_, placement_.layers_per_block, block_count_));
      const auto index = static_cast<size_t>(rank);
      auto decoder = std::make_unique<Decoder>(spec_, std::move(weights_[index]), Shard{rank, size},
                                               compute_, model_.max_model_len);
      ranks.push_back(std::make_unique<RankRunner>(
          RankRunner::Parts{.decoder = std::move(decoder),
                            .kv = std::make_unique<KvStorage>(std::move(kv)),
                            .threads = std::make_unique<ComputeThreads>(ComputeThreads::Options{
                                .thread_count = threads_per_rank_, .isa = options_.isa}),
                            .communicator = std::move(communicators[index])}));
    }
    ExecutorInfo info{.block_size = options_.block_size,
                      .block_count = block_count_,
                      .kv_groups = kv_groups_,
                      .max_model_len = model_.max_model_len,
                      .vocab_size = spec_.vocab_size,
                      .kv_bytes_per_block = BytesPerBlock(),
                      .kv_layout = absl::StrCat(layout_.Describe(), "/layers=", spec_.layer_count,
                                                "/", placement_.layers_per_block, "/ranks=", size),
                      .numerics_id = absl::StrFormat(
                          "%016x/%s%s%s/cpu-%s/tp%d%s", checkpoint.digest(),
                          ToAbsl(NameOf(compute_)), SuffixOf(quantization_), CacheSuffix(),
                          ToAbsl(NameOf(options_.isa)), size, LengthSuffix()),
                      .device = absl::StrCat("cpu-", ToAbsl(NameOf(options_.isa)))};
    return std::make_unique<LocalExecutor>(std::move(info), std::move(ranks), options_.on_broken);
  }

  const LoadOptions& options_;
  int threads_per_rank_ = 1;
  DType compute_ = DType::kF32;
  Quantization quantization_ = Quantization::kNone;
  DecoderSpec spec_;
  std::optional<WeightPlan> plan_;
  std::vector<DecoderWeights> weights_;  // of each rank
  KvLayout layout_;
  KvPlacement placement_;
  KvGroups kv_groups_;
  int32_t block_count_ = 0;
  LoadedModel model_;
};

}  // namespace

std::optional<ComputeType> ParseComputeType(std::string_view name) {
  if (name == "auto") return ComputeType::kAuto;
  if (name == "bfloat16" || name == "bf16") return ComputeType::kBfloat16;
  if (name == "float32" || name == "float" || name == "f32") return ComputeType::kFloat32;
  return std::nullopt;
}

std::optional<WeightChoice> ParseWeightChoice(std::string_view name) {
  if (name == "auto") return WeightChoice::kAuto;
  if (name == "none") return WeightChoice::kNone;
  if (name == "int8") return WeightChoice::kInt8;
  if (name == "int4") return WeightChoice::kInt4;
  return std::nullopt;
}

std::optional<KvCacheType> ParseKvCacheType(std::string_view name) {
  if (name == "auto") return KvCacheType::kAuto;
  if (name == "bfloat16" || name == "bf16") return KvCacheType::kBfloat16;
  if (name == "float32" || name == "float" || name == "f32") return KvCacheType::kFloat32;
  if (name == "int8") return KvCacheType::kInt8;
  if (name == "fp8" || name == "fp8_e4m3") return KvCacheType::kFp8;
  return std::nullopt;
}

absl::StatusOr<LoadedModel> LoadModel(const LoadOptions& options) {
  return ModelLoader(options).Load();
}

}  // namespace baton::worker
