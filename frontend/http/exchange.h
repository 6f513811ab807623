#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "frontend/http/http_types.h"
#include "frontend/http/net_inbox.h"
#include "frontend/http/response_head.h"

namespace baton::frontend {

// One answer on its way from whoever makes it to the connection that sends it. The maker's side
// appends bytes and marks the connection as ready; the net thread takes all there is and sends it.
//
// Threading: thread-safe. The maker's calls come one after another, the net side's all come from
//            the connection's net thread.
// Ownership: shared by the connection and the sink; neither needs the other to be alive.
// Errors:    a stream that gets more than `stream_buffer_bytes_max` ahead of its client is marked
//            as overflowed: Write returns false and the net thread cuts the connection.
class Exchange {
 public:
  struct Traits {
    bool keep_alive = true;
    bool http_1_0 = false;
    bool is_head_method = false;
    size_t stream_buffer_bytes_max = 0;
  };

  // How the request reads in the access log, as far as it is known.
  struct Description {
    std::string method;
    std::string_view route;
    std::string request_id;
  };

  Exchange(const Traits& traits, std::shared_ptr<NetInbox> inbox, ConnectionId connection);

  // --- The maker's side.

  // Headers that every answer to this request carries. Before the answer begins.
  void Describe(Description description, HttpHeaders common_headers);
  void Respond(HttpResponse response);
  void BeginStream(int status, HttpHeaders headers);
  bool Write(std::string_view bytes);
  void Finish();
  void OnGone(std::function<void()> callback);
  // Nobody will answer any more: `error` if nothing was said yet, else the stream is cut.
  void Abandon(HttpResponse error);
  bool gone() const { return gone_.load(std::memory_order_relaxed); }

  // --- The net thread's side.

  enum class Progress { kOpen, kComplete, kOverflowed, kAbandoned };

  // Moves the bytes to send to the empty `*bytes` and says what follows them.
  Progress TakeOutput(std::string* bytes);
  void NoticeSent(size_t byte_count) { unsent_bytes_ -= byte_count; }
  // The client has left. Runs the callback of OnGone, once, unless the answer is complete.
  void NoticeGone();
  // Valid once the answer is complete: the connection takes another request.
  bool keep_alive() const;
  bool overflowed() const { return overflowed_.load(std::memory_order_relaxed); }
  int status() const;
  Description TakeDescription();

 private:
  enum class Phase { kWaiting, kStreaming, kComplete };

  void AppendHeadLocked(int status, const HttpHeaders& headers, ResponseFraming framing)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True if the caller must post the connection as ready, once it has let go of the lock.
  [[nodiscard]] bool MarkReadyLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AppendLocked(std::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Traits traits_;
  const std::shared_ptr<NetInbox> inbox_;
  const ConnectionId connection_;

  std::atomic<size_t> unsent_bytes_{0};
  std::atomic<bool> gone_{false};
  std::atomic<bool> overflowed_{false};

  mutable Mutex mutex_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kWaiting;
  bool sends_body_ ABSL_GUARDED_BY(mutex_) = true;
  bool chunked_ ABSL_GUARDED_BY(mutex_) = false;
  bool keep_alive_ ABSL_GUARDED_BY(mutex_);
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  int status_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string output_ ABSL_GUARDED_BY(mutex_);
  HttpHeaders common_headers_ ABSL_GUARDED_BY(mutex_);
  Description description_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_gone_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton::frontend
