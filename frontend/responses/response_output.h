// The output of a response: items that open, grow and close as the reply's pieces come, and the
// events that tell of it.
//
//   ResponseOutput output("resp_1", &events);   // null: no events, the items alone
//   output.Add(parser.Take());
//   output.Close(ItemStatus::kCompleted);
//   output.ItemsJson();                         // [{"type":"message",…}]
//
// An item's id and place are the same in every event and in the end. Pieces of one kind make one
// item until a piece of another kind comes. A call whose arguments are not whole is incomplete.
//
// Threading: owned by one answer's strand.
#pragma once

#include <string>
#include <string_view>

#include "frontend/responses/response_object.h"
#include "frontend/tools/reply_parser.h"

namespace baton::frontend {

enum class ItemStatus { kCompleted, kIncomplete };

class ResponseOutput {
 public:
  // `events` outlives this.
  ResponseOutput(std::string_view response_id, ResponseEvents* events);

  void Add(const MessageDelta& delta);

  // Entries of the chat shape, separated by commas, that the next text brings with it.
  void AddLogprobs(std::string_view entries_json);

  // Ends the open item, if there is one, and an answer without any with an empty message.
  void Close(ItemStatus status);

  // The events since the last call.
  std::string TakeEvents();
  // The items that are closed: a JSON array.
  std::string ItemsJson() const { return "[" + items_json_ + "]"; }

 private:
  enum class Kind { kNone, kReasoning, kMessage, kCall };

  void AddReasoning(std::string_view text);
  void AddContent(std::string_view text);
  void AddCall(const MessageDelta::Call& call);
  void Open(Kind kind);
  void CloseItem(ItemStatus status = ItemStatus::kCompleted);
  void Emit(std::string_view type, std::string_view members);
  // "item_id":…,"output_index":… of the open item, with what follows.
  std::string Place(std::string_view more = {}) const;
  std::string TextPlace(std::string_view more) const;
  std::string ItemJson(std::string_view status) const;
  std::string PartJson() const;

  const std::string stem_;  // of ids
  ResponseEvents* const events_;
  std::string event_text_;
  std::string items_json_;

  Kind kind_ = Kind::kNone;  // of the open item
  int index_ = 0;            // of the open item, or of the next
  std::string id_;
  std::string text_;                   // or arguments
  std::string logprobs_json_;          // of the open message
  std::string pending_logprobs_json_;  // not sent with a delta yet
  std::string call_id_;
  std::string call_name_;
};

}  // namespace baton::frontend
