// The tools that a request declares: their names, and the schemas of their arguments.
//
//   ASSIGN_OR_RETURN(ToolSet tools, ToolSet::Parse(tools_json));
//   if (tools.Accepts("get_weather", R"({"city": "Oslo"})")) ...
//
// Threading: immutable. Ownership: owns everything; cheap to copy.
// Errors:    INVALID_ARGUMENT with the path of what is wrong, such as
//            tools[0].function.parameters.properties.city.type.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace baton::frontend {

class ToolSet {
 public:
  struct Tool {
    std::string name;
    std::string parameters_json;  // a schema; of {} alone if none was given
    bool takes_nothing = false;   // its only arguments are {}
    bool strict = false;
  };

  // `tools_json` is the list of a chat request, each entry an object with a function.
  static absl::StatusOr<ToolSet> Parse(std::string_view tools_json);

  ToolSet();  // no tools

  const std::vector<Tool>& tools() const { return tools_; }
  bool empty() const { return tools_.empty(); }
  bool Declares(std::string_view name) const { return Find(name) != nullptr; }
  const Tool* Find(std::string_view name) const;

  // True for a tool's parameter that takes text and nothing else, as undeclared ones do.
  bool TakesText(std::string_view tool, std::string_view parameter) const;

  // The JSON of a value that the model wrote as plain text, by the type that the tool declares;
  // text that is none of it stays a string.
  std::string ValueJson(std::string_view tool, std::string_view parameter,
                        std::string_view text) const;

  // True if the tool is declared and the text is a JSON object that its schema allows.
  bool Accepts(std::string_view tool, std::string_view arguments_json) const;

 private:
  struct Schemas;

  std::vector<Tool> tools_;
  std::shared_ptr<const Schemas> schemas_;  // by index of tools_
};

}  // namespace baton::frontend
