#include "frontend/chat/value_from_json.h"

#include <limits>
#include <string>

#include "common/base/status_macros.h"
#include "frontend/chat/render_context.h"
#include "nlohmann/json.hpp"

namespace baton::frontend::internal {
namespace {

constexpr int kDepthMax = 200;

absl::StatusOr<Value> Convert(RenderContext& context, const nlohmann::ordered_json& json,
                              int depth) {
  using Type = nlohmann::ordered_json::value_t;
  if (depth > kDepthMax) return ValueError({"input nested deeper than 200 levels"});
  switch (json.type()) {
    case Type::boolean:
      return Value::Bool(json.get<bool>());
    case Type::number_integer:
      return Value::Int(json.get<int64_t>());
    case Type::number_unsigned:
      return MakeInteger(json.get<uint64_t>());
    case Type::number_float:
      return Value::Float(json.get<double>());
    case Type::string:
      return Value::String(json.get_ref<const std::string&>());
    case Type::array: {
      Value* items = context.arena().AllocateArray<Value>(json.size());
      size_t count = 0;
      for (const auto& item : json) {
        ASSIGN_OR_RETURN(items[count], Convert(context, item, depth + 1));
        ++count;
      }
      return Value::List({items, count});
    }
    case Type::object: {
      DictBuilder dict(context, json.size());
      for (const auto& entry : json.items()) {
        ASSIGN_OR_RETURN(const Value value, Convert(context, entry.value(), depth + 1));
        dict.Set(Value::String(entry.key()), value);
      }
      return dict.Build();
    }
    default:
      return Value::None();
  }
}

}  // namespace

absl::StatusOr<Value> ValueFromJson(RenderContext& context, const nlohmann::ordered_json& json) {
  return Convert(context, json, 0);
}

}  // namespace baton::frontend::internal
