#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "frontend/http/body_share.h"
#include "frontend/http/chunked_body.h"
#include "frontend/http/exchange.h"
#include "frontend/http/http_options.h"
#include "frontend/http/net_inbox.h"
#include "frontend/http/request_head.h"

namespace baton::frontend {

// A request that has arrived whole, for a handler thread.
struct ReceivedRequest {
  std::string head;
  std::string body;
  BodyShare share;  // held until a handler has taken the body
  std::string remote_address;
  std::shared_ptr<Exchange> exchange;
};

// What the connections of one net loop share. Outlives them.
struct ConnectionContext {
  const HttpServerOptions& options;
  Clock& clock;
  std::shared_ptr<NetInbox> inbox;
  std::atomic<uint64_t>& body_bytes_in_flight;  // of all loops
  std::function<bool(ReceivedRequest)> submit;  // false: the queue is full
  std::function<HttpResponse(int, std::string_view)> format_error;

  void Count(HttpEvent event) const {
    if (options.hooks.count) options.hooks.count(event);
  }
};

// One client: reads a request, hands it over, sends its answer, then reads the next. At most one
// request is in flight, and nothing is read meanwhile, so a pipelining client is answered in order
// and buffers no more here than one head and one body.
//
// The socket is watched edge-triggered, once and for all: the connection remembers whether there
// may be something to read and whether the socket takes more. A client that closes its sending
// side counts as gone even if it still reads.
//
// Threading: owned by its net thread.
// Ownership: closes the socket.
// Errors:    a client that breaks a rule gets an answer and a close; one that is gone, too slow or
//            silent is closed. Either way closed() turns true and the loop drops the object.
class Connection {
 public:
  Connection(const ConnectionContext& context, ConnectionId id, AcceptedSocket accepted);
  ~Connection();

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Answers 503 at once, whatever the client wants. In place of the first OnEvents.
  void Refuse();

  void OnEvents(uint32_t epoll_events);
  // The answer has output, or the last turn ended with work left.
  void OnReady();
  void OnSweep(MonotonicTime now);
  void OnDrain();
  // Closes now; a request in flight is counted under `reason` and learns that its client is gone.
  void Cut(HttpEvent reason);

  bool closed() const { return state_ == State::kClosed; }
  // The turn ended because it was long enough, not because there was nothing to do.
  bool has_more_work() const { return has_more_work_; }
  int fd() const { return fd_; }

 private:
  enum class State { kHead, kBody, kAnswering, kLingering, kClosed };
  enum class Step { kAgain, kNeedInput, kWait };

  void Advance();
  Step StepHead();
  Step StepBody();
  Step StepAnswering();
  Step StepLingering();
  Step TakeHead(size_t head_size);
  void ReadMore();

  void Dispatch();
  void Reject(int status, std::string_view message);
  void MakeExchange(bool keep_alive);
  Step Answered();
  bool SendSome();
  void RecordAccess(bool client_gone);
  void Close();

  // Constant after construction.
  const ConnectionContext& context_;
  const ConnectionId id_;
  const int fd_;
  const std::string remote_address_;

  // The socket.
  State state_ = State::kHead;
  bool may_read_ = true;
  bool may_write_ = true;
  bool peer_closed_ = false;
  bool has_more_work_ = false;
  int reads_left_ = 0;
  MonotonicTime deadline_;

  // The request that is being read.
  std::string input_;
  size_t scanned_ = 0;
  HeadFraming framing_;
  std::string head_;
  std::string body_;
  std::optional<ChunkedBody> chunks_;
  MonotonicTime body_started_;
  BodyShare share_;

  // The answer that is being sent.
  std::shared_ptr<Exchange> exchange_;
  Exchange::Progress progress_ = Exchange::Progress::kOpen;
  bool linger_ = false;
  std::string output_;
  size_t output_sent_ = 0;
  uint64_t response_bytes_ = 0;
  uint64_t request_bytes_ = 0;
  MonotonicTime received_at_;
};

}  // namespace baton::frontend
