#include "frontend/chat/link_text.h"

#include <algorithm>

#include "frontend/chat/python_text.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {
namespace {

constexpr size_t kNone = std::string_view::npos;

// The small ASCII letter that a regular expression takes `c` for when case does not count.
char32_t Folded(char32_t c) {
  constexpr char32_t kDottedCapitalI = 0x130;
  constexpr char32_t kDotlessI = 0x131;
  constexpr char32_t kLongS = 0x17F;
  constexpr char32_t kKelvin = 0x212A;
  if (c >= 'A' && c <= 'Z') return c + ('a' - 'A');
  if (c == kDottedCapitalI || c == kDotlessI) return 'i';
  if (c == kLongS) return 's';
  return c == kKelvin ? U'k' : c;
}

bool IsHostLetter(char32_t c) { return c == '%' || c == '-' || IsWordLetter(c); }

// A word as code points, without regard to case.
using Letters = std::u32string_view;

bool All(Letters text, bool (*predicate)(char32_t)) {
  return std::all_of(text.begin(), text.end(), predicate);
}
bool IsSmallLetter(char32_t c) { return c >= 'a' && c <= 'z'; }
bool IsHexDigit(char32_t c) { return IsDecimal(c) || (c >= 'a' && c <= 'f'); }

// The length of "http://" or "https://" at the beginning, or 0.
size_t SchemeLength(Letters text) {
  if (text.starts_with(U"http://")) return 7;
  return text.starts_with(U"https://") ? 8 : 0;
}

// At the end of a host: nothing, a port, or a path. \S* takes whatever comes then.
bool EndsUrl(Letters rest) {
  if (rest.starts_with(U':')) {
    size_t digits = 1;
    while (digits < rest.size() && digits <= 5 && IsDecimal(rest[digits])) ++digits;
    if (digits > 1) rest.remove_prefix(digits);
  }
  return rest.empty() || rest[0] == '/' || rest[0] == '?' || rest[0] == '#';
}

Letters Host(Letters text) {
  size_t end = 0;
  while (end < text.size() && (text[end] == '.' || IsHostLetter(text[end]))) ++end;
  return text.substr(0, end);
}

// Labels of `min` to `max` letters, each with a dot behind it.
bool AreLabels(Letters labels, size_t min, size_t max) {
  while (!labels.empty()) {
    const size_t dot = labels.find(U'.');
    if (dot == Letters::npos || dot < min || dot > max) return false;
    labels.remove_prefix(dot + 1);
  }
  return true;
}

bool IsTopLevel(Letters label) {
  if (label.size() >= 2 && label.size() <= 63 && All(label, &IsSmallLetter)) return true;
  if (!label.starts_with(U"xn--")) return false;
  const Letters coded = label.substr(4);
  return coded.size() >= 2 && coded.size() <= 59 &&
         All(coded, [](char32_t c) { return c == '%' || IsWordLetter(c); });
}

// A host behind a scheme or "www.".
bool IsNamedUrl(Letters rest) {
  const Letters host = Host(rest);
  const size_t dot = host.rfind(U'.');
  const size_t top = dot == Letters::npos ? 0 : dot + 1;
  return IsTopLevel(host.substr(top)) && AreLabels(host.substr(0, top), 1, kNone) &&
         EndsUrl(rest.substr(host.size()));
}

// A host of a well-known domain without a scheme.
bool IsBareUrl(Letters text) {
  constexpr Letters kDomains[] = {U"com", U"net", U"int", U"edu", U"gov", U"org", U"info", U"mil"};
  const Letters host = Host(text);
  const size_t dot = host.rfind(U'.');
  if (dot == Letters::npos) return false;
  const Letters top = host.substr(dot + 1);
  return std::find(std::begin(kDomains), std::end(kDomains), top) != std::end(kDomains) &&
         AreLabels(host.substr(0, dot + 1), 2, 63) && EndsUrl(text.substr(host.size()));
}

// Four numbers of at most three digits.
bool IsAddress4(Letters rest) {
  const Letters host = Host(rest);
  size_t numbers = 0;
  for (size_t at = 0; at <= host.size(); ++numbers) {
    const size_t end = std::min(host.find(U'.', at), host.size());
    const Letters number = host.substr(at, end - at);
    if (number.empty() || number.size() > 3 || !All(number, &IsDecimal)) return false;
    at = end + 1;
  }
  return numbers == 4 && EndsUrl(rest.substr(host.size()));
}

// Up to eight groups of at most four digits between brackets; two or more end in a colon.
bool IsAddress6(Letters rest) {
  const size_t close = rest.find(U']');
  if (!rest.starts_with(U'[') || close == Letters::npos) return false;
  Letters inside = rest.substr(1, close - 1);
  for (int i = 0; i < 2; ++i) {
    const size_t colon = inside.find(U':');
    if (colon > 4 || !All(inside.substr(0, colon), &IsHexDigit)) return false;
    inside.remove_prefix(colon + 1);
  }
  size_t groups = 0;
  while (!inside.empty()) {
    size_t digits = 0;
    while (digits < inside.size() && digits < 4 && IsHexDigit(inside[digits])) ++digits;
    const bool colon = digits < inside.size() && inside[digits] == ':';
    if ((digits == 0 && !colon) || ++groups > 6) return false;
    inside.remove_prefix(digits + (colon ? 1 : 0));
  }
  return EndsUrl(rest.substr(close + 1));
}

bool IsUrl(std::string_view word) {
  std::u32string folded;
  for (size_t at = 0; at < word.size(); at += SequenceLength(word, at)) {
    folded.push_back(Folded(CodePointAt(word, at)));
  }
  const Letters text = folded;
  if (const size_t scheme = SchemeLength(text); scheme > 0) {
    const Letters rest = text.substr(scheme);
    if (IsNamedUrl(rest) || IsAddress4(rest) || IsAddress6(rest)) return true;
  }
  return (text.starts_with(U"www.") && IsNamedUrl(text.substr(4))) || IsBareUrl(text);
}

bool IsMailAddress(std::string_view word) {
  const size_t at_sign = word.rfind('@');
  if (at_sign == kNone || at_sign == 0) return false;
  const std::string_view host = word.substr(at_sign + 1);
  const size_t dot = host.rfind('.');
  if (dot == kNone || dot == 0 || dot + 1 == host.size()) return false;
  for (size_t at = 0; at < host.size(); at += SequenceLength(host, at)) {
    const char32_t c = CodePointAt(host, at);
    const bool mark = (c == '.' || c == '-') && at > 0 && at <= dot;
    if (!mark && !IsWordLetter(c)) return false;
  }
  return true;
}

// Marks around an address, and the address.
struct Parts {
  std::string_view head;
  std::string_view middle;
  std::string_view tail;
};

size_t MarkAtBegin(std::string_view text) {
  if (text.starts_with('(') || text.starts_with('<')) return 1;
  return text.starts_with("&lt;") ? 4 : 0;
}

size_t MarkAtEnd(std::string_view text) {
  if (!text.empty() && std::string_view(")>.,").find(text.back()) != kNone) return 1;
  return text.ends_with("&gt;") ? 4 : 0;
}

size_t Count(std::string_view text, std::string_view wanted) {
  size_t count = 0;
  for (size_t at = text.find(wanted); at != kNone; at = text.find(wanted, at + wanted.size())) {
    ++count;
  }
  return count;
}

Parts TakeApart(std::string_view word) {
  size_t begin = 0;
  while (const size_t mark = MarkAtBegin(word.substr(begin))) begin += mark;
  size_t end = word.size();
  while (const size_t mark = MarkAtEnd(word.substr(begin, end - begin))) end -= mark;
  // A closing mark whose opening one is inside belongs to the address.
  struct Pair {
    std::string_view open;
    std::string_view close;
  };
  for (const Pair& pair : {Pair{"(", ")"}, Pair{"<", ">"}, Pair{"&lt;", "&gt;"}}) {
    const std::string_view middle = word.substr(begin, end - begin);
    const size_t opened = Count(middle, pair.open);
    if (opened <= Count(middle, pair.close)) continue;
    for (size_t i = std::min(opened, Count(word.substr(end), pair.close)); i > 0; --i) {
      end = word.find(pair.close, end) + pair.close.size();
    }
  }
  return Parts{word.substr(0, begin), word.substr(begin, end - begin), word.substr(end)};
}

std::string Shown(std::string_view url, const LinkOptions& options) {
  if (!options.shown_letters_max.has_value()) return std::string(url);
  const auto length = static_cast<int64_t>(CodePointCount(url));
  int64_t kept = *options.shown_letters_max;
  if (length <= kept) return std::string(url);
  if (kept < 0) kept = std::max<int64_t>(kept + length, 0);
  return std::string(url.substr(0, ByteOffset(url, static_cast<size_t>(kept)))) + "...";
}

std::string Link(std::string_view target, std::string_view attributes, std::string_view shown) {
  std::string link = "<a href=\"";
  link.append(target).append("\"").append(attributes).append(">").append(shown);
  return link.append("</a>");
}

std::string LinkAddress(std::string_view word, const LinkOptions& options) {
  constexpr std::string_view kMailTo = "mailto:";
  if (IsUrl(word)) {
    const bool has_scheme = word.starts_with("https://") || word.starts_with("http://");
    const std::string target = std::string(has_scheme ? "" : "https://") + std::string(word);
    return Link(target, options.attributes, Shown(word, options));
  }
  if (word.starts_with(kMailTo) && IsMailAddress(word.substr(kMailTo.size()))) {
    return Link(word, "", word.substr(kMailTo.size()));
  }
  if (!word.starts_with("www.") && !word.starts_with('@') && word.find(':') == kNone &&
      IsMailAddress(word)) {
    return Link(std::string(kMailTo) + std::string(word), "", word);
  }
  std::string linked(word);
  for (const std::string_view scheme : options.extra_schemes) {
    if (linked != scheme && linked.starts_with(scheme)) {
      linked = Link(linked, options.attributes, linked);
    }
  }
  return linked;
}

}  // namespace

bool IsSchemePrefix(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == kNone) return false;
  const std::string_view slashes = text.substr(colon + 1);
  if (slashes != "" && slashes != "/" && slashes != "//") return false;
  const std::string_view name = text.substr(0, colon);
  for (size_t at = 0; at < name.size(); at += SequenceLength(name, at)) {
    const char32_t c = CodePointAt(name, at);
    if (c != '.' && c != '+' && c != '-' && !IsWordLetter(c)) return false;
  }
  return CodePointCount(name) >= 2;
}

std::string LinkUrls(std::string_view escaped, const LinkOptions& options) {
  std::string out;
  for (size_t at = 0; at < escaped.size();) {
    size_t word = at;
    while (word < escaped.size() && IsSpace(CodePointAt(escaped, word))) {
      word += SequenceLength(escaped, word);
    }
    out.append(escaped.substr(at, word - at));
    size_t end = word;
    while (end < escaped.size() && !IsSpace(CodePointAt(escaped, end))) {
      end += SequenceLength(escaped, end);
    }
    const Parts parts = TakeApart(escaped.substr(word, end - word));
    out.append(parts.head).append(LinkAddress(parts.middle, options)).append(parts.tail);
    at = end;
  }
  return out;
}

}  // namespace baton::frontend::internal
