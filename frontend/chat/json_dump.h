// json.dumps of template values, as the filter `tojson` of transformers calls it.
//
// Threading: pure functions.
// Errors:    INVALID_ARGUMENT "TypeError: Object of type ... is not JSON serializable".
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {

struct JsonDumpOptions {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent;  // the text of one level; absent: all on one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  size_t bytes_max = 0;
};

absl::Status DumpJson(RenderContext& context, const Value& value, const JsonDumpOptions& options,
                      std::string& out);

}  // namespace baton::frontend::internal
