#include "common/text/tokenizer/charsmap.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/text/unicode/front_tracer.h"
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

int CountChars(std::string_view text) {
  int count = 0;
  for (size_t at = 0; at < text.size(); ++count) at += DecodeChar(text.substr(at)).length;
  return count;
}

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
  for (unsigned char c = 0; c < result.kept_.size(); ++c) result.kept_[c] = result.IsKept(c);
  return result;
}

bool Charsmap::IsKept(unsigned char ascii) const {
  const uint32_t node = Offset(units_[0]) ^ ascii;
  if (node >= units_.size() || Label(units_[node]) != ascii) return true;
  if (HasLeaf(units_[node])) return false;
  const uint32_t children = node ^ Offset(units_[node]);
  for (uint32_t next = 1; next < kept_.size(); ++next) {
    const uint32_t child = children ^ next;
    if (child < units_.size() && Label(units_[child]) == next) return false;
  }
  return true;
}

size_t Charsmap::KeptFront(std::string_view text) const {
  if (units_.empty()) return ValidUtf8Prefix(text);
  const auto ascii = [&](size_t at) { return static_cast<unsigned char>(text[at]) < kept_.size(); };
  size_t end = 0;
  while (end < text.size() && ascii(end) && kept_[static_cast<unsigned char>(text[end])]) ++end;
  // The last one may begin an entry, such as a letter and its accent.
  return end == 0 || end == text.size() || ascii(end) ? end : end - 1;
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

template <typename Visit>
size_t CharsmapNormalizer::RewriteCluster(std::string_view text, Visit&& visit) const {
  const size_t length = GraphemeLength(text);
  const std::string_view cluster = text.substr(0, length);
  if (length < kClusterBytesEnd) {
    if (const auto replacement = charsmap_.Find(cluster)) {
      visit(cluster, replacement);
      return length;
    }
  }
  for (size_t at = 0; at < length;) {
    const std::string_view part = cluster.substr(at, DecodeChar(cluster.substr(at)).length);
    visit(part, charsmap_.Find(part));
    at += part.size();
  }
  return length;
}

absl::StatusOr<std::string_view> CharsmapNormalizer::Normalize(std::string_view text,
                                                               std::string& storage) const {
  storage.clear();
  storage.reserve(text.size());
  const auto append = [&](std::string_view part, std::optional<std::string_view> replacement) {
    storage.append(replacement.value_or(part));
  };
  for (size_t at = 0; at < text.size();) at += RewriteCluster(text.substr(at), append);
  return std::string_view(storage);
}

// The reference books what a replacement has less of characters on the last character before it
// ends, whatever that comes from.
size_t CharsmapNormalizer::FrontAfter(std::string_view text, size_t front) const {
  struct Step {
    size_t bytes;
    int change;
  };
  std::vector<Step> steps;
  bool rewritten = false;
  const auto add = [&](std::string_view part, std::optional<std::string_view> replacement) {
    rewritten = rewritten || replacement.has_value();
    const std::string_view result = replacement.value_or(part);
    for (size_t at = 0; at < result.size(); at += steps.back().bytes) {
      steps.push_back({DecodeChar(result.substr(at)).length, 0});
    }
    int more = CountChars(result) - CountChars(part);
    for (size_t i = steps.size(); i > 0 && more > 0; --i, --more) steps[i - 1].change = 1;
    if (more < 0 && !steps.empty()) steps.back().change += more;
  };
  for (size_t at = 0; at < text.size();) at += RewriteCluster(text.substr(at), add);
  if (!rewritten) return front;
  FrontTracer tracer(text, front);
  for (const Step& step : steps) {
    if (!tracer.Push(step.bytes, step.change)) break;
  }
  return tracer.front();
}

}  // namespace baton
