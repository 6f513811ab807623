#include "common/text/tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "common/text/unicode/char_properties.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

bool StartsWithWord(std::string_view text) {
  return !text.empty() && IsWordChar(DecodeChar(text).code);
}

bool EndsWithWord(std::string_view text) {
  return !text.empty() && IsWordChar(DecodeLastChar(text).code);
}

// The beginning of the blanks that end `text`, but not before `floor`.
size_t TrailingBlanks(std::string_view text, size_t floor) {
  size_t begin = text.size();
  while (begin > floor) {
    const Utf8Char last = DecodeLastChar(text.substr(0, begin));
    if (!PropertiesOf(last.code).white_space()) break;
    begin -= last.length;
  }
  return std::max(begin, floor);
}

// The end of the blanks that start at `at`.
size_t LeadingBlanks(std::string_view text, size_t at) {
  while (at < text.size()) {
    const Utf8Char next = DecodeChar(text.substr(at));
    if (!PropertiesOf(next.code).white_space()) break;
    at += next.length;
  }
  return at;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  nodes_.emplace_back();
  for (uint32_t i = 0; i < tokens_.size(); ++i) {
    const bool empty = tokens_[i].content.empty();
    if (empty && !tokens_[i].renamed) continue;
    Insert(i);
    finds_empty_ = finds_empty_ || empty;
    if (empty) continue;
    starts_[static_cast<unsigned char>(tokens_[i].content[0])] = true;
  }
  if (std::count(starts_.begin(), starts_.end(), true) == 1) {
    single_start_ =
        static_cast<char>(std::find(starts_.begin(), starts_.end(), true) - starts_.begin());
  }
}

void AddedTokenMatcher::Insert(uint32_t token) {
  uint32_t node = 0;
  for (const char c : tokens_[token].content) {
    const auto byte = static_cast<unsigned char>(c);
    uint32_t child = Child(node, byte);
    if (child == 0) {
      child = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back({.next_sibling = nodes_[node].first_child, .byte = byte});
      nodes_[node].first_child = child;
    }
    node = child;
  }
  nodes_[node].token = token;
}

uint32_t AddedTokenMatcher::Child(uint32_t node, unsigned char byte) const {
  uint32_t child = nodes_[node].first_child;
  while (child != 0 && nodes_[child].byte != byte) child = nodes_[child].next_sibling;
  return child;
}

size_t AddedTokenMatcher::FindCandidate(std::string_view text, size_t from) const {
  if (single_start_) return std::min(text.find(*single_start_, from), text.size());
  while (from < text.size() && !starts_[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::FindNext(std::string_view text,
                                                                    size_t from) const {
  for (size_t begin = FindCandidate(text, from); begin < text.size();
       begin = FindCandidate(text, begin + 1)) {
    const std::optional<Match> longest = FindLongest(text, begin);
    if (longest) return longest;
  }
  return std::nullopt;
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::FindLongest(std::string_view text,
                                                                       size_t begin) const {
  std::optional<Match> longest;
  uint32_t node = 0;
  for (size_t at = begin; at < text.size(); ++at) {
    node = Child(node, static_cast<unsigned char>(text[at]));
    if (node == 0) break;
    if (nodes_[node].token != kNoToken) longest = {begin, at + 1, &tokens_[nodes_[node].token]};
  }
  return longest;
}

// The first match, or the next one from `from` on, where the last one ended, when every place has
// one: of those that are empty, none where the last one ended.
std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::FindMaybeEmpty(std::string_view text,
                                                                          bool first,
                                                                          size_t from) const {
  std::optional<Match> match = FindLongest(text, from);
  if (match) return match;
  if (!first) {
    if (from >= text.size()) return std::nullopt;
    from += DecodeChar(text.substr(from)).length;
    match = FindLongest(text, from);
  }
  if (!match) match = {from, from, &tokens_[nodes_[0].token]};
  return match;
}

bool AddedTokenMatcher::Accept(std::string_view text, const Match& match,
                               bool parse_special) const {
  if (match.token->special && !parse_special) return false;
  if (!match.token->single_word) return true;
  return !EndsWithWord(text.substr(0, match.begin)) && !StartsWithWord(text.substr(match.end));
}

bool AddedTokenMatcher::IsInside(const Match& match, std::span<const size_t> plain_at) {
  const auto next = std::upper_bound(plain_at.begin(), plain_at.end(), match.begin);
  return next != plain_at.end() && *next < match.end;
}

void AddedTokenMatcher::Split(std::string_view text, bool parse_special,
                              std::vector<Segment>& segments,
                              std::span<const size_t> plain_at) const {
  segments.clear();
  const auto add = [&segments](size_t begin, size_t end, TokenId id) {
    if (begin >= end) return;
    segments.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), id});
  };
  size_t done = 0;  // end of the last segment
  const auto find = [&](bool first, size_t from) {
    if (finds_empty_) return FindMaybeEmpty(text, first, from);
    return tokens_.empty() ? std::nullopt : FindNext(text, from);
  };
  // A refused match is passed over whole: no shorter token is tried in its place.
  for (std::optional<Match> match = find(true, 0); match; match = find(false, match->end)) {
    if (!Accept(text, *match, parse_special && !IsInside(*match, plain_at))) continue;
    size_t begin = match->begin;
    size_t end = match->end;
    if (match->token->lstrip) {
      begin = std::max(done, TrailingBlanks(text.substr(0, begin), std::min(done, begin)));
    }
    if (match->token->rstrip) end = LeadingBlanks(text, end);
    if (done < begin) add(done, begin, kNoToken);
    add(begin, end, match->token->id);
    done = end;
  }
  if (done < text.size()) add(done, text.size(), kNoToken);
}

}  // namespace baton
