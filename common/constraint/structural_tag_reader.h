// The JSON form of a structural tag, as clients send it, read into a tree.
//
//   {"type": "structural_tag", "format": {"type": "triggered_tags", ...}}
//   {"type": "structural_tag", "structures": [{"begin", "schema", "end"}], "triggers": [...]} (old)
//
// Threading: pure function, any thread.
// Errors:    INVALID_ARGUMENT with the path of what is malformed or not supported
//            ("format.tags[0].content").
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "common/constraint/structural_tag.h"

namespace baton {

absl::StatusOr<tag::Format> ReadStructuralTag(std::string_view json);

}  // namespace baton
