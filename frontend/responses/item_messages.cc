#include "frontend/responses/item_messages.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

absl::Status AtItem(size_t index, std::string_view path, std::string_view problem) {
  return InvalidArgument(absl::StrCat("input[", index, "]", ToAbsl(path), ": ", ToAbsl(problem)));
}

// What is no item of the API's schema.
absl::Status ItemError(size_t index, std::string_view path, std::string_view problem) {
  return WithField(AtItem(index, path, problem), "body.input");
}

// What the API has, and is not served.
absl::Status NotServed(size_t index, std::string_view path, std::string_view problem) {
  return WithField(AtItem(index, path, problem), "input");
}

template <size_t N>
bool Contains(const std::string_view (&names)[N], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

constexpr std::string_view kRoles[] = {"user", "assistant", "system", "developer"};

// Parts that the chat endpoint answers for: what a model cannot see or hear is refused there.
constexpr std::string_view kMediaParts[] = {"image_url",    "input_audio",  "audio_url",
                                            "video_url",    "image_embeds", "audio_embeds",
                                            "prompt_embeds"};

// Items that the API has for tools of its own.
constexpr std::string_view kOtherItems[] = {
    "web_search_call",      "file_search_call",        "computer_call",
    "computer_call_output", "code_interpreter_call",   "image_generation_call",
    "local_shell_call",     "local_shell_call_output", "mcp_call",
    "mcp_list_tools",       "mcp_approval_request",    "mcp_approval_response",
    "custom_tool_call",     "custom_tool_call_output", "compaction"};

bool IsTextPart(std::string_view type) {
  return type == "input_text" || type == "output_text" || type == "text" ||
         type == "reasoning_text" || type == "summary_text";
}

// Builds the messages of one list of items.
class MessageBuilder {
 public:
  explicit MessageBuilder(ItemMessages& out) : out_(out) {}

  absl::Status Add(size_t index, const Json& item) {
    index_ = index;
    if (!item.is_object()) return ItemError(index, "", "Input should be an object");
    ASSIGN_OR_RETURN(const std::string type, TypeOf(item));
    out_.continues_last = false;
    if (type == "message") return AddMessage(item);
    if (type == "function_call") return AddCall(item);
    if (type == "function_call_output") return AddCallOutput(item);
    if (type == "reasoning") return AddReasoning(item);
    if (type == "item_reference") {
      return NotServed(index, ".type", "item references are not kept; use previous_response_id");
    }
    if (Contains(kOtherItems, type)) {
      return NotServed(index, ".type", absl::StrCat("items of type '", type, "' are not served"));
    }
    return ItemError(index, ".type", absl::StrCat("unknown item type '", type, "'"));
  }

 private:
  absl::StatusOr<std::string> TypeOf(const Json& item) {
    absl::StatusOr<std::optional<std::string>> type = FindString(item, "type");
    if (!type.ok()) return ItemError(index_, ".type", "Input should be a valid string");
    if (type->has_value()) return **type;
    if (item.contains("role")) return "message";
    return ItemError(index_, ".type", "Field required");
  }

  absl::StatusOr<std::string> Text(const Json& item, const char* key) {
    const auto found = item.find(key);
    if (found == item.end() || !found->is_string()) {
      return ItemError(index_, absl::StrCat(".", key),
                       found == item.end() ? "Field required" : "Input should be a valid string");
    }
    return found->get<std::string>();
  }

  // Content in the chat API's words: one text, or parts.
  absl::StatusOr<Json> Content(const Json& content, std::string_view path) {
    if (content.is_string() || content.is_null()) return content;
    if (!content.is_array()) {
      return ItemError(index_, path, "Input should be a string or a list of parts");
    }
    Json parts = Json::array();
    for (size_t i = 0; i < content.size(); ++i) {
      ASSIGN_OR_RETURN(Json part, Part(content[i], absl::StrCat(ToAbsl(path), "[", i, "]")));
      parts.push_back(std::move(part));
    }
    if (parts.size() == 1 && parts[0]["type"] == "text") return parts[0]["text"];
    return parts;
  }

  absl::StatusOr<Json> Part(const Json& part, std::string_view path) {
    if (!part.is_object() || !part.contains("type") || !part["type"].is_string()) {
      return ItemError(index_, path, "a part is an object with a type");
    }
    const std::string type = part["type"];
    if (IsTextPart(type) || type == "refusal") {
      ASSIGN_OR_RETURN(std::string text,
                       PartText(part, type == "refusal" ? "refusal" : "text", path));
      return Json{{"type", "text"}, {"text", std::move(text)}};
    }
    if (type == "input_image") {
      ASSIGN_OR_RETURN(std::string image, PartText(part, "image_url", path));
      Json url{{"url", std::move(image)}};
      if (part.contains("detail")) url["detail"] = part["detail"];
      return Json{{"type", "image_url"}, {"image_url", std::move(url)}};
    }
    if (Contains(kMediaParts, type)) return part;
    if (type == "input_file") return NotServed(index_, path, "files are not read");
    return ItemError(index_, absl::StrCat(ToAbsl(path), ".type"),
                     absl::StrCat("unknown part type '", type, "'"));
  }

  absl::StatusOr<std::string> PartText(const Json& part, const char* key, std::string_view path) {
    const auto found = part.find(key);
    if (found != part.end() && found->is_string()) return found->get<std::string>();
    return ItemError(index_, absl::StrCat(ToAbsl(path), ".", key),
                     "Input should be a valid string");
  }

  absl::Status AddMessage(const Json& item) {
    ASSIGN_OR_RETURN(const std::string role, Text(item, "role"));
    if (!Contains(kRoles, role)) {
      return ItemError(index_, ".role",
                       "Input should be 'user', 'assistant', 'system' or 'developer'");
    }
    if (!item.contains("content")) return ItemError(index_, ".content", "Field required");
    ASSIGN_OR_RETURN(Json content, Content(item["content"], ".content"));
    const std::string status = item.contains("status") && item["status"].is_string()
                                   ? item["status"].get<std::string>()
                                   : "";
    if (role == "assistant") {
      Json& message = Assistant(/*fresh=*/turn_has_content_);
      message["content"] = std::move(content);
      turn_has_content_ = true;
      out_.continues_last = status == "in_progress" || status == "incomplete";
    } else {
      EndTurn();
      out_.messages->push_back({{"role", role}, {"content", std::move(content)}});
    }
    return absl::OkStatus();
  }

  absl::Status AddCall(const Json& item) {
    ASSIGN_OR_RETURN(const std::string call_id, Text(item, "call_id"));
    ASSIGN_OR_RETURN(const std::string name, Text(item, "name"));
    ASSIGN_OR_RETURN(const std::string arguments, Text(item, "arguments"));
    Json& calls = Assistant(/*fresh=*/false)["tool_calls"];
    if (calls.is_null()) calls = Json::array();
    calls.push_back({{"id", call_id},
                     {"type", "function"},
                     {"function", {{"name", name}, {"arguments", arguments}}}});
    return absl::OkStatus();
  }

  absl::Status AddCallOutput(const Json& item) {
    ASSIGN_OR_RETURN(const std::string call_id, Text(item, "call_id"));
    if (!item.contains("output")) return ItemError(index_, ".output", "Field required");
    ASSIGN_OR_RETURN(Json content, Content(item["output"], ".output"));
    EndTurn();
    out_.messages->push_back(
        {{"role", "tool"}, {"tool_call_id", call_id}, {"content", std::move(content)}});
    return absl::OkStatus();
  }

  absl::Status AddReasoning(const Json& item) {
    std::string text;
    for (const char* key : {"content", "summary"}) {
      const auto parts = item.find(key);
      if (parts == item.end() || !parts->is_array() || !text.empty()) continue;
      for (const Json& part : *parts) {
        if (part.is_object() && part.contains("text") && part["text"].is_string()) {
          text += part["text"].get<std::string>();
        }
      }
    }
    if (text.empty() && item.contains("encrypted_content") &&
        !item["encrypted_content"].is_null()) {
      return NotServed(index_, ".encrypted_content", "encrypted reasoning cannot be read");
    }
    if (!text.empty()) {
      Assistant(/*fresh=*/true)["reasoning_content"] = text;
      turn_has_content_ = false;
    }
    return absl::OkStatus();
  }

  // The assistant's message of this turn; begun if there is none or a fresh one is wanted.
  Json& Assistant(bool fresh) {
    if (fresh || !in_turn_) {
      out_.messages->push_back({{"role", "assistant"}, {"content", nullptr}});
      in_turn_ = true;
      turn_has_content_ = false;
    }
    return out_.messages->back();
  }

  void EndTurn() { in_turn_ = turn_has_content_ = false; }

  ItemMessages& out_;
  size_t index_ = 0;
  bool in_turn_ = false;  // the last message is the assistant's and still grows
  bool turn_has_content_ = false;
};

}  // namespace

absl::Status AppendItemMessages(const Json& items, ItemMessages& out) {
  MessageBuilder builder(out);
  for (size_t i = 0; i < items.size(); ++i) RETURN_IF_ERROR(builder.Add(i, items[i]));
  return absl::OkStatus();
}

}  // namespace baton::frontend
