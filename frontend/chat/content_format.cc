#include "frontend/chat/content_format.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "frontend/chat/ast.h"
#include "frontend/chat/ast_walk.h"
#include "nlohmann/json.hpp"

namespace baton::frontend {
namespace internal {
namespace {

using Names = std::set<std::string, std::less<>>;

bool IsVariable(const Expression& node, const Names& variables) {
  return node.kind == ExpressionKind::kName &&
         variables.contains(static_cast<const NameExpression&>(node).name);
}

bool IsConstantText(const Expression& node, std::string_view text) {
  if (node.kind != ExpressionKind::kConstant) return false;
  const Value& value = static_cast<const ConstantExpression&>(node).value;
  return value.string() && value.text() == text;
}

// What a chain of filters, tests and slices starts from.
const Expression& Source(const Expression& node) {
  const Expression* source = &node;
  while (true) {
    if (source->kind == ExpressionKind::kFilter) {
      const auto& filter = static_cast<const FilterExpression&>(*source);
      if (filter.input == nullptr) return *source;
      source = filter.input.get();
    } else if (source->kind == ExpressionKind::kTest) {
      source = static_cast<const TestExpression&>(*source).input.get();
    } else if (source->kind == ExpressionKind::kSlice) {
      source = static_cast<const SliceExpression&>(*source).object.get();
    } else {
      return *source;
    }
  }
}

// `variable` or its elements, for one of `variables`.
bool IsFrom(const Expression& node, const Names& variables) {
  return IsVariable(Source(node), variables);
}

// `variable.content` or its elements.
bool IsContentOf(const Expression& node, const Names& variables) {
  const Expression& source = Source(node);
  if (source.kind == ExpressionKind::kAttribute) {
    const auto& attribute = static_cast<const AttributeExpression&>(source);
    return attribute.name == "content" && IsVariable(*attribute.object, variables);
  }
  if (source.kind == ExpressionKind::kItem) {
    const auto& item = static_cast<const ItemExpression&>(source);
    return IsConstantText(*item.index, "content") && IsVariable(*item.object, variables);
  }
  return false;
}

struct Nodes {
  std::vector<const SetStatement*> assignments;
  std::vector<const ForStatement*> loops;
  std::vector<const MacroStatement*> macros;
  std::vector<const CallExpression*> calls;
};

Nodes CollectNodes(const Body& body) {
  Nodes nodes;
  Walk(
      body,
      [&](const Statement& statement) {
        if (statement.kind == StatementKind::kSet) {
          nodes.assignments.push_back(static_cast<const SetStatement*>(&statement));
        } else if (statement.kind == StatementKind::kFor) {
          nodes.loops.push_back(static_cast<const ForStatement*>(&statement));
        } else if (statement.kind == StatementKind::kMacro) {
          nodes.macros.push_back(static_cast<const MacroStatement*>(&statement));
        }
      },
      [&](const Expression& node) {
        if (node.kind == ExpressionKind::kCall) {
          nodes.calls.push_back(static_cast<const CallExpression*>(&node));
        }
      });
  return nodes;
}

// `messages` and the variables that were assigned from it.
Names MessageLists(const Nodes& nodes) {
  Names lists = {"messages"};
  for (bool grew = true; grew;) {
    grew = false;
    for (const SetStatement* assignment : nodes.assignments) {
      if (assignment->target.kind != Target::Kind::kName) continue;
      if (!IsFrom(*assignment->value, lists)) continue;
      grew = lists.insert(assignment->target.name).second || grew;
    }
  }
  return lists;
}

Names MessageVariables(const Nodes& nodes) {
  const Names lists = MessageLists(nodes);
  Names messages;
  for (const ForStatement* loop : nodes.loops) {
    if (loop->target.kind == Target::Kind::kName && IsFrom(*loop->iterable, lists)) {
      messages.insert(loop->target.name);
    }
  }
  return messages;
}

// The parameters of `macro` to which some call passes the content of a message.
Names ContentParameters(const MacroStatement& macro, const Nodes& nodes, const Names& messages) {
  Names parameters;
  for (const CallExpression* call : nodes.calls) {
    if (!IsVariable(*call->callee, Names{macro.name})) continue;
    const auto& positional = call->arguments.positional;
    for (size_t i = 0; i < positional.size() && i < macro.parameters.size(); ++i) {
      if (IsContentOf(*positional[i], messages)) parameters.insert(macro.parameters[i]);
    }
    for (const auto& [name, value] : call->arguments.keyword) {
      if (IsContentOf(*value, messages)) parameters.insert(name);
    }
  }
  return parameters;
}

}  // namespace

ContentFormat DetectContentFormat(const TemplateTree& tree) {
  const Nodes nodes = CollectNodes(tree.body);
  const Names messages = MessageVariables(nodes);
  std::set<const ForStatement*> loops_in_macros;
  bool loops_over_content = false;
  for (const MacroStatement* macro : nodes.macros) {
    const Names parameters = ContentParameters(*macro, nodes, messages);
    for (const ForStatement* loop : CollectNodes(macro->body).loops) {
      loops_in_macros.insert(loop);
      loops_over_content = loops_over_content || IsVariable(*loop->iterable, parameters);
    }
  }
  for (const ForStatement* loop : nodes.loops) {
    const bool by_name =
        !loops_in_macros.contains(loop) && IsVariable(*loop->iterable, Names{"content"});
    loops_over_content = loops_over_content || by_name || IsContentOf(*loop->iterable, messages);
  }
  return loops_over_content ? ContentFormat::kParts : ContentFormat::kString;
}

}  // namespace internal

namespace {

using nlohmann::ordered_json;

// The text of one part of a content, or null when the part is not textual.
const std::string* PartText(const ordered_json& part) {
  if (part.is_string()) return &part.get_ref<const std::string&>();
  if (!part.is_object()) return nullptr;
  const auto type = part.find("type");
  std::string_view field = "text";
  if (type != part.end() && type->is_string()) {
    const std::string& name = type->get_ref<const std::string&>();
    if (name == "refusal" || name == "thinking") {
      field = name;
    } else if (name != "text" && name != "input_text" && name != "output_text") {
      return nullptr;
    }
  } else if (part.contains("refusal")) {
    field = "refusal";
  } else if (part.contains("thinking")) {
    field = "thinking";
  }
  const auto text = part.find(std::string(field));
  return text != part.end() && text->is_string() ? &text->get_ref<const std::string&>() : nullptr;
}

ordered_json TextPart(std::string text) {
  ordered_json part = ordered_json::object();
  part["type"] = "text";
  part["text"] = std::move(text);
  return part;
}

// How deep the brackets of JSON text nest, were it valid.
int NestingDepth(std::string_view json) {
  int depth = 0;
  int deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '\\' && quoted) ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
  }
  return deepest;
}

// The object that the text of a tool call's arguments holds; an empty one if it holds none.
ordered_json ParseArguments(const std::string& text) {
  constexpr int kDepthMax = 128;
  if (NestingDepth(text) > kDepthMax) return ordered_json::object();
  ordered_json parsed = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed : ordered_json::object();
}

bool IsToolText(const ordered_json& message, const ordered_json& content) {
  const auto role = message.find("role");
  if (role == message.end() || !role->is_string() || *role != "tool") return false;
  if (!content.is_array()) return true;
  for (const ordered_json& part : content) {
    if (PartText(part) == nullptr) return false;
  }
  return true;
}

}  // namespace

std::string ContentText(const ordered_json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (!content.is_array()) return text;
  bool first = true;
  for (const ordered_json& part : content) {
    const std::string* part_text = PartText(part);
    if (part_text == nullptr) continue;
    if (!first) text.push_back('\n');
    text.append(*part_text);
    first = false;
  }
  return text;
}

void NormalizeContent(ordered_json& message, ContentFormat format) {
  if (!message.is_object()) return;
  ordered_json& content = message["content"];
  if (format == ContentFormat::kString || IsToolText(message, content)) {
    content = ContentText(content);
    return;
  }
  ordered_json parts = ordered_json::array();
  if (content.is_string()) {
    parts.push_back(TextPart(content.get<std::string>()));
  } else if (content.is_array()) {
    for (ordered_json& part : content) {
      const std::string* text = PartText(part);
      parts.push_back(text != nullptr ? TextPart(*text) : std::move(part));
    }
  }
  content = std::move(parts);
}

void NormalizeToolCalls(ordered_json& message) {
  if (!message.is_object()) return;
  const auto calls = message.find("tool_calls");
  if (calls == message.end()) return;
  if (calls->is_null() || (calls->is_array() && calls->empty())) {
    message.erase("tool_calls");
    return;
  }
  if (!calls->is_array()) return;
  for (ordered_json& call : *calls) {
    if (!call.is_object()) continue;
    const auto function = call.find("function");
    if (function == call.end() || !function->is_object()) continue;
    ordered_json& arguments = (*function)["arguments"];
    if (arguments.is_string()) {
      arguments = ParseArguments(arguments.get<std::string>());
    } else if (!arguments.is_object()) {
      arguments = ordered_json::object();
    }
  }
}

}  // namespace baton::frontend
