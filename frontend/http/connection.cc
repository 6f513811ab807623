#include "frontend/http/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

namespace baton::frontend {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr int kReadsPerTurn = 16;  // then other connections have their turn
constexpr size_t kBodySpareBytes = 64;
constexpr uint64_t kBodyReserveMax = 1 << 20;  // no memory for a length that is only claimed
constexpr uint64_t kSlowestBodyBytesPerSecond = 64 * 1024;
constexpr MonotonicTime kNever = MonotonicTime::max();

}  // namespace

Connection::Connection(const ConnectionContext& context, ConnectionId id, AcceptedSocket accepted)
    : context_(context),
      id_(id),
      fd_(accepted.fd),
      remote_address_(std::move(accepted.remote_address)),
      deadline_(context.clock.Now() + context.options.timeouts.idle) {
  context_.Count(HttpEvent::kConnectionOpened);
}

Connection::~Connection() { Cut(HttpEvent::kAnswerAbandoned); }

void Connection::Refuse() {
  context_.Count(HttpEvent::kConnectionRefused);
  Reject(503, "too many connections");
  Advance();
}

void Connection::OnEvents(uint32_t events) {
  if ((events & EPOLLIN) != 0) may_read_ = true;
  if ((events & EPOLLOUT) != 0) may_write_ = true;
  if ((events & EPOLLRDHUP) != 0) peer_closed_ = true;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    Cut(HttpEvent::kClientGone);
    return;
  }
  Advance();
}

void Connection::OnReady() { Advance(); }

void Connection::OnSweep(MonotonicTime now) {
  if (now < deadline_) return;
  const bool mid_request = state_ == State::kBody || (state_ == State::kHead && !input_.empty());
  if (!mid_request) {
    Cut(HttpEvent::kClientTooSlow);
    return;
  }
  context_.Count(HttpEvent::kRequestTimedOut);
  Reject(408, "the request did not arrive in time");
  Advance();
}

void Connection::OnDrain() {
  // What a client may have sent on an idle connection this very moment is answered by a close,
  // which clients of kept-alive connections expect and retry.
  const bool idle = state_ == State::kHead && input_.empty();
  if (idle || state_ == State::kLingering) Close();
}

void Connection::Cut(HttpEvent reason) {
  if (state_ == State::kClosed) return;
  if (exchange_ != nullptr) {
    context_.Count(reason);
    RecordAccess(/*client_gone=*/true);
  }
  Close();
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  close(fd_);
  share_ = BodyShare();
  context_.Count(HttpEvent::kConnectionClosed);
  if (const std::shared_ptr<Exchange> exchange = std::exchange(exchange_, nullptr)) {
    exchange->NoticeGone();
  }
}

void Connection::Advance() {
  has_more_work_ = false;
  reads_left_ = kReadsPerTurn;
  while (state_ != State::kClosed) {
    Step step = Step::kWait;
    switch (state_) {
      case State::kHead:
        step = StepHead();
        break;
      case State::kBody:
        step = StepBody();
        break;
      case State::kAnswering:
        step = StepAnswering();
        break;
      case State::kLingering:
        step = StepLingering();
        break;
      case State::kClosed:
        break;
    }
    if (step == Step::kWait) return;
    if (step == Step::kAgain) continue;
    if (!may_read_) return;
    if (reads_left_-- == 0) {
      has_more_work_ = true;
      return;
    }
    ReadMore();
  }
}

void Connection::ReadMore() {
  static thread_local std::string buffer(kReadBytes, '\0');
  const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
  if (got > 0) {
    // A short read has emptied the socket; what comes later raises a new edge.
    if (static_cast<size_t>(got) < buffer.size() && !peer_closed_) may_read_ = false;
    input_.append(buffer, 0, static_cast<size_t>(got));
  } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    may_read_ = false;
  } else if (got == 0 || errno != EINTR) {
    Close();
  }
}

Connection::Step Connection::StepHead() {
  // Empty lines before a request line are allowed for old clients.
  size_t blank = 0;
  while (scanned_ == 0 && input_.compare(blank, 2, "\r\n") == 0) blank += 2;
  if (blank > 0) input_.erase(0, blank);
  if (input_.empty() || input_ == "\r") return Step::kNeedInput;
  if (scanned_ == 0) deadline_ = context_.clock.Now() + context_.options.timeouts.head;
  const std::optional<size_t> size = FindHeadEnd(input_, &scanned_);
  const size_t size_max = context_.options.limits.head.head_bytes_max;
  if (size.value_or(input_.size()) > size_max) {
    Reject(431, "the request head is too large");
    return Step::kAgain;
  }
  return size.has_value() ? TakeHead(*size) : Step::kNeedInput;
}

Connection::Step Connection::TakeHead(size_t head_size) {
  head_ = input_.substr(0, head_size);
  input_.erase(0, head_size);
  scanned_ = 0;
  const auto checked = CheckHead(head_, context_.options.limits.head);
  if (const auto* error = std::get_if<HeadError>(&checked)) {
    Reject(error->status, error->message);
    return Step::kAgain;
  }
  framing_ = std::get<HeadFraming>(checked);
  if (framing_.content_length > context_.options.limits.body_bytes_max) {
    Reject(413, "the request body is too large");
    return Step::kAgain;
  }
  if (framing_.body == BodyKind::kNone) {
    Dispatch();
    return Step::kAgain;
  }
  if (framing_.body == BodyKind::kChunked) chunks_.emplace(context_.options.limits.body_bytes_max);
  body_.reserve(std::min(framing_.content_length, kBodyReserveMax) + kBodySpareBytes);
  body_started_ = context_.clock.Now();
  state_ = State::kBody;
  if (framing_.expects_continue && input_.empty()) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    // Fits an empty send buffer; a client that does not get it sends its body after a pause.
    (void)send(fd_, kContinue.data(), kContinue.size(), MSG_NOSIGNAL);
  }
  return Step::kAgain;
}

Connection::Step Connection::StepBody() {
  const size_t before = body_.size();
  bool complete = false;
  if (framing_.body == BodyKind::kLength) {
    const size_t missing = static_cast<size_t>(framing_.content_length) - body_.size();
    const size_t taken = std::min(missing, input_.size());
    body_.append(input_, 0, taken);
    input_.erase(0, taken);
    complete = taken == missing;
  } else {
    input_.erase(0, chunks_->Consume(input_, &body_));
    complete = chunks_->state() == ChunkedBody::State::kDone;
    if (chunks_->state() == ChunkedBody::State::kMalformed) {
      Reject(400, "malformed chunked body");
      return Step::kAgain;
    }
    if (chunks_->state() == ChunkedBody::State::kTooLarge) {
      Reject(413, "the request body is too large");
      return Step::kAgain;
    }
  }
  const uint64_t added = body_.size() - before;
  if (share_.Grow(context_.body_bytes_in_flight, added) >
      context_.options.limits.body_bytes_in_flight_max) {
    Reject(503, "too many request bodies are being received");
    return Step::kAgain;
  }
  if (complete) {
    Dispatch();
    return Step::kAgain;
  }
  const uint64_t expected = std::max<uint64_t>(framing_.content_length, body_.size());
  deadline_ = body_started_ + context_.options.timeouts.body +
              std::chrono::seconds(expected / kSlowestBodyBytesPerSecond);
  return Step::kNeedInput;
}

void Connection::MakeExchange(bool keep_alive) {
  Exchange::Traits traits;
  traits.keep_alive = keep_alive;
  traits.http_1_0 = framing_.http_1_0;
  traits.is_head_method = framing_.is_head_method;
  traits.stream_buffer_bytes_max = context_.options.limits.stream_buffer_bytes_max;
  exchange_ = std::make_shared<Exchange>(traits, context_.inbox, id_);
  progress_ = Exchange::Progress::kOpen;
  received_at_ = context_.clock.Now();
  request_bytes_ = body_.size();
  response_bytes_ = 0;
  deadline_ = kNever;
  state_ = State::kAnswering;
}

void Connection::Dispatch() {
  if (peer_closed_) {
    Close();
    return;
  }
  MakeExchange(framing_.keep_alive);
  if (body_.capacity() - body_.size() < kBodySpareBytes) {
    body_.reserve(body_.size() + kBodySpareBytes);
  }
  ReceivedRequest request{std::move(head_), std::move(body_), std::exchange(share_, {}),
                          remote_address_, exchange_};
  head_ = std::string();
  body_ = std::string();
  chunks_.reset();
  if (context_.submit(std::move(request))) return;
  context_.Count(HttpEvent::kQueueFull);
  HttpResponse busy = context_.format_error(503, "the server is overloaded");
  busy.headers.emplace_back("retry-after", "1");
  exchange_->Respond(std::move(busy));
}

void Connection::Reject(int status, std::string_view message) {
  if (status != 408) context_.Count(HttpEvent::kRequestRejected);
  share_ = BodyShare();
  MakeExchange(/*keep_alive=*/false);
  body_ = std::string();
  linger_ = true;
  exchange_->Respond(context_.format_error(status, message));
}

Connection::Step Connection::StepAnswering() {
  // What is left of the last turn goes first; then all that is there is taken, once: what is
  // written from then on marks the connection as ready again.
  bool taken = false;
  while (may_write_) {
    if (output_sent_ == output_.size()) {
      if (taken || progress_ == Exchange::Progress::kComplete) break;
      output_.clear();
      output_sent_ = 0;
      progress_ = exchange_->TakeOutput(&output_);
      taken = true;
      if (output_.empty() || progress_ == Exchange::Progress::kOverflowed) break;
    }
    if (!SendSome()) break;
  }
  if (state_ == State::kClosed) return Step::kWait;
  const bool all_sent = output_sent_ == output_.size();
  if (progress_ == Exchange::Progress::kComplete && all_sent) return Answered();
  if (exchange_->overflowed()) {
    Cut(HttpEvent::kClientTooSlow);
  } else if (peer_closed_ && progress_ != Exchange::Progress::kComplete) {
    Cut(HttpEvent::kClientGone);
  } else if (progress_ == Exchange::Progress::kAbandoned && all_sent) {
    Cut(HttpEvent::kAnswerAbandoned);
  }
  return Step::kWait;
}

// One send; false when the socket takes no more for now, or is broken and closed.
bool Connection::SendSome() {
  const ssize_t sent = send(fd_, output_.data() + output_sent_, output_.size() - output_sent_,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno == EINTR) return true;
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    may_write_ = false;
    if (deadline_ == kNever) {
      deadline_ = context_.clock.Now() + context_.options.timeouts.write_stall;
    }
    return false;
  }
  if (sent < 0) {
    Cut(HttpEvent::kClientGone);
    return false;
  }
  output_sent_ += static_cast<size_t>(sent);
  response_bytes_ += static_cast<uint64_t>(sent);
  exchange_->NoticeSent(static_cast<size_t>(sent));
  deadline_ = kNever;
  return true;
}

Connection::Step Connection::Answered() {
  RecordAccess(/*client_gone=*/false);
  const bool keep = exchange_->keep_alive() && !context_.inbox->draining() && !peer_closed_;
  exchange_.reset();
  output_.clear();
  output_sent_ = 0;
  if (output_.capacity() > kReadBytes) output_ = std::string();
  if (keep) {
    state_ = State::kHead;
    deadline_ = context_.clock.Now() + context_.options.timeouts.idle;
    return Step::kAgain;
  }
  // Closing with unread input would reset the connection and may take the answer with it.
  const bool unread = linger_ || !input_.empty() || may_read_;
  if (peer_closed_ || !unread || (context_.inbox->draining() && !linger_)) {
    Close();
    return Step::kWait;
  }
  shutdown(fd_, SHUT_WR);
  deadline_ = context_.clock.Now() + context_.options.timeouts.linger;
  state_ = State::kLingering;
  return Step::kAgain;
}

Connection::Step Connection::StepLingering() {
  input_.clear();
  return Step::kNeedInput;
}

void Connection::RecordAccess(bool client_gone) {
  if (!context_.options.hooks.access) return;
  AccessRecord record;
  Exchange::Description description = exchange_->TakeDescription();
  record.method = std::move(description.method);
  record.route = description.route;
  record.request_id = std::move(description.request_id);
  record.remote_address = remote_address_;
  record.status = exchange_->status();
  if (client_gone && record.status == 0) record.status = 499;
  record.client_gone = client_gone;
  record.request_bytes = request_bytes_;
  record.response_bytes = response_bytes_;
  record.elapsed = context_.clock.Now() - received_at_;
  context_.options.hooks.access(record);
}

}  // namespace baton::frontend
