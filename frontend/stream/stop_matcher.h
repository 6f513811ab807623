// Finds stop strings in text that arrives in pieces, and lets through what can be shown meanwhile.
//
// Only the longest end of the text that could still become a stop string is held back. The stop
// string that is complete first wins; of several complete at the same byte, the first listed.
//
//   StopMatcher matcher(stops, StopText::kDrop);
//   StopMatcher::Output out = matcher.Push(piece, /*armed=*/true);
//   Show(out.text);
//   if (out.matched != nullptr) …          // the end; nothing more may be pushed
//   Show(matcher.Flush());                 // the end for another reason
//
// Threading: owned by one generation.
// Ownership: refers to the stop strings, which outlive it. A returned text is valid until the next
//            call.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace baton::frontend {

enum class StopText { kDrop, kInclude };

class StopMatcher {
 public:
  // REQUIRES: no string is empty.
  StopMatcher(absl::Span<const std::string> stops, StopText stop_text);

  struct Output {
    std::string_view text;
    const std::string* matched = nullptr;  // the stop string that ended the text
  };

  // No stop strings: every piece would be shown as it comes.
  bool empty() const { return automata_.empty(); }

  // Takes the next piece. While not `armed` (a minimum length is not reached) a stop string that is
  // complete is text like any other.
  Output Push(std::string_view piece, bool armed);

  // What is held back, when no more text will come.
  std::string_view Flush();

 private:
  // One stop string's automaton: how many of its bytes the end of the text matches.
  struct Automaton {
    const std::string* stop;
    std::vector<size_t> fallback;  // by matched length: the next shorter prefix that also matches
    size_t matched = 0;
  };

  static size_t Advance(const Automaton& automaton, char byte);
  Output Shown(size_t shown_bytes);

  std::vector<Automaton> automata_;
  std::string text_;        // shown last time, then held back, then new
  size_t shown_bytes_ = 0;  // of text_
  const StopText stop_text_;
};

}  // namespace baton::frontend
