#include "common/text/tokenizer/charsmap.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/text/unicode/grapheme.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

constexpr size_t kClusterBytesEnd = 6;

// The fields of a unit of the double array.
bool HasLeaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t Value(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t Label(uint32_t unit) { return unit & 0x800000FF; }
uint32_t Offset(uint32_t unit) { return unit >> 10 << ((unit & 1u << 9) >> 6); }

}  // namespace

absl::StatusOr<Charsmap> Charsmap::Parse(std::string_view bytes) {
  uint32_t size = 0;
  if (bytes.size() >= sizeof(size)) std::memcpy(&size, bytes.data(), sizeof(size));
  if (bytes.size() < sizeof(size) || size > bytes.size() - sizeof(size) || size % 4 != 0 ||
      size == 0) {
    return InvalidArgument(
        absl::StrCat("precompiled_charsmap: a trie of ", size, " bytes in ", bytes.size()));
  }
  Charsmap result;
  result.units_.resize(size / 4);
  std::memcpy(result.units_.data(), bytes.data() + sizeof(size), size);
  result.replacements_ = bytes.substr(sizeof(size) + size);
  if (!IsValidUtf8(result.replacements_)) {
    return InvalidArgument("precompiled_charsmap: its strings are not UTF-8");
  }
  return result;
}

template <typename Visit>
void Charsmap::ForEachPrefix(std::string_view text, Visit&& visit) const {
  if (units_.empty()) return;
  uint32_t at = Offset(units_[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    at ^= byte;
    // A damaged trie may lead anywhere.
    if (byte == 0 || at >= units_.size() || Label(units_[at]) != byte) return;
    const bool leaf = HasLeaf(units_[at]);
    at ^= Offset(units_[at]);
    if (!leaf) continue;
    if (at >= units_.size() || Value(units_[at]) > replacements_.size()) return;
    const std::string_view rest = std::string_view(replacements_).substr(Value(units_[at]));
    if (!visit(i + 1, rest.substr(0, rest.find('\0')))) return;
  }
}

std::optional<std::string_view> Charsmap::Find(std::string_view text) const {
  std::optional<std::string_view> found;
  ForEachPrefix(text, [&](size_t, std::string_view replacement) {
    found = replacement;
    return false;
  });
  return found;
}

Charsmap::Rewrite Charsmap::RewriteFront(std::string_view text) const {
  Rewrite result = {0, {}};
  ForEachPrefix(text, [&](size_t length, std::string_view replacement) {
    result = {length, replacement};
    return true;
  });
  if (result.length > 0) return result;
  const Utf8Char first = DecodeChar(text);
  return {first.length, first.valid ? text.substr(0, first.length) : kReplacementUtf8};
}

size_t CharsmapNormalizer::AppendCluster(std::string_view text, std::string& out) const {
  const size_t length = GraphemeLength(text);
  const std::string_view cluster = text.substr(0, length);
  if (length < kClusterBytesEnd) {
    if (const auto replacement = charsmap_.Find(cluster)) {
      out.append(*replacement);
      return length;
    }
  }
  for (size_t at = 0; at < length;) {
    const std::string_view part = cluster.substr(at, DecodeChar(cluster.substr(at)).length);
    out.append(charsmap_.Find(part).value_or(part));
    at += part.size();
  }
  return length;
}

absl::StatusOr<std::string_view> CharsmapNormalizer::Normalize(std::string_view text,
                                                               std::string& storage) const {
  storage.clear();
  storage.reserve(text.size());
  for (size_t at = 0; at < text.size();) at += AppendCluster(text.substr(at), storage);
  return std::string_view(storage);
}

}  // namespace baton
