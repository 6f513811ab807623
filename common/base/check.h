// Invariant checks: a failed check is our bug, never the answer to bad input.
//
//   BATON_CHECK(count > 0) << "block pool: count=" << count;
//   BATON_DCHECK(lease.valid());          // compiled in debug and sanitizer builds only
//
// Threading: any thread. Errors: a failure prints file, line, expression and message, then aborts.
#pragma once

#include <sstream>

namespace baton::internal {

// Collects the message of a failed check and aborts the process when it is destroyed.
class CheckFailure {
 public:
  CheckFailure(const char* file, int line, const char* expression);
  CheckFailure(const CheckFailure&) = delete;
  CheckFailure& operator=(const CheckFailure&) = delete;
  [[noreturn]] ~CheckFailure();

  std::ostream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
};

// Turns the streamed expression into void, so that both branches of the macro have one type.
struct CheckVoidify {
  void operator&(std::ostream&) const {}
};

}  // namespace baton::internal

#define BATON_CHECK(condition)                      \
  (condition) ? static_cast<void>(0)                \
              : ::baton::internal::CheckVoidify() & \
                    ::baton::internal::CheckFailure(__FILE__, __LINE__, #condition).stream()

#ifdef BATON_DEBUG
#define BATON_DCHECK(condition) BATON_CHECK(condition)
#else
#define BATON_DCHECK(condition) BATON_CHECK(true || (condition))
#endif
