#include <simdjson.h>

#include "absl/strings/str_cat.h"
#include "frontend/request/parameter.h"

namespace baton::frontend {
namespace {

using Field = const JsonField&;
using Request = GenerationRequest&;
using simdjson::dom::element;

std::string RawJson(Field field) { return simdjson::minify(field.value()); }

enum class PartKind { kText, kMedia, kUnknown };

PartKind KindOfPart(std::string_view type) {
  for (const std::string_view text : {"text", "input_text", "output_text", "refusal", "thinking"}) {
    if (type == text) return PartKind::kText;
  }
  for (const std::string_view media :
       {"image_url", "input_image", "image_embeds", "audio_url", "input_audio", "audio_embeds",
        "video_url", "prompt_embeds", "file"}) {
    if (type == media) return PartKind::kMedia;
  }
  return PartKind::kUnknown;
}

// The type a part states, or the one that its keys imply.
std::string TypeOfPart(const simdjson::dom::object& part) {
  std::string_view type;
  if (part["type"].get(type) == simdjson::SUCCESS) return std::string(type);
  for (const auto [key, value] : part) {
    if (KindOfPart(key) != PartKind::kUnknown) return std::string(key);
  }
  return "";
}

void CheckPart(Field part, Request request) {
  if (part.value().is_string()) return;
  simdjson::dom::object object;
  if (part.value().get(object) != simdjson::SUCCESS) {
    part.Problem("dict_type", "Input should be a valid dictionary");
    return;
  }
  const std::string type = TypeOfPart(object);
  switch (KindOfPart(type)) {
    case PartKind::kMedia:
      request.chat.has_media_parts = true;
      return;
    case PartKind::kUnknown:
      part.Problem("literal_error", absl::StrCat("Unknown part type: ", type));
      return;
    case PartKind::kText:
      break;
  }
  // A part of another name has its text under that name.
  const bool is_named = type == "refusal" || type == "thinking";
  const std::string_view key = is_named ? std::string_view(type) : "text";
  bool has_text = false;
  part.VisitMembers([&](std::string_view name, Field member) {
    if (name != key) return;
    has_text = true;
    (void)member.String();
  });
  if (!has_text) part.Missing(key);
}

void CheckContent(Field content, Request request) {
  if (content.IsNull() || content.value().is_string()) return;
  if (!content.value().is_array()) {
    content.Problem("string_type", "Input should be a valid string or a list of content parts");
    return;
  }
  content.VisitItems([&request](Field part) { CheckPart(part, request); });
}

// A call that the model made earlier: templates need its function's name. The arguments may be text
// or an object, or nothing.
void CheckCall(Field call) {
  bool has_function = false;
  const bool is_object = call.VisitMembers([&](std::string_view kind, Field function) {
    if (kind != "function") return;
    has_function = true;
    bool has_name = false;
    const bool is_function = function.VisitMembers([&](std::string_view name, Field member) {
      if (name != "name") return;
      has_name = true;
      (void)member.String();
    });
    if (is_function && !has_name) function.Missing("name");
  });
  if (is_object && !has_function) call.Missing("function");
}

void CheckMessage(Field message, Request request) {
  bool has_role = false;
  request.chat.last_role.clear();
  request.chat.last_content_text.clear();
  message.VisitMembers([&](std::string_view name, Field member) {
    if (name == "role") {
      has_role = true;
      request.chat.last_role = member.String().value_or("");
    } else if (name == "content") {
      CheckContent(member, request);
      if (member.value().is_string()) request.chat.last_content_text = *member.String();
    } else if (name == "name" && !member.IsNull()) {
      (void)member.String();
    } else if (name == "tool_calls" && !member.IsNull()) {
      member.VisitItems(CheckCall);
    }
  });
  if (!has_role && message.value().is_object()) {
    message.Missing("role");
  }
}

void ReadTemplateKwargs(Field field, Request request) {
  if (field.value().is_object()) {
    request.chat.template_kwargs_json = RawJson(field);
  } else {
    field.Problem("dict_type", "Input should be a valid dictionary");
  }
}

void ReadDocuments(Field field, Request request) {
  if (field.VisitItems([](Field item) { item.VisitMembers([](std::string_view, Field) {}); })) {
    request.chat.documents_json = RawJson(field);
  }
}

void ReadEffort(Field field, Request request) {
  request.chat.reasoning_effort = field.String();
  if (!request.chat.reasoning_effort.has_value()) return;
  constexpr std::string_view kEfforts[] = {"none", "minimal", "low", "medium",
                                           "high", "xhigh",   "max"};
  for (const std::string_view effort : kEfforts) {
    if (*request.chat.reasoning_effort == effort) return;
  }
  constexpr const char* kExpected = "'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'";
  field.Problem("literal_error", absl::StrCat("Input should be ", kExpected),
                absl::StrCat("'expected': \"", kExpected, "\""));
}

void ReadMaxCompletionTokens(Field field, Request request) {
  request.sampling.max_tokens = field.Int();
  request.sampling.max_tokens_field = "max_completion_tokens";
}

bool IsTextModality(Field field) {
  simdjson::dom::array modalities;
  if (field.value().get(modalities) != simdjson::SUCCESS) return field.IsEmpty();
  for (const element modality : modalities) {
    std::string_view name;
    if (modality.get(name) != simdjson::SUCCESS || name != "text") return false;
  }
  return true;
}

constexpr Support kSupported = Support::kSupported;
constexpr Support kHint = Support::kHint;
constexpr Support kUnsupported = Support::kUnsupported;

constexpr Parameter kChat[] = {
    {"messages", kSupported, ReadMessages},
    {"max_completion_tokens", kSupported, ReadMaxCompletionTokens},
    {"logprobs", kSupported, [](Field f, Request r) { r.chat.logprobs = f.Bool(); }},
    {"top_logprobs", kSupported,
     [](Field f, Request r) { r.chat.top_logprobs = ReadLogprobCount(f, r); }},
    {"add_generation_prompt", kSupported,
     [](Field f, Request r) { r.chat.add_generation_prompt = f.Bool().value_or(true); }},
    {"continue_final_message", kSupported,
     [](Field f, Request r) { r.chat.continue_final_message = f.Bool().value_or(false); }},
    {"chat_template", kSupported, [](Field f, Request r) { r.chat.chat_template = f.String(); }},
    {"chat_template_kwargs", kSupported, ReadTemplateKwargs},
    {"documents", kSupported, ReadDocuments},
    {"reasoning_effort", kSupported, ReadEffort},
    {"return_prompt_text", kSupported,
     [](Field f, Request r) { r.chat.return_prompt_text = f.Bool().value_or(false); }},

    {"media_io_kwargs", kHint},
    {"mm_processor_kwargs", kHint},
    {"return_assistant_tokens_mask", kHint},
    {"suffix", kHint},

    {"modalities", kUnsupported, nullptr, IsTextModality},
    {"audio", kUnsupported},
    {"web_search_options", kUnsupported},
};

}  // namespace

void ReadMessages(const JsonField& field, GenerationRequest& request) {
  if (field.VisitItems([&request](Field message) { CheckMessage(message, request); })) {
    request.chat.messages_json = RawJson(field);
  }
}

absl::Span<const Parameter> ChatParameters() { return kChat; }

}  // namespace baton::frontend
