#include "worker/executor/dump_layers.h"

#include <fstream>
#include <numeric>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/model/architecture.h"
#include "worker/model/decoder.h"
#include "worker/parallel/local_communicator.h"
#include "worker/tensor/float_conversions.h"

namespace baton::worker {
namespace {

constexpr int32_t kBlockTokens = 64;
constexpr Duration kDeadline = std::chrono::seconds(60);

DumpedValues Copy(int32_t layer, std::string_view name, const ConstMatrix& values) {
  DumpedValues copy{.name = layer < 0 ? std::string(name) : absl::StrCat(layer, ".", ToAbsl(name)),
                    .rows = values.rows(),
                    .cols = values.cols(),
                    .values = {}};
  for (int64_t row = 0; row < values.rows(); ++row) {
    for (int64_t col = 0; col < values.cols(); ++col) {
      copy.values.push_back(values.dtype() == DType::kBf16 ? ToFloat(values.row<Bf16>(row)[col])
                                                           : values.row<float>(row)[col]);
    }
  }
  return copy;
}

absl::Status CheckTokens(const DumpOptions& options, const DecoderSpec& spec) {
  if (options.tokens.empty() || options.tokens.size() > static_cast<size_t>(spec.max_positions)) {
    return InvalidArgument(
        absl::StrCat("dump layers: tokens=", options.tokens.size(), "/1 to ", spec.max_positions));
  }
  for (const TokenId token : options.tokens) {
    if (token < static_cast<TokenId>(spec.vocab_size)) continue;
    return InvalidArgument(absl::StrCat("dump layers: token=", token, "/", spec.vocab_size));
  }
  return absl::OkStatus();
}

// The prompt as one step of a sequence on blocks of its own, in each of the cache's tables.
struct Prompt {
  Prompt(const std::vector<TokenId>& tokens, int32_t table_count)
      : positions(tokens.size()),
        blocks_per_table(BlocksOf(tokens.size())),
        slots(static_cast<size_t>(table_count)) {
    std::iota(positions.begin(), positions.end(), 0);
    for (int32_t i = 0; i < blocks_per_table * table_count; ++i) blocks.push_back(BlockId(i));
    for (int32_t table = 0; table < table_count; ++table) AddTable(table);
    for (size_t table = 0; table < slots.size(); ++table) {
      tables.push_back(
          {.slots = slots[table], .runs = absl::MakeConstSpan(runs).subspan(table, 1)});
    }
    batch = {.tokens = tokens, .positions = positions, .tables = tables, .logit_rows = positions};
  }

  void AddTable(int32_t table) {
    const int32_t first = table * blocks_per_table;
    for (const int32_t position : positions) {
      slots[static_cast<size_t>(table)].push_back(
          {.block = BlockId(first + position / kBlockTokens), .offset = position % kBlockTokens});
    }
    runs.push_back({.row_begin = 0,
                    .row_count = static_cast<int32_t>(positions.size()),
                    .first_position = 0,
                    .blocks = absl::MakeConstSpan(blocks).subspan(
                        static_cast<size_t>(first), static_cast<size_t>(blocks_per_table))});
  }

  static int32_t BlocksOf(size_t tokens) {
    return static_cast<int32_t>((tokens + kBlockTokens - 1) / kBlockTokens);
  }

  std::vector<int32_t> positions;
  int32_t blocks_per_table;
  std::vector<BlockId> blocks;
  std::vector<std::vector<KvSlot>> slots;  // of each table
  std::vector<AttentionRun> runs;          // likewise, one
  std::vector<BatchTable> tables;
  DecoderBatch batch;
};

}  // namespace

absl::StatusOr<std::vector<DumpedValues>> DumpLayers(const DumpOptions& options) {
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Open(options.model));
  ASSIGN_OR_RETURN(const ArchitectureRegistry registry, ArchitectureRegistry::Builtin());
  ASSIGN_OR_RETURN(const Architecture* architecture, registry.Find(checkpoint));
  ASSIGN_OR_RETURN(const DecoderSpec spec, ReadSpec(*architecture, checkpoint));
  RETURN_IF_ERROR(CheckTokens(options, spec));
  const WeightPlan plan(spec, architecture->names, checkpoint);
  RETURN_IF_ERROR(plan.CheckAgainst(checkpoint.tensors()));
  ComputeThreads threads({.thread_count = options.threads});
  const DType compute = options.dtype == ComputeType::kBfloat16 ? DType::kBf16 : DType::kF32;
  const PackOptions pack{.spec = &spec,
                         .plan = &plan,
                         .source = &checkpoint.tensors(),
                         .shard = {},
                         .compute = compute,
                         .progress = nullptr};
  ASSIGN_OR_RETURN(DecoderWeights weights, PackWeights(pack, threads));
  Decoder decoder(spec, std::move(weights), {}, compute,
                  static_cast<int32_t>(options.tokens.size()));
  const KvPlacement& placement = decoder.placement();
  const Prompt prompt(options.tokens, placement.table_count());
  ASSIGN_OR_RETURN(const KvLayout layout, MakeKvLayout(spec, {}, compute, kBlockTokens));
  ASSIGN_OR_RETURN(KvStorage kv, KvStorage::Create(layout, placement.layers_per_block,
                                                   static_cast<int32_t>(prompt.blocks.size())));
  std::vector<DumpedValues> dump;
  decoder.SetTap([&](int32_t layer, std::string_view name, const ConstMatrix& values) {
    dump.push_back(Copy(layer, name, values));
  });
  auto communicators = MakeLocalCommunicators(1, RealClock(), kDeadline);
  RETURN_IF_ERROR(decoder.Forward(prompt.batch, kv, threads, *communicators.front()).status());
  return dump;
}

absl::Status WriteDump(const std::vector<DumpedValues>& dump, const std::string& path) {
  std::string header = "{";
  size_t end = 0;
  for (const DumpedValues& values : dump) {
    const size_t begin = end;
    end += values.values.size() * sizeof(float);
    absl::StrAppend(&header, header.size() > 1 ? "," : "", "\"", values.name,
                    "\":{\"dtype\":\"F32\",\"shape\":[", values.rows, ",", values.cols,
                    "],\"data_offsets\":[", begin, ",", end, "]}");
  }
  header += "}";
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const uint64_t header_bytes = header.size();
  file.write(reinterpret_cast<const char*>(&header_bytes), sizeof(header_bytes));
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
  for (const DumpedValues& values : dump) {
    file.write(reinterpret_cast<const char*>(values.values.data()),
               static_cast<std::streamsize>(values.values.size() * sizeof(float)));
  }
  file.flush();
  if (!file.good()) return Internal(absl::StrCat("dump layers: cannot write ", path));
  return absl::OkStatus();
}

}  // namespace baton::worker
