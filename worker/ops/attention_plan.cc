#include <algorithm>

#include "common/base/check.h"
#include "worker/ops/attention.h"
#include "worker/ops/cpu/kernel_table.h"

namespace baton::worker {

namespace {

// (query, head) rows of a tile: enough to use a tile of keys well while it is in the first-level
// cache, few enough for their states to stay in the second.
constexpr int32_t kTileRows = 48;

// A tile is shared out once it would be more than one part in so many of a thread's work.
constexpr int64_t kPartsPerThread = 4;

// Reading a token's keys and values costs as much as the sums of so many rows.
constexpr int64_t kReadCostRows = 4;

constexpr size_t kLineBytes = 64;
constexpr size_t kLineFloats = kLineBytes / sizeof(float);

int32_t SplitsOf(int32_t position) { return position / cpu::kSplitTokens + 1; }

// The first position that a query at `position` sees.
int32_t SeenFrom(int32_t position, int32_t window) {
  return window == 0 ? 0 : std::max(0, position - window + 1);
}

}  // namespace

int32_t AttentionPlan::FirstSplitOf(int32_t position) const {
  return SeenFrom(position, window_) / cpu::kSplitTokens;
}

float* AttentionPlan::Aligned(std::vector<float>& floats) {
  const auto address = reinterpret_cast<uintptr_t>(floats.data());
  return reinterpret_cast<float*>((address + kLineBytes - 1) / kLineBytes * kLineBytes);
}

int64_t AttentionPlan::CostOf(const Piece& piece) const {
  const int64_t end = std::min<int64_t>(int64_t{piece.split_end} * cpu::kSplitTokens,
                                        piece.first_position + piece.query_count);
  const int64_t begin = std::max<int64_t>(int64_t{piece.split_begin} * cpu::kSplitTokens,
                                          SeenFrom(piece.first_position, window_));
  const int64_t tokens = std::max<int64_t>(end - begin, 1);
  return tokens * (int64_t{piece.query_count} * group_ + kReadCostRows);
}

void AttentionPlan::AddTiles(const AttentionRun& run, int64_t blocks) {
  const int32_t tile_queries = std::max(1, kTileRows / group_);
  for (int32_t query = 0; query < run.row_count; query += tile_queries) {
    const int32_t count = std::min(tile_queries, run.row_count - query);
    for (int32_t head = 0; head < layout_.kv_heads; ++head) {
      Piece& tile = tiles_.emplace_back();
      tile.row_begin = run.row_begin + query;
      tile.query_count = count;
      tile.first_position = run.first_position + query;
      tile.kv_head = head;
      tile.split_begin = FirstSplitOf(tile.first_position);
      tile.split_end = SplitsOf(tile.first_position + count - 1);
      tile.blocks = blocks;
    }
  }
}

void AttentionPlan::SplitLargeTiles(int thread_count) {
  int64_t total = 0;
  for (const Piece& tile : tiles_) total += CostOf(tile);
  const int64_t bound = total / (kPartsPerThread * thread_count);
  int64_t partial_count = 0;
  for (const Piece& tile : tiles_) {
    const bool single = tile.split_end - tile.split_begin == 1;
    if (thread_count == 1 || single || CostOf(tile) <= bound) {
      pieces_.push_back(tile);
      continue;
    }
    Piece& shared = shared_tiles_.emplace_back(tile);
    shared.partial = partial_count;
    for (int32_t split = tile.split_begin; split < tile.split_end; ++split) {
      Piece& piece = pieces_.emplace_back(tile);
      piece.split_begin = split;
      piece.split_end = split + 1;
      piece.partial = partial_count;
      partial_count += int64_t{tile.query_count} * group_;
    }
  }
  const auto floats = static_cast<size_t>(partial_count * state_floats()) + kLineFloats;
  if (partials_.size() < floats) partials_.resize(floats);
}

// Each thread takes a run of pieces whose cost is about its share.
void AttentionPlan::DealOut(int thread_count) {
  int64_t total = 0;
  for (const Piece& piece : pieces_) total += CostOf(piece);
  thread_begin_.assign(1, 0);
  int64_t before = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(pieces_.size()); ++i) {
    const int64_t cost = CostOf(pieces_[static_cast<size_t>(i)]);
    // The thread in whose share the middle of this piece lies.
    const int64_t thread = (before + cost / 2) * thread_count / std::max<int64_t>(total, 1);
    while (static_cast<int64_t>(thread_begin_.size()) <= thread) thread_begin_.push_back(i);
    before += cost;
  }
  thread_begin_.resize(static_cast<size_t>(thread_count) + 1, static_cast<int64_t>(pieces_.size()));
}

void AttentionPlan::Build(absl::Span<const AttentionRun> runs, int32_t heads,
                          const KvLayout& layout, int thread_count, int32_t window) {
  BATON_CHECK(heads % layout.kv_heads == 0)
      << "attention plan: heads=" << heads << " kv_heads=" << layout.kv_heads;
  layout_ = layout;
  heads_ = heads;
  group_ = heads / layout.kv_heads;
  window_ = window;
  blocks_.clear();
  tiles_.clear();
  shared_tiles_.clear();
  pieces_.clear();
  for (const AttentionRun& run : runs) {
    const int64_t tokens = int64_t{run.first_position} + run.row_count;
    BATON_CHECK(static_cast<int64_t>(run.blocks.size()) * layout.block_tokens >= tokens)
        << "attention plan: blocks=" << run.blocks.size() << " tokens=" << tokens;
    const auto blocks = static_cast<int64_t>(blocks_.size());
    for (const BlockId block : run.blocks) blocks_.push_back(block.value());
    AddTiles(run, blocks);
  }
  SplitLargeTiles(thread_count);
  DealOut(thread_count);
  scratch_floats_ = int64_t{std::max(kTileRows, group_)} * state_floats();
  const auto floats = static_cast<size_t>(2 * thread_count * scratch_floats_) + kLineFloats;
  if (scratch_.size() < floats) scratch_.resize(floats);
  const bool widens = layout.format != KvFormat::kPlain;
  // A row for each token; or keys, values and their scales.
  const int32_t token_floats =
      layout.latent_dim > 0 ? layout.head_dim : 2 * (layout.padded_head_dim() + 1);
  tile_floats_ = widens ? int64_t{cpu::kTileTokens} * token_floats : 0;
  const auto tiles = static_cast<size_t>(thread_count * tile_floats_) + kLineFloats;
  if (tiles_memory_.size() < tiles) tiles_memory_.resize(tiles);
}

absl::Span<const AttentionPlan::Piece> AttentionPlan::PiecesOf(int thread) const {
  const auto begin = static_cast<size_t>(thread_begin_[static_cast<size_t>(thread)]);
  const auto end = static_cast<size_t>(thread_begin_[static_cast<size_t>(thread) + 1]);
  return absl::MakeConstSpan(pieces_).subspan(begin, end - begin);
}

}  // namespace baton::worker
