#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton {

// A position in a W3C trace: what the `traceparent` header and metadata carry from leg to leg.
//
//   TraceParent trace = TraceParent::Parse(header).value_or(TraceParent::Random());
//   request.traceparent = trace.Child().ToString();
//
// Threading: immutable.
class TraceParent {
 public:
  // A new, unsampled trace.
  static TraceParent Random();

  // Empty if `text` is not a valid version-00 (or later, read as 00) traceparent.
  static std::optional<TraceParent> Parse(std::string_view text);

  // The same trace with a new span, to pass to the next leg.
  TraceParent Child() const;

  // "00-<32 hex>-<16 hex>-<2 hex>".
  std::string ToString() const;

  std::string trace_id() const;  // 32 lower-case hex digits
  std::string span_id() const;   // 16 lower-case hex digits
  bool sampled() const { return (flags_ & 1) != 0; }

 private:
  std::array<uint64_t, 2> trace_{};
  uint64_t span_ = 0;
  uint8_t flags_ = 0;
};

// An id for a request whose client sent none: 32 random hex digits.
std::string NewRequestId();

// True for what we accept as a client's `x-request-id`: 1 to 128 of [A-Za-z0-9._:/+=-].
bool IsValidRequestId(std::string_view id);

}  // namespace baton
