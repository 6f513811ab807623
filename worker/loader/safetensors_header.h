// The table of contents of one safetensors file: eight bytes of length, that many bytes of JSON,
// then the tensors' bytes without a gap.
//
// Threading: a pure function.
// Errors:    INVALID_ARGUMENT naming file and tensor: a header that is cut or malformed, an unknown
//            dtype, a shape that does not match the bytes, tensors that overlap, leave gaps or end
//            beyond the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace baton::worker {

struct SafetensorsEntry {
  std::string name;
  std::string_view dtype;  // as the format spells it; static
  std::vector<int64_t> shape;
  std::string_view bytes;  // a view of the file
};

// Checks `file`, a whole safetensors file; `source` names it in errors. Entries come in the order
// of their bytes.
absl::StatusOr<std::vector<SafetensorsEntry>> ParseSafetensors(std::string_view file,
                                                               std::string_view source);

}  // namespace baton::worker
