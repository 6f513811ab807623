#include "frontend/request/batch_body.h"

#include <simdjson.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/json/json_body.h"
#include "frontend/json/json_field.h"
#include "frontend/json/json_writer.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/parameter.h"
#include "frontend/request/request_rules.h"

namespace baton::frontend {
namespace {

using Field = const JsonField&;

constexpr size_t kParserRoom = 64;

absl::Status Refuse(std::string_view what, std::string_view advice, std::string_view field) {
  return ParameterError(absl::StrCat("Batch chat completions do not support ", ToAbsl(what),
                                     ". Please ", ToAbsl(advice), "."),
                        field, "");
}

// The only value that a batch may have.
void CheckToolChoice(Field field) {
  SchemaProblems unreadable;
  const JsonField value(field.value(), field.path(), unreadable);
  if (field.IsNull() || value.String() == "none") return;
  field.Problem("literal_error", "Input should be 'none'", "'expected': \"'none'\"");
}

// What would need more than one choice per conversation, or a stream.
absl::Status CheckMember(std::string_view name, Field field) {
  if (field.IsNull()) return absl::OkStatus();
  SchemaProblems unreadable;  // the chat's own reading reports it
  const JsonField value(field.value(), field.path(), unreadable);
  if (name == "n" && value.Int().value_or(1) != 1) {
    return ParameterError("Batch chat completions do not support `n > 1`. Please set `n` to 1.",
                          "n", DescribeInput(field.value()));
  }
  if (name == "stream" && value.Bool().value_or(false)) {
    return Refuse("streaming", "set `stream` to False", name);
  }
  if (name == "use_beam_search" && value.Bool().value_or(false)) {
    return Refuse("beam search", "set `use_beam_search` to False", name);
  }
  for (const std::string_view field_name : {"tools", "functions", "prompt_logprobs"}) {
    if (name != field_name) continue;
    return Refuse(absl::StrCat("`", ToAbsl(name), "`"),
                  absl::StrCat("leave `", ToAbsl(name), "` out"), name);
  }
  return absl::OkStatus();
}

// A list with something in it.
bool CheckList(Field list) {
  simdjson::dom::array items;
  if (list.value().get(items) == simdjson::SUCCESS && items.size() == 0) {
    list.Problem("too_short", "List should have at least 1 item after validation, not 0",
                 "'field_type': 'List', 'min_length': 1, 'actual_length': 0");
    return false;
  }
  return list.VisitItems([](Field) {});
}

std::vector<ChatInput> ReadConversations(Field field) {
  std::vector<ChatInput> conversations;
  if (!CheckList(field)) return conversations;
  field.VisitItems([&conversations](Field conversation) {
    if (!CheckList(conversation)) return;
    GenerationRequest request;
    ReadMessages(conversation, request);
    conversations.push_back(std::move(request.chat));
  });
  return conversations;
}

void AppendMember(std::string_view name, std::string_view json, std::string& body) {
  body += body.empty() ? '{' : ',';
  AppendJsonString(name, &body);
  body += ':';
  body += json;
}

void CloseBody(std::string& body) {
  body += '}';
  body.reserve(body.size() + kParserRoom);
}

}  // namespace

absl::StatusOr<BatchBody> SplitBatchBody(std::string_view body) {
  SchemaProblems problems;
  absl::Status refusal;
  bool has_messages = false;
  std::vector<ChatInput> conversations;
  std::string first;
  const auto visit = [&](std::string_view name, Field field) {
    refusal.Update(CheckMember(name, field));
    if (name == "messages") {
      has_messages = true;
      conversations = ReadConversations(field);
    } else if (name == "tool_choice") {
      CheckToolChoice(field);
    } else {
      AppendMember(name, simdjson::minify(field.value()), first);
    }
  };
  ASSIGN_OR_RETURN(const size_t member_count, VisitBody(body, problems, visit));
  if (!has_messages) {
    problems.Add({.kind = "missing",
                  .path = "body.messages",
                  .message = "Field required",
                  .input = absl::StrCat("<dict of ", member_count, " items>"),
                  .context = ""});
  }
  RETURN_IF_ERROR(refusal);
  RETURN_IF_ERROR(problems.ToStatus());
  if (conversations.size() > kPromptsMax) {
    return ParameterError(absl::StrCat("messages list length ", conversations.size(),
                                       " exceeds the maximum allowed count of ", kPromptsMax, "."),
                          "messages", "");
  }
  AppendMember("messages", conversations.front().messages_json, first);
  CloseBody(first);
  conversations.erase(conversations.begin());
  return BatchBody{.first = std::move(first), .others = std::move(conversations)};
}

}  // namespace baton::frontend
