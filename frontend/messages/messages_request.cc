#include "frontend/messages/messages_request.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton::frontend {
namespace {

// Clients of one vendor put a line that differs in every request in front of their system prompt.
constexpr std::string_view kBillingHeader = "x-anthropic-billing-header";

constexpr size_t kStopsMax = 4;
constexpr int kThinkingTokensMin = 1024;

constexpr const char* kSameInChat[] = {"model",
                                       "temperature",
                                       "top_k",
                                       "top_p",
                                       "stream",
                                       "cache_salt",
                                       "metadata",
                                       "chat_template_kwargs",
                                       "service_tier",
                                       "kv_transfer_params",
                                       "ec_transfer_params"};

absl::Status PathError(std::string_view path, std::string_view problem) {
  return WithField(InvalidArgument(absl::StrCat(ToAbsl(path), ": ", ToAbsl(problem))), path);
}

bool IsSet(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null();
}

absl::StatusOr<std::string> Text(const Json& object, const char* key, const std::string& path) {
  if (!IsSet(object, key)) return PathError(absl::StrCat(path, ".", key), "Field required");
  if (!object[key].is_string()) {
    return PathError(absl::StrCat(path, ".", key), "Input should be a valid string");
  }
  return object[key].get<std::string>();
}

absl::StatusOr<std::string> TypeOf(const Json& block, const std::string& path) {
  if (!block.is_object()) return PathError(path, "Input should be a valid dictionary");
  return Text(block, "type", path);
}

// What one text is is said as one; what several are, the chat template decides.
Json Simplest(Json parts) {
  if (parts.size() == 1 && parts[0]["type"] == "text") return std::move(parts[0]["text"]);
  return parts;
}

// The texts among the parts, a line for each.
std::string TextOf(const Json& parts) {
  std::string text;
  bool first = true;
  for (const Json& part : parts) {
    if (part["type"] != "text") continue;
    if (!std::exchange(first, false)) text += '\n';
    text += part["text"].get<std::string>();
  }
  return text;
}

absl::StatusOr<Json> ImagePart(const Json& block, const std::string& path) {
  if (!IsSet(block, "source") || !block["source"].is_object()) {
    return PathError(path + ".source", "Field required");
  }
  const Json& source = block["source"];
  ASSIGN_OR_RETURN(const std::string type, TypeOf(source, path + ".source"));
  std::string url;
  if (type == "base64") {
    ASSIGN_OR_RETURN(const std::string media, Text(source, "media_type", path + ".source"));
    ASSIGN_OR_RETURN(const std::string data, Text(source, "data", path + ".source"));
    url = absl::StrCat("data:", media, ";base64,", data);
  } else if (type == "url") {
    ASSIGN_OR_RETURN(url, Text(source, "url", path + ".source"));
  } else {
    return PathError(path + ".source.type", "Input should be 'base64' or 'url'");
  }
  return Json{{"type", "image_url"}, {"image_url", {{"url", std::move(url)}}}};
}

// The parts of a tool's result.
absl::StatusOr<Json> ResultParts(const Json& block, const std::string& path) {
  if (!IsSet(block, "content")) return Json::array();
  const Json& content = block["content"];
  if (content.is_string()) return Json::array({{{"type", "text"}, {"text", content}}});
  if (!content.is_array()) {
    return PathError(path + ".content", "Input should be a string or a list of blocks");
  }
  Json parts = Json::array();
  for (size_t i = 0; i < content.size(); ++i) {
    const std::string part_path = absl::StrCat(path, ".content.", i);
    ASSIGN_OR_RETURN(const std::string type, TypeOf(content[i], part_path));
    if (type == "text") {
      ASSIGN_OR_RETURN(std::string text, Text(content[i], "text", part_path));
      parts.push_back({{"type", "text"}, {"text", std::move(text)}});
    } else if (type == "image") {
      ASSIGN_OR_RETURN(Json image, ImagePart(content[i], part_path));
      parts.push_back(std::move(image));
    } else if (type == "tool_reference") {
      ASSIGN_OR_RETURN(std::string name, Text(content[i], "tool_name", part_path));
      parts.push_back({{"type", "text"}, {"text", std::move(name)}});
    } else {
      return PathError(part_path + ".type", absl::StrCat("'", type, "' is not supported here"));
    }
  }
  return parts;
}

// Turns one message into chat messages: a user's tool results come before what else it says.
class MessageReader {
 public:
  explicit MessageReader(Json& out) : out_(out) {}

  absl::Status Read(const Json& message, const std::string& path) {
    if (!message.is_object()) return PathError(path, "Input should be a valid dictionary");
    ASSIGN_OR_RETURN(const std::string role, Text(message, "role", path));
    if (role != "user" && role != "assistant" && role != "system") {
      return PathError(path + ".role", "Input should be 'user', 'assistant' or 'system'");
    }
    if (!IsSet(message, "content")) return PathError(path + ".content", "Field required");
    const Json& content = message["content"];
    if (content.is_string()) {
      out_.push_back({{"role", role}, {"content", content}});
      return absl::OkStatus();
    }
    if (!content.is_array()) {
      return PathError(path + ".content", "Input should be a string or a list of blocks");
    }
    parts_ = Json::array();
    calls_ = Json::array();
    thinking_.clear();
    for (size_t i = 0; i < content.size(); ++i) {
      RETURN_IF_ERROR(ReadBlock(content[i], role, absl::StrCat(path, ".content.", i)));
    }
    Finish(role);
    return absl::OkStatus();
  }

 private:
  absl::Status ReadBlock(const Json& block, const std::string& role, const std::string& path) {
    ASSIGN_OR_RETURN(const std::string type, TypeOf(block, path));
    if (type == "text") {
      ASSIGN_OR_RETURN(std::string text, Text(block, "text", path));
      if (!text.empty()) parts_.push_back({{"type", "text"}, {"text", std::move(text)}});
    } else if (type == "image" && role == "user") {
      ASSIGN_OR_RETURN(Json image, ImagePart(block, path));
      parts_.push_back(std::move(image));
    } else if (type == "tool_result" && role == "user") {
      return ReadResult(block, path);
    } else if (type == "tool_use" && role == "assistant") {
      return ReadCall(block, path);
    } else if (type == "thinking" && role == "assistant") {
      ASSIGN_OR_RETURN(const std::string text, Text(block, "thinking", path));
      thinking_ += text;
    } else if (type != "redacted_thinking") {
      return PathError(path + ".type",
                       absl::StrCat("'", type, "' is not supported in a message of the ", role));
    }
    return absl::OkStatus();
  }

  // Its text is the tool's message; its images follow as the user's.
  absl::Status ReadResult(const Json& block, const std::string& path) {
    ASSIGN_OR_RETURN(std::string id, Text(block, "tool_use_id", path));
    ASSIGN_OR_RETURN(Json parts, ResultParts(block, path));
    out_.push_back({{"role", "tool"}, {"tool_call_id", std::move(id)}, {"content", TextOf(parts)}});
    Json images = Json::array();
    for (Json& part : parts) {
      if (part["type"] == "image_url") images.push_back(std::move(part));
    }
    if (!images.empty()) out_.push_back({{"role", "user"}, {"content", std::move(images)}});
    return absl::OkStatus();
  }

  absl::Status ReadCall(const Json& block, const std::string& path) {
    ASSIGN_OR_RETURN(std::string id, Text(block, "id", path));
    ASSIGN_OR_RETURN(std::string name, Text(block, "name", path));
    const Json input = IsSet(block, "input") ? block["input"] : Json::object();
    if (!input.is_object()) return PathError(path + ".input", "Input should be a valid dictionary");
    calls_.push_back(
        {{"id", std::move(id)},
         {"type", "function"},
         {"function", {{"name", std::move(name)}, {"arguments", SerializeJson(input)}}}});
    return absl::OkStatus();
  }

  void Finish(const std::string& role) {
    if (parts_.empty() && calls_.empty() && thinking_.empty() && role != "assistant") return;
    Json message{{"role", role}, {"content", nullptr}};
    if (role == "user") {
      if (!parts_.empty()) message["content"] = Simplest(std::move(parts_));
    } else if (!parts_.empty()) {
      message["content"] = TextOf(parts_);
    }
    if (!calls_.empty()) message["tool_calls"] = std::move(calls_);
    if (!thinking_.empty()) message["reasoning_content"] = thinking_;
    out_.push_back(std::move(message));
  }

  Json& out_;
  Json parts_;
  Json calls_;
  std::string thinking_;
};

absl::StatusOr<std::string> SystemText(const Json& body) {
  if (!IsSet(body, "system")) return "";
  const Json& system = body["system"];
  if (system.is_string()) return system.get<std::string>();
  if (!system.is_array()) {
    return PathError("system", "Input should be a string or a list of text blocks");
  }
  std::string text;
  for (size_t i = 0; i < system.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string part, Text(system[i], "text", absl::StrCat("system.", i)));
    if (!part.starts_with(kBillingHeader)) text += part;
  }
  return text;
}

absl::Status AddMessages(const Json& body, Json& chat) {
  if (!IsSet(body, "messages")) return PathError("messages", "Field required");
  if (!body["messages"].is_array() || body["messages"].empty()) {
    return PathError("messages", "at least one message is required");
  }
  ASSIGN_OR_RETURN(std::string system, SystemText(body));
  Json messages = Json::array();
  MessageReader reader(messages);
  for (size_t i = 0; i < body["messages"].size(); ++i) {
    RETURN_IF_ERROR(reader.Read(body["messages"][i], absl::StrCat("messages.", i)));
  }
  // One system message, in front: what templates expect.
  Json others = Json::array();
  for (Json& message : messages) {
    if (message["role"] != "system") {
      others.push_back(std::move(message));
    } else if (message["content"].is_string()) {
      system += message["content"].get<std::string>();
    }
  }
  if (others.empty()) return PathError("messages", "at least one user message is required");
  // The assistant's last words are the beginning of the answer.
  const Json& last = others.back();
  if (last["role"] == "assistant" && last["content"].is_string() && !last.contains("tool_calls")) {
    chat["continue_final_message"] = true;
    chat["add_generation_prompt"] = false;
  }
  if (!system.empty()) {
    others.insert(others.begin(), Json{{"role", "system"}, {"content", std::move(system)}});
  }
  chat["messages"] = std::move(others);
  return absl::OkStatus();
}

absl::Status AddTools(const Json& body, Json& chat) {
  if (!IsSet(body, "tools")) return absl::OkStatus();
  if (!body["tools"].is_array()) return PathError("tools", "Input should be a valid list");
  Json tools = Json::array();
  for (size_t i = 0; i < body["tools"].size(); ++i) {
    const Json& tool = body["tools"][i];
    const std::string path = absl::StrCat("tools.", i);
    if (!tool.is_object()) return PathError(path, "Input should be a valid dictionary");
    ASSIGN_OR_RETURN(std::string name, Text(tool, "name", path));
    if (IsSet(tool, "type") && tool["type"] != "custom") {
      return PathError(path + ".type", "server tools are not supported");
    }
    if (!IsSet(tool, "input_schema")) return PathError(path + ".input_schema", "Field required");
    if (!tool["input_schema"].is_object()) {
      return PathError(path + ".input_schema", "Input should be a valid dictionary");
    }
    Json function{{"name", std::move(name)}, {"parameters", tool["input_schema"]}};
    if (!function["parameters"].contains("type")) function["parameters"]["type"] = "object";
    for (const char* key : {"description", "strict"}) {
      if (IsSet(tool, key)) function[key] = tool[key];
    }
    tools.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  if (!tools.empty()) chat["tools"] = std::move(tools);
  return absl::OkStatus();
}

absl::Status AddToolChoice(const Json& body, Json& chat) {
  if (!IsSet(body, "tool_choice")) return absl::OkStatus();
  const Json& choice = body["tool_choice"];
  ASSIGN_OR_RETURN(const std::string type, TypeOf(choice, "tool_choice"));
  if (IsSet(choice, "disable_parallel_tool_use")) {
    const Json& disabled = choice["disable_parallel_tool_use"];
    if (!disabled.is_boolean()) {
      return PathError("tool_choice.disable_parallel_tool_use", "Input should be a valid boolean");
    }
    if (disabled.get<bool>()) chat["parallel_tool_calls"] = false;
  }
  if (type == "auto" || type == "none") {
    if (chat.contains("tools")) chat["tool_choice"] = type;
  } else if (type == "any") {
    chat["tool_choice"] = "required";
  } else if (type == "tool") {
    ASSIGN_OR_RETURN(std::string name, Text(choice, "name", "tool_choice"));
    chat["tool_choice"] = {{"type", "function"}, {"function", {{"name", std::move(name)}}}};
  } else {
    return PathError("tool_choice.type", "Input should be 'auto', 'any', 'tool' or 'none'");
  }
  return absl::OkStatus();
}

absl::Status AddOutputConfig(const Json& body, Json& chat) {
  if (!IsSet(body, "output_config")) return absl::OkStatus();
  const Json& config = body["output_config"];
  if (!config.is_object()) return PathError("output_config", "Input should be a valid dictionary");
  if (IsSet(config, "effort")) chat["reasoning_effort"] = config["effort"];
  if (!IsSet(config, "format")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string type, TypeOf(config["format"], "output_config.format"));
  if (type != "json_schema") {
    return PathError("output_config.format.type", "Input should be 'json_schema'");
  }
  if (!IsSet(config["format"], "schema")) {
    return PathError("output_config.format.schema", "Field required");
  }
  chat["response_format"] = {
      {"type", type},
      {"json_schema", {{"name", "output"}, {"schema", config["format"]["schema"]}}}};
  return absl::OkStatus();
}

// Behind the output's effort: thinking that is switched off needs none.
absl::Status AddThinking(const Json& body, Json& chat) {
  if (!IsSet(body, "thinking")) return absl::OkStatus();
  const Json& thinking = body["thinking"];
  ASSIGN_OR_RETURN(const std::string type, TypeOf(thinking, "thinking"));
  if (type == "disabled") {
    chat["reasoning_effort"] = "none";
  } else if (type == "enabled") {
    const auto budget = thinking.find("budget_tokens");
    if (budget == thinking.end() || !budget->is_number_integer() || *budget < kThinkingTokensMin) {
      return PathError("thinking.budget_tokens",
                       "Input should be an integer greater than or equal to 1024");
    }
    chat["thinking_token_budget"] = *budget;
  } else if (type != "adaptive") {
    return PathError("thinking.type", "Input should be 'enabled', 'disabled' or 'adaptive'");
  }
  return absl::OkStatus();
}

absl::Status AddLimits(const Json& body, MessagesPurpose purpose, Json& chat) {
  if (purpose == MessagesPurpose::kGenerate) {
    if (!IsSet(body, "max_tokens")) return PathError("max_tokens", "Field required");
    if (!body["max_tokens"].is_number_integer() || body["max_tokens"] < 1) {
      return PathError("max_tokens", "Input should be an integer greater than 0");
    }
    chat["max_tokens"] = body["max_tokens"];
  }
  if (!IsSet(body, "stop_sequences")) return absl::OkStatus();
  const Json& stop = body["stop_sequences"];
  if (!stop.is_array()) return PathError("stop_sequences", "Input should be a valid list");
  if (stop.size() > kStopsMax) {
    return PathError("stop_sequences", absl::StrCat("List should have at most ", kStopsMax,
                                                    " items after validation, not ", stop.size()));
  }
  for (size_t i = 0; i < stop.size(); ++i) {
    if (stop[i].is_string() && stop[i] != "") continue;
    return PathError(absl::StrCat("stop_sequences.", i),
                     "Input should be a valid string that is not empty");
  }
  chat["stop"] = stop;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ChatBodyOfMessages(std::string_view text, MessagesPurpose purpose) {
  ASSIGN_OR_RETURN(const Json body, ParseJson(text));
  if (!body.is_object()) return InvalidArgument("the body should be an object");
  if (!IsSet(body, "model")) return PathError("model", "Field required");
  if (IsSet(body, "metadata") && !body["metadata"].is_object()) {
    return PathError("metadata", "Input should be a valid dictionary");
  }
  Json chat = Json::object();
  for (const char* name : kSameInChat) {
    if (IsSet(body, name)) chat[name] = body[name];
  }
  RETURN_IF_ERROR(AddLimits(body, purpose, chat));
  RETURN_IF_ERROR(AddMessages(body, chat));
  RETURN_IF_ERROR(AddTools(body, chat));
  RETURN_IF_ERROR(AddToolChoice(body, chat));
  RETURN_IF_ERROR(AddOutputConfig(body, chat));
  RETURN_IF_ERROR(AddThinking(body, chat));
  return SerializeJson(chat);
}

}  // namespace baton::frontend
