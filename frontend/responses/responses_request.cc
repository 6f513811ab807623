#include "frontend/responses/responses_request.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/responses/item_messages.h"

namespace baton::frontend {
namespace {

absl::Status FieldError(std::string_view field, std::string_view problem) {
  return WithField(InvalidArgument(problem), field);
}

// What breaks the schema, where it stands in the body.
absl::Status SchemaBreach(std::string_view path, std::string_view problem) {
  return FieldError(absl::StrCat("body.", ToAbsl(path)), problem);
}

// Members that mean in a chat request what they mean here.
constexpr std::string_view kSameInChat[] = {"model",
                                            "temperature",
                                            "top_p",
                                            "top_k",
                                            "min_p",
                                            "seed",
                                            "stop",
                                            "stop_token_ids",
                                            "ignore_eos",
                                            "min_tokens",
                                            "repetition_penalty",
                                            "presence_penalty",
                                            "frequency_penalty",
                                            "logit_bias",
                                            "skip_special_tokens",
                                            "include_stop_str_in_output",
                                            "include_reasoning",
                                            "structured_outputs",
                                            "chat_template_kwargs",
                                            "media_io_kwargs",
                                            "mm_processor_kwargs",
                                            "priority",
                                            "cache_salt",
                                            "stream",
                                            "user",
                                            "metadata",
                                            "service_tier",
                                            "parallel_tool_calls",
                                            "request_id",
                                            "vllm_xargs",
                                            "kv_transfer_params",
                                            "ec_transfer_params",
                                            "prompt_cache_key",
                                            "safety_identifier",
                                            "session_id"};

// Members that only this API has; they are read in this file, or change nothing.
constexpr std::string_view kOwn[] = {"input",
                                     "instructions",
                                     "max_output_tokens",
                                     "top_logprobs",
                                     "store",
                                     "background",
                                     "previous_response_id",
                                     "include",
                                     "reasoning",
                                     "text",
                                     "tool_choice",
                                     "tools",
                                     "truncation",
                                     "max_tool_calls",
                                     "prompt",
                                     "enable_response_messages",
                                     "previous_input_messages",
                                     "conversation",
                                     "stream_options",
                                     "prompt_cache_retention",
                                     "context_management"};

// Members of a chat request that would mean something here that this API does not have.
constexpr std::string_view kChatOnly[] = {"messages",
                                          "n",
                                          "echo",
                                          "best_of",
                                          "logprobs",
                                          "functions",
                                          "function_call",
                                          "max_tokens",
                                          "max_completion_tokens",
                                          "response_format",
                                          "add_generation_prompt",
                                          "continue_final_message"};

template <size_t N>
bool Contains(const std::string_view (&names)[N], std::string_view name) {
  for (const std::string_view each : names) {
    if (each == name) return true;
  }
  return false;
}

bool IsSet(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null();
}

// The text that a member is; empty where it is none.
std::string TextMember(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// {"type":"function","name":…} as {"type":"function","function":{"name":…}}.
Json NestedFunction(const Json& tool, const std::string& prefix) {
  Json function = Json::object();
  for (const char* key : {"description", "parameters", "strict"}) {
    if (IsSet(tool, key)) function[key] = tool[key];
  }
  function["name"] = prefix + tool["name"].get<std::string>();
  return {{"type", "function"}, {"function", std::move(function)}};
}

absl::Status AppendTool(const Json& tool, const std::string& path, const std::string& prefix,
                        Json& out) {
  if (!tool.is_object() || !IsSet(tool, "type") || !tool["type"].is_string()) {
    return SchemaBreach(path, absl::StrCat(path, ": a tool is an object with a type"));
  }
  const std::string type = tool["type"];
  if (type != "function" && type != "namespace") {
    return FieldError(
        "tools", absl::StrCat(path, ".type: '", type, "' needs a tool server, and there is none"));
  }
  if (!IsSet(tool, "name") || !tool["name"].is_string()) {
    return SchemaBreach(path + ".name", absl::StrCat(path, ".name: Field required"));
  }
  if (type == "function") {
    out.push_back(NestedFunction(tool, prefix));
    return absl::OkStatus();
  }
  if (!IsSet(tool, "tools") || !tool["tools"].is_array() || !prefix.empty()) {
    return SchemaBreach(path + ".tools",
                        absl::StrCat(path, ".tools: a namespace holds a list of functions"));
  }
  for (size_t i = 0; i < tool["tools"].size(); ++i) {
    RETURN_IF_ERROR(AppendTool(tool["tools"][i], absl::StrCat(path, ".tools.", i),
                               tool["name"].get<std::string>() + "__", out));
  }
  return absl::OkStatus();
}

bool Declares(const Json& tools, const std::string& name) {
  for (const Json& tool : tools) {
    if (tool["function"]["name"] == name) return true;
  }
  return false;
}

// Keeps the tools that the choice allows, and says what is left of the choice: a mode.
absl::StatusOr<Json> Allow(const Json& choice, Json& tools) {
  if (!IsSet(choice, "tools") || !choice["tools"].is_array()) {
    return FieldError("tool_choice", "tool_choice.tools: Field required");
  }
  Json kept = Json::array();
  for (const Json& allowed : choice["tools"]) {
    const std::string name = allowed.is_object() ? TextMember(allowed, "name") : "";
    if (!Declares(tools, name)) {
      return FieldError("tool_choice",
                        absl::StrCat("tool_choice.tools: '", name, "' is not among the tools"));
    }
    for (const Json& tool : tools) {
      if (tool["function"]["name"] == name) kept.push_back(tool);
    }
  }
  tools = std::move(kept);
  if (!IsSet(choice, "mode")) return Json("auto");
  const std::string mode = TextMember(choice, "mode");
  if (mode == "auto" || mode == "required") return Json(mode);
  return FieldError("tool_choice", "tool_choice.mode: Input should be 'auto' or 'required'");
}

absl::Status AddTools(const Json& body, Json& chat) {
  Json tools = Json::array();
  if (IsSet(body, "tools")) {
    if (!body["tools"].is_array())
      return SchemaBreach("tools", "tools: Input should be a valid list");
    for (size_t i = 0; i < body["tools"].size(); ++i) {
      RETURN_IF_ERROR(AppendTool(body["tools"][i], absl::StrCat("tools.", i), "", tools));
    }
  }
  Json choice = IsSet(body, "tool_choice") ? body["tool_choice"] : Json("auto");
  if (!choice.is_object() && choice != "auto" && choice != "none" && choice != "required") {
    return SchemaBreach("tool_choice", "tool_choice: Input should be 'none', 'auto' or 'required'");
  }
  if (choice.is_object() && TextMember(choice, "type") == "allowed_tools") {
    ASSIGN_OR_RETURN(choice, Allow(choice, tools));
  } else if (choice.is_object()) {
    const std::string name = TextMember(choice, "name");
    if (TextMember(choice, "type") != "function" || !Declares(tools, name)) {
      return FieldError("tool_choice", absl::StrCat("tool_choice: '", name,
                                                    "' is not among the functions of tools"));
    }
    choice = {{"type", "function"}, {"function", {{"name", name}}}};
  } else if (choice == "required" && tools.empty()) {
    return FieldError("tool_choice", "tool_choice: 'required' needs tools");
  }
  if (tools.empty()) return absl::OkStatus();  // auto and none mean the same
  chat["tools"] = std::move(tools);
  chat["tool_choice"] = std::move(choice);
  return absl::OkStatus();
}

absl::Status AddTextFormat(const Json& body, Json& chat) {
  if (!IsSet(body, "text")) return absl::OkStatus();
  const Json& text = body["text"];
  if (!text.is_object()) return SchemaBreach("text", "text: Input should be a valid dictionary");
  if (!IsSet(text, "format")) return absl::OkStatus();
  const Json& format = text["format"];
  const std::string type = format.is_object() ? TextMember(format, "type") : "";
  if (type == "text") return absl::OkStatus();
  if (IsSet(body, "structured_outputs")) {
    return FieldError("structured_outputs",
                      "text.format and structured_outputs cannot both be given");
  }
  if (type == "json_object") {
    chat["response_format"] = {{"type", type}};
  } else if (type == "json_schema") {
    if (!IsSet(format, "schema")) {
      return SchemaBreach("text.format.schema", "text.format.schema: Field required");
    }
    Json schema = Json::object();
    for (const char* key : {"name", "schema", "strict", "description"}) {
      if (IsSet(format, key)) schema[key] = format[key];
    }
    chat["response_format"] = {{"type", type}, {"json_schema", std::move(schema)}};
  } else {
    return SchemaBreach("text.format.type",
                        absl::StrCat("text.format.type: Input should be 'text', 'json_object'"
                                     " or 'json_schema', not '",
                                     type, "'"));
  }
  return absl::OkStatus();
}

absl::Status AddReasoning(const Json& body, Json& chat) {
  if (!IsSet(body, "reasoning")) return absl::OkStatus();
  const Json& reasoning = body["reasoning"];
  if (!reasoning.is_object())
    return SchemaBreach("reasoning", "reasoning: Input should be a valid dictionary");
  if (IsSet(reasoning, "effort")) chat["reasoning_effort"] = reasoning["effort"];
  return absl::OkStatus();
}

absl::Status AddTruncation(const Json& body, Json& chat) {
  if (!IsSet(body, "truncation") || body["truncation"] == "disabled") return absl::OkStatus();
  if (body["truncation"] != "auto") {
    return SchemaBreach("truncation", "truncation: Input should be 'auto' or 'disabled'");
  }
  chat["truncate_prompt_tokens"] = -1;
  return absl::OkStatus();
}

// Functions with all the members that the API shows.
Json WholeTools(Json tools) {
  for (Json& tool : tools) {
    if (!tool.is_object() || TextMember(tool, "type") != "function") continue;
    for (const char* member : {"description", "parameters", "strict"}) {
      if (!tool.contains(member)) tool[member] = nullptr;
    }
  }
  return tools;
}

Json DefaultText() { return {{"format", {{"type", "text"}}}}; }

}  // namespace

absl::StatusOr<ResponsesRequest> ResponsesRequest::Parse(std::string_view body) {
  absl::StatusOr<Json> json = ParseJson(body);
  if (!json.ok()) return json.status();
  if (!json->is_object()) return FieldError("body", "Input should be a valid dictionary");
  ResponsesRequest request(std::make_shared<const Json>(*std::move(json)));
  if (const absl::Status flags = request.ReadFlags(); !flags.ok()) {
    return WithField(flags, absl::StrCat("body.", Field(flags).value_or("")));
  }
  RETURN_IF_ERROR(request.CheckCombinations());
  return request;
}

absl::Status ResponsesRequest::ReadFlags() {
  ASSIGN_OR_RETURN(const std::optional<bool> store, FindBool(*body_, "store"));
  ASSIGN_OR_RETURN(const std::optional<bool> background, FindBool(*body_, "background"));
  ASSIGN_OR_RETURN(const std::optional<bool> stream, FindBool(*body_, "stream"));
  ASSIGN_OR_RETURN(const std::optional<std::string> model, FindString(*body_, "model"));
  model_ = model.value_or("");
  ASSIGN_OR_RETURN(previous_id_, FindString(*body_, "previous_response_id"));
  ASSIGN_OR_RETURN(request_id_, FindString(*body_, "request_id"));
  store_ = store.value_or(true);
  background_ = background.value_or(false);
  stream_ = stream.value_or(false);
  ASSIGN_OR_RETURN(const Json* include, FindArray(*body_, "include"));
  if (include != nullptr) {
    constexpr std::string_view kIncludes[] = {
        "code_interpreter_call.outputs", "computer_call_output.output.image_url",
        "file_search_call.results",      "message.input_image.image_url",
        "message.output_text.logprobs",  "reasoning.encrypted_content",
        "web_search_call.results",       "web_search_call.action.sources"};
    for (size_t i = 0; i < include->size(); ++i) {
      const Json& name = (*include)[i];
      if (!name.is_string() || !Contains(kIncludes, name.get<std::string>())) {
        return FieldError(absl::StrCat("include.", i),
                          absl::StrCat("include: unknown value ", name.dump()));
      }
      if (name == "message.output_text.logprobs") shows_logprobs_ = true;
    }
  }
  return absl::OkStatus();
}

absl::Status ResponsesRequest::CheckCombinations() const {
  const Json& body = *body_;
  if (!IsSet(body, "input")) return SchemaBreach("input", "input: Field required");
  if (!body["input"].is_string() && !body["input"].is_array()) {
    return SchemaBreach("input", "input: Input should be a string or a list of items");
  }
  if (body["input"].empty() && body["input"].is_array() && !previous_id_.has_value()) {
    return FieldError("input", "input: at least one item is required");
  }
  if (IsSet(body, "metadata") && !body["metadata"].is_object()) {
    return SchemaBreach("metadata", "metadata: Input should be a valid dictionary");
  }
  if (IsSet(body, "top_logprobs")) {
    const Json& count = body["top_logprobs"];
    if (!count.is_number_integer() || count < 0 || count > 20) {
      return FieldError("top_logprobs", "top_logprobs: Input should be an integer from 0 to 20");
    }
  }
  constexpr std::string_view kTiers[] = {"auto", "default", "flex", "scale", "priority"};
  if (IsSet(body, "service_tier") && !Contains(kTiers, TextMember(body, "service_tier"))) {
    return SchemaBreach("service_tier",
                        "service_tier: Input should be 'auto', 'default', 'flex', 'scale' or "
                        "'priority'");
  }
  if (background_ && !store_) {
    return FieldError("background", "background can only be used when `store` is true");
  }
  if (IsSet(body, "prompt")) return FieldError("prompt", "prompt template is not supported");
  if (IsSet(body, "conversation")) {
    return FieldError("conversation", "conversations are not kept; use previous_response_id");
  }
  if (IsSet(body, "previous_input_messages")) {
    return FieldError("previous_input_messages", previous_id_.has_value()
                                                     ? "previous_input_messages and "
                                                       "previous_response_id cannot both be given"
                                                     : "send earlier turns in input");
  }
  if (IsSet(body, "instructions") && !body["instructions"].is_string()) {
    return SchemaBreach("instructions", "instructions: Input should be a valid string");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ResponsesRequest::ChatBody(std::string_view earlier_items_json) const {
  const Json& body = *body_;
  Json chat = Json::object();
  for (const auto& [name, value] : body.items()) {
    // An unknown member stays, to be counted or refused like everywhere else.
    const bool unknown = !Contains(kOwn, name) && !Contains(kChatOnly, name);
    if (Contains(kSameInChat, name) || unknown) chat[name] = value;
  }
  Json messages = Json::array();
  if (IsSet(body, "instructions")) {
    messages.push_back({{"role", "system"}, {"content", body["instructions"]}});
  }
  Json items = Json::array();
  if (!earlier_items_json.empty()) {
    ASSIGN_OR_RETURN(items, ParseJson(earlier_items_json));
  }
  if (body["input"].is_string()) {
    items.push_back({{"role", "user"}, {"content", body["input"]}});
  } else {
    items.insert(items.end(), body["input"].begin(), body["input"].end());
  }
  ItemMessages out{.messages = &messages};
  RETURN_IF_ERROR(AppendItemMessages(items, out));
  if (out.continues_last) {
    chat["continue_final_message"] = true;
    chat["add_generation_prompt"] = false;
  }
  chat["messages"] = std::move(messages);
  if (background_) chat["stream"] = true;  // its events are kept
  if (IsSet(body, "max_output_tokens")) chat["max_completion_tokens"] = body["max_output_tokens"];
  if (shows_logprobs_) {
    chat["logprobs"] = true;
    chat["top_logprobs"] = IsSet(body, "top_logprobs") ? body["top_logprobs"] : Json(0);
  }
  RETURN_IF_ERROR(AddTools(body, chat));
  RETURN_IF_ERROR(AddTextFormat(body, chat));
  RETURN_IF_ERROR(AddReasoning(body, chat));
  RETURN_IF_ERROR(AddTruncation(body, chat));
  return SerializeJson(chat);
}

std::string ResponsesRequest::InputItemsJson(std::string_view id_stem) const {
  Json items = Json::array();
  if ((*body_)["input"].is_string()) {
    items.push_back({{"type", "message"},
                     {"role", "user"},
                     {"content", {{{"type", "input_text"}, {"text", (*body_)["input"]}}}}});
  } else {
    items = (*body_)["input"];
  }
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_object()) continue;
    if (!IsSet(items[i], "type")) items[i]["type"] = "message";
    if (TextMember(items[i], "id").empty()) items[i]["id"] = absl::StrCat(ToAbsl(id_stem), "_", i);
    if (!IsSet(items[i], "status")) items[i]["status"] = "completed";
  }
  return SerializeJson(items);
}

std::string ResponsesRequest::EchoJson(bool can_store) const {
  struct Member {
    const char* name;
    Json otherwise;
  };
  const Member members[] = {{"instructions", nullptr},
                            {"metadata", Json::object()},
                            {"parallel_tool_calls", true},
                            {"temperature", 1.0},
                            {"tool_choice", "auto"},
                            {"tools", Json::array()},
                            {"top_p", 1.0},
                            {"background", false},
                            {"max_output_tokens", nullptr},
                            {"max_tool_calls", nullptr},
                            {"previous_response_id", nullptr},
                            {"prompt", nullptr},
                            {"reasoning", nullptr},
                            {"service_tier", "auto"},
                            {"text", DefaultText()},
                            {"top_logprobs", 0},
                            {"truncation", "disabled"},
                            {"user", nullptr},
                            {"safety_identifier", nullptr},
                            {"prompt_cache_key", nullptr},
                            {"presence_penalty", 0.0},
                            {"frequency_penalty", 0.0}};
  std::string json;
  for (const Member& member : members) {
    const Json& value = IsSet(*body_, member.name) ? (*body_)[member.name] : member.otherwise;
    absl::StrAppend(
        &json, json.empty() ? "" : ",", QuoteJson(member.name), ":",
        SerializeJson(member.name == std::string_view("tools") ? WholeTools(value) : value));
  }
  absl::StrAppend(&json, ",\"store\":", can_store && store_ ? "true" : "false");
  return json;
}

}  // namespace baton::frontend
