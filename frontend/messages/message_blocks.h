// The content of an Anthropic message: blocks that open, grow and close as the reply's pieces come,
// and the events that tell of it.
//
//   MessageBlocks blocks("msg_1", BlockEvents::kSend);
//   blocks.Add(parser.Take());
//   blocks.Close();
//   blocks.ContentJson();    // [{"type":"text","text":"Hello"}]
//
// Threading: owned by one answer's strand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "frontend/tools/reply_parser.h"

namespace baton::frontend {

enum class BlockEvents { kSend, kNone };

struct MessageUsage {
  uint32_t input_tokens = 0;  // those found in the cache are not among them
  uint32_t cached_tokens = 0;
  uint32_t output_tokens = 0;
};

// {"input_tokens":…,"cache_read_input_tokens":…,…}
std::string MessageUsageJson(const MessageUsage& usage);

// One event: its line, and the JSON with the type in front of `members`.
void AppendMessageEvent(std::string_view type, std::string_view members, std::string* out);

class MessageBlocks {
 public:
  MessageBlocks(std::string_view message_id, BlockEvents events);

  void Add(const MessageDelta& delta);

  // Ends the open block, and a message without any with an empty text.
  void Close();

  bool has_calls() const { return has_calls_; }
  // The events since the last call.
  std::string TakeEvents();
  std::string ContentJson() const { return "[" + blocks_json_ + "]"; }

 private:
  enum class Kind { kNone, kThinking, kText, kCall };

  void AddThinking(std::string_view text);
  void AddText(std::string_view text);
  void AddCall(const MessageDelta::Call& call);
  void Open(Kind kind);
  void CloseBlock();
  void EmitDelta(std::string_view type, std::string_view key, std::string_view text);
  std::string BlockJson() const;

  const std::string message_id_;
  const BlockEvents send_;
  std::string event_text_;
  std::string blocks_json_;

  Kind kind_ = Kind::kNone;
  int index_ = 0;
  std::string text_;  // or arguments
  std::string call_id_;
  std::string call_name_;
  bool has_calls_ = false;
};

}  // namespace baton::frontend
