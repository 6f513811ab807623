// The fields of a chat request that say which tools there are and which must be called, in today's
// form and in the deprecated one (functions, function_call).
#include <simdjson.h>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "frontend/json/json_writer.h"
#include "frontend/request/parameter.h"

namespace baton::frontend {
namespace {

using Field = const JsonField&;
using Request = GenerationRequest&;
using Choice = ToolInput::Choice;
using simdjson::dom::element;

constexpr std::string_view kUsage =
    R"(Correct usage: `{"type": "function", "function": {"name": "my_function"}}`)";

void ExpectText(Field field) { (void)field.String(); }

void CheckFunction(Field function) {
  bool has_name = false;
  const bool is_object = function.VisitMembers([&](std::string_view name, Field member) {
    if (name == "name") {
      has_name = true;
      ExpectText(member);
    } else if (member.IsNull()) {
      return;
    } else if (name == "description") {
      ExpectText(member);
    } else if (name == "strict") {
      (void)member.Bool();
    } else if (name == "parameters" && !member.value().is_object()) {
      member.Problem("dict_type", "Input should be a valid dictionary");
    }
  });
  if (is_object && !has_name) function.Missing("name");
}

void CheckTool(Field tool) {
  bool has_function = false;
  const bool is_object = tool.VisitMembers([&](std::string_view name, Field member) {
    if (name == "function") {
      has_function = true;
      CheckFunction(member);
    } else if (name == "type") {
      std::string_view type;
      if (member.value().get(type) != simdjson::SUCCESS || type != "function") {
        member.Problem("literal_error", "Input should be 'function'", "'expected': \"'function'\"");
      }
    }
  });
  if (is_object && !has_function) tool.Missing("function");
}

void ReadTools(Field field, Request request) {
  size_t count = 0;
  const bool is_list = field.VisitItems([&count](Field tool) {
    ++count;
    CheckTool(tool);
  });
  if (!is_list) return;
  request.chat.tools.empty_list = count == 0;
  request.chat.tools.deprecated_form = false;
  if (count > 0) request.chat.tools.tools_json = simdjson::minify(field.value());
}

// The old list holds the functions themselves.
void ReadFunctions(Field field, Request request) {
  std::string tools = "[";
  const bool is_list = field.VisitItems([&tools](Field function) {
    CheckFunction(function);
    absl::StrAppend(&tools, tools.size() > 1 ? "," : "", R"({"type":"function","function":)",
                    std::string(simdjson::minify(function.value())), "}");
  });
  if (!is_list || !request.chat.tools.tools_json.empty() || tools == "[") return;
  request.chat.tools.tools_json = tools + "]";
  request.chat.tools.deprecated_form = true;
}

void ChoiceProblem(Request request, std::string_view field, std::string message) {
  request.chat.tools.choice_problem = std::move(message);
  request.chat.tools.choice_problem_field = field;
}

void ReadNamedChoice(const simdjson::dom::object& choice, Request request) {
  element function;
  element name;
  std::string_view text;
  simdjson::dom::object object;
  const bool has_function = choice["function"].get(function) == simdjson::SUCCESS;
  if (!has_function || function.get(object) != simdjson::SUCCESS) {
    const std::string shown = has_function ? DescribeInput(function) : "None";
    return ChoiceProblem(request, "tool_choice.function",
                         absl::StrCat("Invalid value for `function`: `", shown,
                                      "` in `tool_choice`! ", ToAbsl(kUsage)));
  }
  if (object["name"].get(name) != simdjson::SUCCESS) {
    return ChoiceProblem(
        request, "tool_choice.function.name",
        absl::StrCat("Expected field `name` in `function` in `tool_choice`! ", ToAbsl(kUsage)));
  }
  if (name.get(text) != simdjson::SUCCESS || text.empty()) {
    return ChoiceProblem(request, "tool_choice.function.name",
                         absl::StrCat("Invalid `name` in `function`: `", DescribeInput(name),
                                      "` in `tool_choice`! ", ToAbsl(kUsage)));
  }
  request.chat.tools.choice = Choice::kNamed;
  request.chat.tools.choice_name = text;
}

void ReadToolChoice(Field field, Request request) {
  simdjson::dom::object object;
  if (field.value().get(object) == simdjson::SUCCESS) return ReadNamedChoice(object, request);
  std::string_view text;
  const bool is_text = field.value().get(text) == simdjson::SUCCESS;
  if (is_text && text == "none") {
    request.chat.tools.choice = Choice::kNone;
  } else if (is_text && text == "auto") {
    request.chat.tools.choice = Choice::kAuto;
  } else if (is_text && text == "required") {
    request.chat.tools.choice = Choice::kRequired;
  } else {
    ChoiceProblem(request, "tool_choice",
                  absl::StrCat("Invalid value for `tool_choice`: ", DescribeInput(field.value()),
                               "! Only named tools, \"none\", \"auto\" or \"required\" are "
                               "supported."));
  }
}

// "none", "auto", or {"name": …}.
void ReadFunctionCall(Field field, Request request) {
  if (request.chat.tools.choice != Choice::kAbsent) return;
  simdjson::dom::object object;
  if (field.value().get(object) != simdjson::SUCCESS) return ReadToolChoice(field, request);
  std::string_view name;
  if (object["name"].get(name) != simdjson::SUCCESS || name.empty()) {
    return ChoiceProblem(request, "function_call.name",
                         "Expected field `name` in `function_call`: the name of a function.");
  }
  request.chat.tools.choice = Choice::kNamed;
  request.chat.tools.choice_name = name;
}

constexpr Support kSupported = Support::kSupported;

constexpr Parameter kTools[] = {
    {"tools", kSupported, ReadTools},
    {"tool_choice", kSupported, ReadToolChoice},
    {"parallel_tool_calls", kSupported,
     [](Field f, Request r) { r.chat.tools.parallel_calls = f.Bool().value_or(true); }},
    {"functions", kSupported, ReadFunctions},
    {"function_call", kSupported, ReadFunctionCall},
    {"include_reasoning", kSupported,
     [](Field f, Request r) { r.chat.tools.include_reasoning = f.Bool().value_or(true); }},
};

}  // namespace

absl::Span<const Parameter> ToolParameters() { return kTools; }

}  // namespace baton::frontend
