// Which block of the KV cache a layer's keys and values lie in, and where.
//
// Layers of one window form a group. All blocks are of one size and hold `layers_per_block` layers,
// so that a group takes one block or several, its parts, for the same tokens; the last part may
// have places that no layer uses. A part has a table of blocks of its own in each sequence; tables
// are numbered through all groups.
//
//   12 layers with a window, 4 without:  layers_per_block = 4, groups {window, 3 parts}, {0, 1
//   part}
//
// Threading: plain data and a pure function.
#pragma once

#include <cstdint>
#include <vector>

#include "worker/model/decoder_spec.h"

namespace baton::worker {

struct KvPlacement {
  struct Group {
    int32_t window = 0;  // 0: all positions
    int32_t parts = 1;
  };
  struct Place {
    int32_t table = 0;
    int32_t slot = 0;  // layer of the block
  };

  std::vector<Group> groups;     // those that see more first; 0 before all
  std::vector<int32_t> windows;  // of each table
  std::vector<Place> layers;
  int32_t layers_per_block = 0;

  int32_t table_count() const { return static_cast<int32_t>(windows.size()); }
};

// A window that no sequence is long enough for counts as none.
KvPlacement PlaceLayers(const DecoderSpec& spec);

}  // namespace baton::worker
