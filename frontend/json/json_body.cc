#include "frontend/json/json_body.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Appends a number in a form that the parser can read: an integer that no 64 bits may hold as a
// real, and what is beyond the reals as the largest of them. Both are out of range for their
// fields.
void AppendReadable(std::string_view number, std::string& out) {
  constexpr size_t kDigitsMin = 19;
  double value = 0;
  if (absl::SimpleAtod(ToAbsl(number), &value) && std::isinf(value)) {
    out += value < 0 ? "-1.7976931348623157e308" : "1.7976931348623157e308";
    return;
  }
  out += number;
  if (number.size() >= kDigitsMin && number.find_first_of(".eE") == std::string_view::npos) {
    out += ".0";
  }
}

// The body with each of its numbers in a form that the parser can read.
std::string WithReadableNumbers(std::string_view body) {
  constexpr std::string_view kNumberCharacters = "+-.0123456789eE";
  std::string text;
  bool in_string = false;
  for (size_t i = 0; i < body.size();) {
    if (in_string || !(IsDigit(body[i]) || body[i] == '-')) {
      if (in_string && body[i] == '\\' && i + 1 < body.size())
        text += body[i++];
      else if (body[i] == '"')
        in_string = !in_string;
      text += body[i++];
      continue;
    }
    const size_t end = std::min(body.find_first_not_of(kNumberCharacters, i), body.size());
    AppendReadable(body.substr(i, end - i), text);
    i = end;
  }
  return text;
}

absl::Status Malformed(std::string_view kind, std::string_view message, std::string_view input,
                       std::string_view reason) {
  SchemaProblems problems;
  problems.Add({.kind = kind,
                .path = "body",
                .message = std::string(message),
                .input = std::string(input),
                .context = reason.empty() ? "" : absl::StrCat("'error': '", ToAbsl(reason), "'")});
  return problems.ToStatus();
}

// The calling thread's own parser, for one body at a time. It grows to some twenty times the
// largest body; what a large one made of it is not kept.
class ParserLease {
 public:
  ParserLease() = default;
  ParserLease(const ParserLease&) = delete;
  ParserLease& operator=(const ParserLease&) = delete;
  ~ParserLease() {
    if (parser().capacity() > kCapacityKept) parser() = simdjson::dom::parser();
  }

  simdjson::dom::parser& parser() const {
    thread_local simdjson::dom::parser own;
    return own;
  }

 private:
  static constexpr size_t kCapacityKept = 1 << 20;
};

// The document lives in the parser.
absl::StatusOr<simdjson::dom::element> ParseDocument(simdjson::dom::parser& parser,
                                                     std::string_view body) {
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  if (body.empty()) return Malformed("missing", "Field required", "None", "");
  auto document = parser.parse(body.data(), body.size(), /*realloc_if_needed=*/true);
  if (document.error() == simdjson::NUMBER_ERROR) {
    const std::string text = WithReadableNumbers(body);
    document = parser.parse(text.data(), text.size(), /*realloc_if_needed=*/true);
  }
  simdjson::dom::element root;
  const simdjson::error_code error = document.get(root);
  if (error != simdjson::SUCCESS) {
    return Malformed("json_invalid", "JSON decode error", "<dict of 0 items>",
                     simdjson::error_message(error));
  }
  return root;
}

// The members in the order of their first mention.
class MemberList {
 public:
  void Put(std::string_view name, const simdjson::dom::element& value, std::string path) {
    const auto [it, fresh] = index_.emplace(name, members_.size());
    if (fresh) {
      members_.push_back({name, value, std::move(path)});
    } else {
      members_[it->second] = {name, value, std::move(path)};
    }
  }

  struct Member {
    std::string_view name;
    simdjson::dom::element value;
    std::string path;
  };
  const std::vector<Member>& members() const { return members_; }

 private:
  std::vector<Member> members_;
  absl::flat_hash_map<std::string_view, size_t, StringHash, StringEqual> index_;
};

}  // namespace

absl::StatusOr<size_t> VisitBody(
    std::string_view body, SchemaProblems& problems,
    absl::FunctionRef<void(std::string_view name, const JsonField& field)> visit) {
  const ParserLease lease;
  auto document = ParseDocument(lease.parser(), body);
  if (!document.ok()) return document.status();
  if (document->is_null()) return Malformed("missing", "Field required", "None", "");
  simdjson::dom::object object;
  if (document->get(object) != simdjson::SUCCESS) {
    return Malformed("model_attributes_type",
                     "Input should be a valid dictionary or object to extract fields from",
                     DescribeInput(*document), "");
  }
  MemberList list;
  simdjson::dom::object extra;
  bool has_extra = false;
  for (const auto [name, value] : object) {
    if (name == "extra_body" && value.get(extra) == simdjson::SUCCESS) {
      has_extra = true;
    } else {
      list.Put(name, value, absl::StrCat("body.", ToAbsl(name)));
    }
  }
  if (has_extra) {
    for (const auto [name, value] : extra) {
      list.Put(name, value, absl::StrCat("body.extra_body.", ToAbsl(name)));
    }
  }
  for (const MemberList::Member& member : list.members()) {
    visit(member.name, JsonField(member.value, member.path, problems));
  }
  return object.size();
}

absl::Status CheckJsonContentType(const HttpRequest& request) {
  const std::string_view header = FindHeader(request.headers, "content-type").value_or("");
  const std::string_view media_type = header.substr(0, header.find(';'));
  if (EqualsIgnoringCase(ToStd(absl::StripAsciiWhitespace(ToAbsl(media_type))),
                         "application/json")) {
    return absl::OkStatus();
  }
  return UnsupportedMediaType();
}

}  // namespace baton::frontend
