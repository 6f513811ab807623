// One field of a request body, read with the leniency of the API's reference server: a number may
// come as text, a flag as 0, 1 or "yes", an integer as 5.0. What cannot be read is noted as a
// schema problem and reads as nullopt; all problems of a body are reported together.
//
//   SchemaProblems problems;
//   JsonField field(element, "body.temperature", problems);
//   if (std::optional<double> t = field.Number()) request.temperature = *t;
//   RETURN_IF_ERROR(problems.ToStatus());
//
// Threading: thread-compatible. Ownership: a field refers to its document and to the problems.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace simdjson::dom {
class element;
}

namespace baton::frontend {

// What a body breaks of its schema, in the words of the reference server's validator.
class SchemaProblems {
 public:
  struct Problem {
    std::string_view kind;  // "float_parsing"
    std::string path;       // "body.temperature"
    std::string message;
    std::string input;    // the offending value, shortened
    std::string context;  // rendered, or empty
  };

  void Add(Problem problem);
  bool empty() const { return problems_.empty(); }

  // OK, or one SchemaError that lists every problem and names the first one's path.
  absl::Status ToStatus() const;

 private:
  std::vector<Problem> problems_;
};

// A value as the validator's messages show it: text as it is (shortened), containers by their size.
std::string DescribeInput(const simdjson::dom::element& value);

class JsonField {
 public:
  JsonField(const simdjson::dom::element& value, std::string path, SchemaProblems& problems)
      : value_(value), path_(std::move(path)), problems_(problems) {}

  const simdjson::dom::element& value() const { return value_; }
  const std::string& path() const { return path_; }

  bool IsNull() const;
  // Null, false, 0, "", [] or {}: nothing that could change an answer.
  bool IsEmpty() const;

  std::optional<bool> Bool() const;
  std::optional<double> Number() const;
  // A whole number beyond 64 bits reads as the nearest that they hold.
  std::optional<int64_t> Int() const;
  // Reports values outside [min, max] as the validator does.
  std::optional<int64_t> IntInRange(int64_t min, int64_t max) const;
  std::optional<std::string> String() const;
  std::optional<std::vector<int64_t>> IntList() const;
  std::optional<std::vector<std::string>> StringList() const;
  // Visits the members of an object, or the items of an array; false, with a problem noted, when
  // the value is neither of that kind. A visited field is valid during its visit.
  bool VisitMembers(absl::FunctionRef<void(std::string_view, const JsonField&)> visit) const;
  bool VisitItems(absl::FunctionRef<void(const JsonField&)> visit) const;

  // Notes that an object lacks a member.
  void Missing(std::string_view member) const;
  void Problem(std::string_view kind, std::string_view message, std::string context = {}) const;

 private:
  enum class OutOfRange { kClamp, kProblem };

  std::optional<int64_t> ReadInt(int64_t min, int64_t max, OutOfRange out) const;

  const simdjson::dom::element& value_;
  std::string path_;
  SchemaProblems& problems_;
};

}  // namespace baton::frontend
