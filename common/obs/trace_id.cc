#include "common/obs/trace_id.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

constexpr size_t kTraceParentLength = 55;

// Uniform bits, never zero: an all-zero id is invalid in a traceparent.
uint64_t RandomBits() {
  static thread_local std::mt19937_64 generator{std::random_device{}()};
  uint64_t bits = 0;
  while (bits == 0) bits = generator();
  return bits;
}

std::string Hex(uint64_t value) { return absl::StrCat(absl::Hex(value, absl::kZeroPad16)); }

// Lower-case hex only, as the standard demands.
template <typename Integer>
std::optional<Integer> FromHex(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; })) {
    return std::nullopt;
  }
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool IsRequestIdCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._:/+=-").find(c) != std::string_view::npos;
}

}  // namespace

TraceParent TraceParent::Random() {
  TraceParent parent;
  parent.trace_ = {RandomBits(), RandomBits()};
  parent.span_ = RandomBits();
  return parent;
}

std::optional<TraceParent> TraceParent::Parse(std::string_view text) {
  if (text.size() < kTraceParentLength || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  const std::optional<uint8_t> version = FromHex<uint8_t>(text.substr(0, 2));
  if (!version || *version == 0xff) return std::nullopt;
  if (text.size() > kTraceParentLength && (*version == 0 || text[kTraceParentLength] != '-')) {
    return std::nullopt;
  }
  const std::optional<uint64_t> high = FromHex<uint64_t>(text.substr(3, 16));
  const std::optional<uint64_t> low = FromHex<uint64_t>(text.substr(19, 16));
  const std::optional<uint64_t> span = FromHex<uint64_t>(text.substr(36, 16));
  const std::optional<uint8_t> flags = FromHex<uint8_t>(text.substr(53, 2));
  if (!high || !low || !span || !flags || (*high == 0 && *low == 0) || *span == 0) {
    return std::nullopt;
  }
  TraceParent parent;
  parent.trace_ = {*high, *low};
  parent.span_ = *span;
  parent.flags_ = *flags;
  return parent;
}

TraceParent TraceParent::Child() const {
  TraceParent child = *this;
  child.span_ = RandomBits();
  return child;
}

std::string TraceParent::trace_id() const { return Hex(trace_[0]) + Hex(trace_[1]); }
std::string TraceParent::span_id() const { return Hex(span_); }

std::string TraceParent::ToString() const {
  return absl::StrCat("00-", trace_id(), "-", span_id(), "-", absl::Hex(flags_, absl::kZeroPad2));
}

std::string NewRequestId() { return Hex(RandomBits()) + Hex(RandomBits()); }

bool IsValidRequestId(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), IsRequestIdCharacter);
}

}  // namespace baton
