#include "frontend/stream/stop_matcher.h"

#include <algorithm>

#include "common/base/check.h"

namespace baton::frontend {
namespace {

// The failure function of Knuth, Morris and Pratt: for each matched length, the longest proper
// prefix of `stop` that is also a suffix of what has matched.
std::vector<size_t> Fallbacks(std::string_view stop) {
  std::vector<size_t> fallback(stop.size() + 1, 0);
  size_t length = 0;
  for (size_t i = 1; i < stop.size(); ++i) {
    while (length > 0 && stop[i] != stop[length]) length = fallback[length];
    if (stop[i] == stop[length]) ++length;
    fallback[i + 1] = length;
  }
  return fallback;
}

}  // namespace

StopMatcher::StopMatcher(absl::Span<const std::string> stops, StopText stop_text)
    : stop_text_(stop_text) {
  automata_.reserve(stops.size());
  for (const std::string& stop : stops) {
    BATON_CHECK(!stop.empty()) << "stop matcher: an empty stop string";
    automata_.push_back({.stop = &stop, .fallback = Fallbacks(stop)});
  }
}

size_t StopMatcher::Advance(const Automaton& automaton, char byte) {
  size_t matched = automaton.matched;
  if (matched == automaton.stop->size()) matched = automaton.fallback[matched];
  while (matched > 0 && (*automaton.stop)[matched] != byte) matched = automaton.fallback[matched];
  return (*automaton.stop)[matched] == byte ? matched + 1 : 0;
}

StopMatcher::Output StopMatcher::Push(std::string_view piece, bool armed) {
  if (automata_.empty()) return {.text = piece};
  text_.erase(0, shown_bytes_);
  shown_bytes_ = 0;
  for (const char byte : piece) {
    text_ += byte;
    const std::string* complete = nullptr;
    for (Automaton& automaton : automata_) {
      automaton.matched = Advance(automaton, byte);
      const bool is_complete = automaton.matched == automaton.stop->size();
      if (is_complete && complete == nullptr) complete = automaton.stop;
    }
    if (complete != nullptr && armed) {
      if (stop_text_ == StopText::kDrop) text_.resize(text_.size() - complete->size());
      Output last = Shown(text_.size());
      last.matched = complete;
      return last;
    }
  }
  size_t held = 0;
  for (const Automaton& automaton : automata_) {
    const bool is_complete = automaton.matched == automaton.stop->size();
    held = std::max(held, is_complete ? automaton.fallback[automaton.matched] : automaton.matched);
  }
  return Shown(text_.size() - held);
}

StopMatcher::Output StopMatcher::Shown(size_t shown_bytes) {
  shown_bytes_ = shown_bytes;
  return {.text = std::string_view(text_).substr(0, shown_bytes)};
}

std::string_view StopMatcher::Flush() {
  text_.erase(0, shown_bytes_);
  shown_bytes_ = text_.size();
  return text_;
}

}  // namespace baton::frontend
