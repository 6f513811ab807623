#include "frontend/responses/response_output.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton::frontend {
namespace {

std::string_view StemOf(std::string_view response_id) {
  return response_id.substr(response_id.starts_with("resp_") ? 5 : 0);
}

std::string_view NameOf(ItemStatus status) {
  return status == ItemStatus::kCompleted ? "completed" : "incomplete";
}

bool IsObject(std::string_view text) {
  const absl::StatusOr<Json> json = ParseJson(text);
  return json.ok() && json->is_object();
}

void Join(std::string_view entries, std::string* list) {
  if (entries.empty()) return;
  if (!list->empty()) *list += ',';
  *list += entries;
}

}  // namespace

ResponseOutput::ResponseOutput(std::string_view response_id, ResponseEvents* events)
    : stem_(StemOf(response_id)), events_(events) {}

void ResponseOutput::Emit(std::string_view type, std::string_view members) {
  if (events_ != nullptr) events_->Append(type, members, &event_text_);
}

std::string ResponseOutput::Place(std::string_view more) const {
  return absl::StrCat("\"item_id\":", QuoteJson(id_), ",\"output_index\":", index_, ToAbsl(more));
}

std::string ResponseOutput::TextPlace(std::string_view more) const {
  return Place(absl::StrCat(",\"content_index\":0", ToAbsl(more)));
}

std::string ResponseOutput::PartJson() const {
  if (kind_ == Kind::kReasoning) {
    return absl::StrCat("{\"type\":\"reasoning_text\",\"text\":", QuoteJson(text_), "}");
  }
  return absl::StrCat("{\"type\":\"output_text\",\"text\":", QuoteJson(text_),
                      ",\"annotations\":[],\"logprobs\":[", logprobs_json_, "]}");
}

std::string ResponseOutput::ItemJson(std::string_view status) const {
  const bool open = status == "in_progress";
  std::string json =
      absl::StrCat("{\"id\":", QuoteJson(id_), ",\"status\":\"", ToAbsl(status), "\",");
  switch (kind_) {
    case Kind::kReasoning:
      absl::StrAppend(&json, "\"type\":\"reasoning\",\"summary\":[],\"content\":[",
                      open ? "" : PartJson(), "],\"encrypted_content\":null}");
      break;
    case Kind::kCall:
      absl::StrAppend(&json, "\"type\":\"function_call\",\"call_id\":", QuoteJson(call_id_),
                      ",\"name\":", QuoteJson(call_name_),
                      ",\"arguments\":", open ? "\"\"" : QuoteJson(text_), "}");
      break;
    default:
      absl::StrAppend(&json, "\"type\":\"message\",\"role\":\"assistant\",\"content\":[",
                      open ? "" : PartJson(), "]}");
  }
  return json;
}

void ResponseOutput::Open(Kind kind) {
  CloseItem();
  kind_ = kind;
  const std::string_view prefix = kind == Kind::kReasoning ? "rs_"
                                  : kind == Kind::kCall    ? "fc_"
                                                           : "msg_";
  id_ = absl::StrCat(ToAbsl(prefix), stem_, "_", index_);
  text_.clear();
  Emit("response.output_item.added",
       absl::StrCat("\"output_index\":", index_, ",\"item\":", ItemJson("in_progress")));
  if (kind == Kind::kCall) return;
  Emit(kind == Kind::kReasoning ? "response.reasoning_part.added" : "response.content_part.added",
       TextPlace(absl::StrCat(",\"part\":", PartJson())));
}

void ResponseOutput::CloseItem(ItemStatus status) {
  const std::string text = QuoteJson(text_);
  switch (kind_) {
    case Kind::kNone:
      return;
    case Kind::kReasoning:
      Emit("response.reasoning_text.done", TextPlace(absl::StrCat(",\"text\":", text)));
      Emit("response.reasoning_part.done", TextPlace(absl::StrCat(",\"part\":", PartJson())));
      break;
    case Kind::kMessage:
      Join(std::exchange(pending_logprobs_json_, {}), &logprobs_json_);
      Emit("response.output_text.done",
           TextPlace(absl::StrCat(",\"text\":", text, ",\"logprobs\":[", logprobs_json_, "]")));
      Emit("response.content_part.done", TextPlace(absl::StrCat(",\"part\":", PartJson())));
      break;
    case Kind::kCall:
      status = IsObject(text_) ? ItemStatus::kCompleted : ItemStatus::kIncomplete;
      Emit("response.function_call_arguments.done",
           Place(absl::StrCat(",\"name\":", QuoteJson(call_name_), ",\"arguments\":", text)));
      break;
  }
  const std::string item = ItemJson(NameOf(status));
  Emit("response.output_item.done", absl::StrCat("\"output_index\":", index_, ",\"item\":", item));
  Join(item, &items_json_);
  kind_ = Kind::kNone;
  logprobs_json_.clear();
  ++index_;
}

void ResponseOutput::AddReasoning(std::string_view text) {
  if (text.empty()) return;
  if (kind_ != Kind::kReasoning) Open(Kind::kReasoning);
  text_ += text;
  Emit("response.reasoning_text.delta", TextPlace(absl::StrCat(",\"delta\":", QuoteJson(text))));
}

void ResponseOutput::AddContent(std::string_view text) {
  if (text.empty()) return;
  if (kind_ != Kind::kMessage) Open(Kind::kMessage);
  text_ += text;
  const std::string logprobs = std::exchange(pending_logprobs_json_, {});
  Join(logprobs, &logprobs_json_);
  Emit("response.output_text.delta",
       TextPlace(absl::StrCat(",\"delta\":", QuoteJson(text), ",\"logprobs\":[", logprobs, "]")));
}

void ResponseOutput::AddCall(const MessageDelta::Call& call) {
  if (!call.name.empty()) {
    CloseItem();
    call_name_ = call.name;
    call_id_ = call.id.empty() ? absl::StrCat("call_", stem_, "_", index_) : call.id;
    Open(Kind::kCall);
  }
  if (call.arguments.empty() || kind_ != Kind::kCall) return;
  text_ += call.arguments;
  Emit("response.function_call_arguments.delta",
       Place(absl::StrCat(",\"delta\":", QuoteJson(call.arguments))));
}

void ResponseOutput::Add(const MessageDelta& delta) {
  AddReasoning(delta.reasoning);
  AddContent(delta.content);
  for (const MessageDelta::Call& call : delta.calls) AddCall(call);
}

void ResponseOutput::AddLogprobs(std::string_view entries_json) {
  Join(entries_json, &pending_logprobs_json_);
}

void ResponseOutput::Close(ItemStatus status) {
  if (kind_ == Kind::kNone && index_ == 0) Open(Kind::kMessage);
  CloseItem(status);
}

std::string ResponseOutput::TakeEvents() { return std::exchange(event_text_, {}); }

}  // namespace baton::frontend
