#include "frontend/json/own_names.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "common/base/strings.h"

namespace baton::frontend {

ApiError WithOwnNames(ApiError error, absl::Span<const OwnName> names) {
  std::vector<std::pair<absl::string_view, absl::string_view>> replaced;
  for (const OwnName& name : names) replaced.emplace_back(ToAbsl(name.chat), ToAbsl(name.own));
  error.message = absl::StrReplaceAll(error.message, replaced);
  if (error.param.has_value()) error.param = absl::StrReplaceAll(*error.param, replaced);
  return error;
}

}  // namespace baton::frontend
