#include <algorithm>
#include <array>
#include <utility>

#include "common/text/tokenizer/split_pattern.h"

namespace baton {
namespace {

struct Span {
  Piece piece;
  bool is_match;
};

// Lists matches and gaps in order; `invert` swaps the two.
void Fill(std::string_view text, uint32_t base, const std::vector<Piece>& matches, bool invert,
          std::vector<Span>& spans) {
  spans.clear();
  uint32_t at = base;
  for (const Piece match : matches) {
    if (at < match.begin) spans.push_back({{at, match.begin}, invert});
    spans.push_back({match, !invert});
    at = match.end;
  }
  const uint32_t end = base + static_cast<uint32_t>(text.size());
  if (at < end) spans.push_back({{at, end}, invert});
}

// Each match joins the gap before it.
void MergeWithPrevious(const std::vector<Span>& spans, std::vector<Piece>& out) {
  bool previous_match = false;
  bool first = true;
  for (const Span& span : spans) {
    if (span.is_match && !previous_match && !first) {
      out.back().end = span.piece.end;
    } else {
      out.push_back(span.piece);
    }
    previous_match = span.is_match;
    first = false;
  }
}

// Each match joins the gap after it: the mirror image.
void MergeWithNext(const std::vector<Span>& spans, std::vector<Piece>& out) {
  const size_t start = out.size();
  bool previous_match = false;
  for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
    if (span->is_match && !previous_match && span != spans.rbegin()) {
      out.back().begin = span->piece.begin;
    } else {
      out.push_back(span->piece);
    }
    previous_match = span->is_match;
  }
  std::reverse(out.begin() + static_cast<ptrdiff_t>(start), out.end());
}

// Neighbours of one kind join.
void MergeContiguous(const std::vector<Span>& spans, std::vector<Piece>& out) {
  bool previous_match = false;
  bool first = true;
  for (const Span& span : spans) {
    if (!first && span.is_match == previous_match) {
      out.back().end = span.piece.end;
    } else {
      out.push_back(span.piece);
    }
    previous_match = span.is_match;
    first = false;
  }
}

void Apply(const std::vector<Span>& spans, SplitBehavior behavior, std::vector<Piece>& out) {
  switch (behavior) {
    case SplitBehavior::kMergedWithPrevious:
      return MergeWithPrevious(spans, out);
    case SplitBehavior::kMergedWithNext:
      return MergeWithNext(spans, out);
    case SplitBehavior::kContiguous:
      return MergeContiguous(spans, out);
    case SplitBehavior::kRemoved:
    case SplitBehavior::kIsolated:
      for (const Span& span : spans) {
        if (behavior == SplitBehavior::kIsolated || !span.is_match) out.push_back(span.piece);
      }
  }
}

// Isolated matches without gaps, the case of every large model, need no list of spans.
bool CoversAll(std::string_view text, uint32_t base, const std::vector<Piece>& pieces,
               size_t start) {
  uint32_t at = base;
  for (size_t i = start; i < pieces.size(); ++i) {
    if (pieces[i].begin != at) return false;
    at = pieces[i].end;
  }
  return at == base + text.size();
}

// Empty matches cut, but make no pieces.
void DropEmpty(size_t start, std::vector<Piece>& pieces) {
  const auto first = pieces.begin() + static_cast<ptrdiff_t>(start);
  pieces.erase(
      std::remove_if(first, pieces.end(), [](Piece piece) { return piece.begin == piece.end; }),
      pieces.end());
}

}  // namespace

std::optional<SplitBehavior> ParseSplitBehavior(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kNames = {{
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  }};
  for (const auto& [text, behavior] : kNames) {
    if (text == name) return behavior;
  }
  return std::nullopt;
}

absl::Status CutByPattern(const SplitPattern& pattern, SplitBehavior behavior, bool invert,
                          PieceBuffer& pieces) {
  const bool matches_stay =
      behavior == SplitBehavior::kIsolated || (behavior == SplitBehavior::kRemoved && invert);
  std::vector<Piece> matches;
  std::vector<Span> spans;
  absl::Status status;
  pieces.Recut([&](std::string_view text, uint32_t base, std::vector<Piece>& out) {
    const size_t start = out.size();
    if (matches_stay) {
      status.Update(pattern.AppendMatches(text, base, out));
      if (behavior == SplitBehavior::kRemoved || CoversAll(text, base, out, start)) {
        return DropEmpty(start, out);
      }
      matches.assign(out.begin() + static_cast<ptrdiff_t>(start), out.end());
      out.resize(start);
    } else {
      matches.clear();
      status.Update(pattern.AppendMatches(text, base, matches));
    }
    Fill(text, base, matches, invert, spans);
    Apply(spans, behavior, out);
    DropEmpty(start, out);
  });
  return status;
}

}  // namespace baton
