// What one render of an untrusted chat template may use at most.
//
// Threading: plain data.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baton::frontend {

struct RenderLimits {
  int64_t steps_max = 20'000'000;              // nodes evaluated, items visited, text scanned
  size_t output_bytes_max = size_t{64} << 20;  // text written by the template
  size_t arena_bytes_max = size_t{256} << 20;  // values made by the template
  int depth_max = 1000;                        // nested statements, expressions and macro calls
  int64_t range_items_max = 100'000;           // as the sandbox of transformers
};

}  // namespace baton::frontend
