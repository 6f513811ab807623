#include "common/text/tokenizer/safe_cuts.h"

#include <algorithm>

#include "common/text/tokenizer/byte_fallback.h"
#include "common/text/tokenizer/word_mark.h"

namespace baton {
namespace {

constexpr size_t kBytes = 256;

size_t MarksEnd(std::string_view text) {
  size_t end = 0;
  while (text.substr(end, kWordMark.size()) == kWordMark) end += kWordMark.size();
  return end;
}

// False when one is missing.
bool AppendByteTokens(const TokenTable& tokens, std::vector<TokenId>& ids) {
  const size_t size = ids.size();
  for (size_t byte = 0; byte < kBytes; ++byte) {
    const TokenId id = tokens.Find(TokenOfByte(static_cast<uint8_t>(byte)));
    if (id != kNoToken) ids.push_back(id);
  }
  return ids.size() - size == kBytes;
}

}  // namespace

SafeCuts::SafeCuts(const TokenTable& tokens, std::span<const MergeTable::Merge> merges,
                   const BpeOptions& options) {
  const bool plain = options.continuing_prefix.empty() && options.end_suffix.empty();
  if (options.unit != BpeOptions::Unit::kChar || !plain) return;
  std::vector<TokenId> stand_ins;
  if (options.unk_id) stand_ins.push_back(*options.unk_id);
  const bool all_spelled = options.byte_fallback && AppendByteTokens(tokens, stand_ins);
  if (!all_spelled && !options.unk_id) return;
  std::sort(stand_ins.begin(), stand_ins.end());
  const auto stands_in = [&](TokenId id) {
    return std::binary_search(stand_ins.begin(), stand_ins.end(), id);
  };
  const auto takes_stand_in = [&](const MergeTable::Merge& merge) {
    return stands_in(merge.left) || stands_in(merge.right);
  };
  if (std::any_of(merges.begin(), merges.end(), takes_stand_in)) return;
  // The mark has to be a token, as what is before it may be unknown.
  words_ = tokens.Find(kWordMark) != kNoToken &&
           std::all_of(merges.begin(), merges.end(), [&](const MergeTable::Merge& merge) {
             const std::string_view text = tokens[merge.product];
             return text.find(kWordMark, MarksEnd(text)) == std::string_view::npos;
           });
  joined_.assign(kBytes * kBytes / 64, 0);
  JoinProducts(tokens, merges);
  JoinInsideCharacters();
  if (!all_spelled) JoinUnknown(tokens);
}

void SafeCuts::JoinProducts(const TokenTable& tokens, std::span<const MergeTable::Merge> merges) {
  for (const MergeTable::Merge& merge : merges) {
    const std::string_view text = tokens[merge.product];
    for (size_t at = 1; at < text.size(); ++at) Join(text[at - 1], text[at]);
  }
}

void SafeCuts::JoinInsideCharacters() {
  for (size_t left = 0; left < kBytes; ++left) {
    for (size_t right = 0x80; right < 0xC0; ++right) {
      Join(static_cast<char>(left), static_cast<char>(right));
    }
  }
}

// Of characters beyond ASCII a byte does not tell whether they are tokens.
void SafeCuts::JoinUnknown(const TokenTable& tokens) {
  std::vector<char> unknown;
  for (size_t byte = 0; byte < kBytes; ++byte) {
    const char c = static_cast<char>(byte);
    if (byte >= 0x80 || tokens.Find({&c, 1}) == kNoToken) unknown.push_back(c);
  }
  for (const char left : unknown) {
    for (const char right : unknown) Join(left, right);
  }
}

size_t SafeCuts::WordEnd(std::string_view text) const {
  if (!words_) return text.size();
  return std::min(text.find(kWordMark, MarksEnd(text)), text.size());
}

}  // namespace baton
