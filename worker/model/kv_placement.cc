#include "worker/model/kv_placement.h"

#include <algorithm>
#include <functional>
#include <map>

namespace baton::worker {
namespace {

// More tables than so many cost more, in every step, than unused places do.
constexpr int32_t kTablesMax = 8;

int32_t PartsOf(int32_t layer_count, int32_t layers_per_block) {
  return (layer_count + layers_per_block - 1) / layers_per_block;
}

// Groups by window, the widest first, with the number of their layers.
struct Kind {
  int32_t window = 0;
  int32_t layer_count = 0;
};

std::vector<Kind> KindsOf(const std::vector<int32_t>& windows) {
  std::map<int32_t, int32_t, std::greater<>> counts;
  int32_t full = 0;
  for (const int32_t window : windows) ++(window == 0 ? full : counts[window]);
  std::vector<Kind> kinds;
  if (full > 0) kinds.push_back({0, full});
  for (const auto& [window, count] : counts) kinds.push_back({window, count});
  return kinds;
}

// The largest of those that leave the fewest places unused.
int32_t ChooseLayersPerBlock(const std::vector<Kind>& kinds) {
  int32_t most = 0;
  for (const Kind& kind : kinds) most = std::max(most, kind.layer_count);
  int32_t best = most;
  int32_t least_places = INT32_MAX;
  for (int32_t layers = most; layers > 0; --layers) {
    int32_t tables = 0;
    for (const Kind& kind : kinds) tables += PartsOf(kind.layer_count, layers);
    if (tables > kTablesMax || tables * layers >= least_places) continue;
    best = layers;
    least_places = tables * layers;
  }
  return best;
}

}  // namespace

KvPlacement PlaceLayers(const DecoderSpec& spec) {
  std::vector<int32_t> windows;
  for (const LayerSpec& layer : spec.layers) {
    windows.push_back(layer.window >= spec.max_positions ? 0 : layer.window);
  }
  const std::vector<Kind> kinds = KindsOf(windows);
  KvPlacement placement;
  placement.layers_per_block = ChooseLayersPerBlock(kinds);
  placement.layers.resize(windows.size());
  for (const Kind& kind : kinds) {
    const int32_t first_table = placement.table_count();
    int32_t placed = 0;
    for (size_t layer = 0; layer < windows.size(); ++layer) {
      if (windows[layer] != kind.window) continue;
      placement.layers[layer] = {first_table + placed / placement.layers_per_block,
                                 placed % placement.layers_per_block};
      ++placed;
    }
    const int32_t parts = PartsOf(placed, placement.layers_per_block);
    placement.groups.push_back({kind.window, parts});
    placement.windows.insert(placement.windows.end(), static_cast<size_t>(parts), kind.window);
  }
  return placement;
}

}  // namespace baton::worker
