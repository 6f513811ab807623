#include "frontend/messages/message_blocks.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton::frontend {
namespace {

bool IsObject(std::string_view text) {
  const absl::StatusOr<Json> json = ParseJson(text);
  return json.ok() && json->is_object();
}

}  // namespace

std::string MessageUsageJson(const MessageUsage& usage) {
  return absl::StrCat(
      "{\"input_tokens\":", usage.input_tokens,
      ",\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":", usage.cached_tokens,
      ",\"cache_creation\":null,\"output_tokens\":", usage.output_tokens,
      ",\"output_tokens_details\":null,\"server_tool_use\":null,"
      "\"service_tier\":\"standard\",\"inference_geo\":null}");
}

void AppendMessageEvent(std::string_view type, std::string_view members, std::string* out) {
  absl::StrAppend(out, "event: ", ToAbsl(type), "\ndata: {\"type\":\"", ToAbsl(type), "\"",
                  members.empty() ? "" : ",", ToAbsl(members), "}\n\n");
}

MessageBlocks::MessageBlocks(std::string_view message_id, BlockEvents events)
    : message_id_(message_id), send_(events) {}

std::string MessageBlocks::BlockJson() const {
  switch (kind_) {
    case Kind::kThinking:
      return absl::StrCat("{\"type\":\"thinking\",\"thinking\":", QuoteJson(text_),
                          ",\"signature\":", QuoteJson(message_id_), "}");
    case Kind::kCall:
      return absl::StrCat("{\"type\":\"tool_use\",\"id\":", QuoteJson(call_id_),
                          ",\"name\":", QuoteJson(call_name_),
                          ",\"input\":", IsObject(text_) ? text_ : "{}",
                          ",\"caller\":{\"type\":\"direct\"}}");
    default:
      return absl::StrCat("{\"type\":\"text\",\"text\":", QuoteJson(text_), ",\"citations\":null}");
  }
}

void MessageBlocks::Open(Kind kind) {
  CloseBlock();
  kind_ = kind;
  text_.clear();
  if (send_ == BlockEvents::kNone) return;
  std::string block;
  switch (kind) {
    case Kind::kThinking:
      block = R"({"type":"thinking","thinking":"","signature":""})";
      break;
    case Kind::kCall:
      block = BlockJson();
      break;
    default:
      block = R"({"type":"text","text":"","citations":null})";
  }
  AppendMessageEvent("content_block_start",
                     absl::StrCat("\"index\":", index_, ",\"content_block\":", block),
                     &event_text_);
}

void MessageBlocks::EmitDelta(std::string_view type, std::string_view key, std::string_view text) {
  if (send_ == BlockEvents::kNone) return;
  AppendMessageEvent("content_block_delta",
                     absl::StrCat("\"index\":", index_, ",\"delta\":{\"type\":\"", ToAbsl(type),
                                  "\",\"", ToAbsl(key), "\":", QuoteJson(text), "}"),
                     &event_text_);
}

void MessageBlocks::CloseBlock() {
  if (kind_ == Kind::kNone) return;
  // Nothing is signed here; the member must be there for clients that send the block back.
  if (kind_ == Kind::kThinking) EmitDelta("signature_delta", "signature", message_id_);
  if (send_ == BlockEvents::kSend) {
    AppendMessageEvent("content_block_stop", absl::StrCat("\"index\":", index_), &event_text_);
  }
  if (!blocks_json_.empty()) blocks_json_ += ',';
  blocks_json_ += BlockJson();
  kind_ = Kind::kNone;
  ++index_;
}

void MessageBlocks::AddThinking(std::string_view text) {
  if (text.empty()) return;
  if (kind_ != Kind::kThinking) Open(Kind::kThinking);
  text_ += text;
  EmitDelta("thinking_delta", "thinking", text);
}

void MessageBlocks::AddText(std::string_view text) {
  if (text.empty()) return;
  if (kind_ != Kind::kText) Open(Kind::kText);
  text_ += text;
  EmitDelta("text_delta", "text", text);
}

void MessageBlocks::AddCall(const MessageDelta::Call& call) {
  if (!call.name.empty()) {
    CloseBlock();
    call_name_ = call.name;
    call_id_ = call.id.empty() ? absl::StrCat("toolu_", message_id_, "_", index_) : call.id;
    has_calls_ = true;
    Open(Kind::kCall);
  }
  if (call.arguments.empty() || kind_ != Kind::kCall) return;
  text_ += call.arguments;
  EmitDelta("input_json_delta", "partial_json", call.arguments);
}

void MessageBlocks::Add(const MessageDelta& delta) {
  AddThinking(delta.reasoning);
  AddText(delta.content);
  for (const MessageDelta::Call& call : delta.calls) AddCall(call);
}

void MessageBlocks::Close() {
  if (kind_ == Kind::kNone && index_ == 0) Open(Kind::kText);
  CloseBlock();
}

std::string MessageBlocks::TakeEvents() { return std::exchange(event_text_, {}); }

}  // namespace baton::frontend
