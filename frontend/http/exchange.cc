#include "frontend/http/exchange.h"

#include <charconv>
#include <utility>

#include "common/base/check.h"

namespace baton::frontend {
namespace {

bool HasBody(int status) { return status != 204 && status != 304; }

void AppendChunkSize(size_t size, std::string* out) {
  char text[2 * sizeof(size_t)];
  const auto end = std::to_chars(text, text + sizeof(text), size, 16).ptr;
  out->append(text, end);
  out->append("\r\n");
}

}  // namespace

Exchange::Exchange(const Traits& traits, std::shared_ptr<NetInbox> inbox, ConnectionId connection)
    : traits_(traits),
      inbox_(std::move(inbox)),
      connection_(connection),
      keep_alive_(traits.keep_alive) {}

void Exchange::Describe(Description description, HttpHeaders common_headers) {
  MutexLock lock(mutex_);
  description_ = std::move(description);
  common_headers_ = std::move(common_headers);
}

bool Exchange::MarkReadyLocked() { return !std::exchange(scheduled_, true); }

void Exchange::AppendLocked(std::string_view bytes) {
  output_.append(bytes);
  unsent_bytes_ += bytes.size();
}

void Exchange::AppendHeadLocked(int status, const HttpHeaders& headers, ResponseFraming framing) {
  status_ = status;
  sends_body_ = HasBody(status) && !traits_.is_head_method;
  if (!HasBody(status)) framing.body = ResponseBody::kNone;
  if (framing.body == ResponseBody::kUntilClose || inbox_->draining()) keep_alive_ = false;
  framing.keep_alive = keep_alive_;
  framing.now = inbox_->clock().WallNow();
  const size_t before = output_.size();
  AppendResponseHead(status, headers, common_headers_, framing, &output_);
  unsent_bytes_ += output_.size() - before;
}

void Exchange::Respond(HttpResponse response) {
  bool post = false;
  {
    MutexLock lock(mutex_);
    BATON_CHECK(phase_ == Phase::kWaiting) << "http answer: responded twice";
    phase_ = Phase::kComplete;
    if (gone()) return;
    AppendHeadLocked(response.status, response.headers,
                     {.body = ResponseBody::kLength, .content_length = response.body.size()});
    if (sends_body_) AppendLocked(response.body);
    post = MarkReadyLocked();
  }
  if (post) inbox_->PostReady(connection_);
}

void Exchange::BeginStream(int status, HttpHeaders headers) {
  bool post = false;
  {
    MutexLock lock(mutex_);
    BATON_CHECK(phase_ == Phase::kWaiting) << "http answer: stream begun twice";
    phase_ = Phase::kStreaming;
    if (gone()) return;
    chunked_ = !traits_.http_1_0;
    AppendHeadLocked(status, headers,
                     {.body = chunked_ ? ResponseBody::kChunked : ResponseBody::kUntilClose});
    post = MarkReadyLocked();
  }
  if (post) inbox_->PostReady(connection_);
}

bool Exchange::Write(std::string_view bytes) {
  bool post = false;
  bool accepted = true;
  {
    MutexLock lock(mutex_);
    BATON_CHECK(phase_ == Phase::kStreaming) << "http answer: write outside a stream";
    if (gone() || overflowed()) return false;
    if (!sends_body_ || bytes.empty()) return true;
    const size_t unsent = unsent_bytes_.load();
    if (unsent > 0 && unsent + bytes.size() > traits_.stream_buffer_bytes_max) {
      overflowed_ = true;
      accepted = false;
    } else {
      const size_t before = output_.size();
      if (chunked_) AppendChunkSize(bytes.size(), &output_);
      output_.append(bytes);
      if (chunked_) output_.append("\r\n");
      unsent_bytes_ += output_.size() - before;
    }
    post = MarkReadyLocked();
  }
  if (post) inbox_->PostReady(connection_);
  return accepted;
}

void Exchange::Finish() {
  bool post = false;
  {
    MutexLock lock(mutex_);
    BATON_CHECK(phase_ == Phase::kStreaming) << "http answer: finish outside a stream";
    if (overflowed()) return;  // stays incomplete: the net thread cuts it
    phase_ = Phase::kComplete;
    if (gone()) return;
    if (chunked_ && sends_body_) AppendLocked("0\r\n\r\n");
    post = MarkReadyLocked();
  }
  if (post) inbox_->PostReady(connection_);
}

void Exchange::OnGone(std::function<void()> callback) {
  {
    MutexLock lock(mutex_);
    if (phase_ == Phase::kComplete) return;
    if (!gone()) {
      on_gone_ = std::move(callback);
      return;
    }
  }
  callback();
}

void Exchange::Abandon(HttpResponse error) {
  bool post = false;
  bool respond = false;
  {
    MutexLock lock(mutex_);
    if (phase_ == Phase::kComplete || gone()) return;
    respond = phase_ == Phase::kWaiting;
    if (!respond) {
      abandoned_ = true;
      post = MarkReadyLocked();
    }
  }
  if (respond) Respond(std::move(error));
  if (post) inbox_->PostReady(connection_);
}

Exchange::Progress Exchange::TakeOutput(std::string* bytes) {
  std::function<void()> dropped;  // dies outside the lock
  MutexLock lock(mutex_);
  scheduled_ = false;
  std::swap(*bytes, output_);
  if (overflowed()) return Progress::kOverflowed;
  if (abandoned_) return Progress::kAbandoned;
  if (phase_ != Phase::kComplete) return Progress::kOpen;
  std::swap(dropped, on_gone_);
  return Progress::kComplete;
}

void Exchange::NoticeGone() {
  std::function<void()> callback;
  {
    MutexLock lock(mutex_);
    gone_ = true;
    output_.clear();
    std::swap(callback, on_gone_);
    if (phase_ == Phase::kComplete) callback = nullptr;
  }
  if (callback) callback();
}

bool Exchange::keep_alive() const {
  MutexLock lock(mutex_);
  return keep_alive_;
}

int Exchange::status() const {
  MutexLock lock(mutex_);
  return status_;
}

Exchange::Description Exchange::TakeDescription() {
  MutexLock lock(mutex_);
  return std::move(description_);
}

}  // namespace baton::frontend
