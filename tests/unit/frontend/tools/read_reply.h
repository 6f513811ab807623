// Reads a reply with ReplyParser, in pieces, as a client would put the deltas together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/tools/reply_parser.h"

namespace baton::frontend {

struct ReadReply {
  struct Call {
    std::string name;
    std::string id;
    std::string arguments;
    bool operator==(const Call&) const = default;
  };
  std::string reasoning;
  std::string content;
  std::vector<Call> calls;
  bool whole = false;    // there are calls, and all are complete
  bool in_order = true;  // names come once, before their arguments; indexes never fall
  bool operator==(const ReadReply&) const = default;

  void Add(const MessageDelta& delta) {
    reasoning += delta.reasoning;
    content += delta.content;
    for (const MessageDelta::Call& call : delta.calls) {
      if (!call.name.empty()) {
        in_order &= call.index == calls.size();
        calls.push_back({.name = call.name, .id = call.id, .arguments = call.arguments});
      } else {
        in_order &= call.index + 1 == calls.size() && call.id.empty();
        if (in_order) calls.back().arguments += call.arguments;
      }
    }
  }
};

inline bool BeginsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

// `ends` are where pieces end; they are moved to the ends of characters.
inline ReadReply ReadIn(const ReplyPlan& plan, std::string_view text,
                        const std::vector<size_t>& ends, ReplyEnd end = ReplyEnd::kStopped) {
  ReplyParser parser(plan);
  ReadReply reply;
  size_t begin = 0;
  const auto push = [&](size_t to) {
    while (to < text.size() && !BeginsCharacter(text[to])) ++to;
    if (to <= begin) return;
    parser.Push(text.substr(begin, to - begin));
    reply.Add(parser.Take());
    begin = to;
  };
  for (const size_t to : ends) push(to);
  push(text.size());
  parser.Finish(end);
  reply.Add(parser.Take());
  reply.whole = parser.all_calls_whole();
  return reply;
}

inline std::vector<size_t> EveryByte(std::string_view text) {
  std::vector<size_t> ends;
  for (size_t i = 1; i < text.size(); ++i) ends.push_back(i);
  return ends;
}

}  // namespace baton::frontend
