#include "frontend/client/session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "common/obs/log.h"

namespace baton::frontend {
namespace {

// Workers name fields by their own message; clients know the parameters without the group.
constexpr std::string_view kSamplingGroup = "sampling.";

std::string ClientField(const std::string& field) {
  return field.starts_with(kSamplingGroup) ? field.substr(kSamplingGroup.size()) : field;
}

std::string ClientMessage(const v1::SessionFrame::CallFailed& failed) {
  std::string message = failed.message();
  const std::string& field = failed.field();
  const size_t at = field.starts_with(kSamplingGroup) ? message.find(field) : std::string::npos;
  if (at != std::string::npos) message.erase(at, kSamplingGroup.size());
  return message;
}

absl::Status StatusOfFailure(const v1::SessionFrame::CallFailed& failed) {
  // An unknown or OK code from a worker would be its bug; it must not read as success.
  const bool known = failed.code() > 0 && failed.code() <= 16;
  absl::Status status(static_cast<absl::StatusCode>(known ? failed.code() : 13),
                      ClientMessage(failed));
  if (failed.retry_after_ms() > 0) {
    status = WithRetryAfter(std::move(status), std::chrono::milliseconds(failed.retry_after_ms()));
  }
  if (!failed.field().empty()) status = WithField(std::move(status), ClientField(failed.field()));
  return status;
}

// For each entry of the frame's tokens the end that goes out with it, as an index, or -1: that of
// its choice, if this is the choice's last entry. Empty: the frame has no ends.
std::vector<int> EndsByTokens(const v1::SessionFrame& frame) {
  if (frame.finished().empty()) return {};
  using Choice = std::pair<uint64_t, uint32_t>;
  absl::flat_hash_map<Choice, int> open;
  for (int i = 0; i < frame.finished_size(); ++i) {
    open.emplace(Choice(frame.finished(i).call(), frame.finished(i).finished().choice()), i);
  }
  std::vector<int> ends(static_cast<size_t>(frame.tokens_size()), -1);
  for (int i = frame.tokens_size() - 1; i >= 0 && !open.empty(); --i) {
    const auto& tokens = frame.tokens(i);
    const auto end = open.find(Choice(tokens.call(), tokens.tokens().choice()));
    if (end == open.end()) continue;
    ends[static_cast<size_t>(i)] = end->second;
    open.erase(end);
  }
  return ends;
}

}  // namespace

class Session::Call : public WorkerCall {
 public:
  Call(std::weak_ptr<Session> session, uint64_t number)
      : session_(std::move(session)), number_(number) {}

  void Cancel() override {
    if (const auto session = session_.lock()) session->CancelCall(number_);
  }
  void CancelChoice(uint32_t choice) override {
    if (const auto session = session_.lock()) session->CancelChoice(number_, choice);
  }

 private:
  const std::weak_ptr<Session> session_;
  const uint64_t number_;
};

std::shared_ptr<Session> Session::Open(std::shared_ptr<grpc::Channel> channel,
                                       std::function<void()> on_over) {
  std::shared_ptr<Session> session(new Session(std::move(channel), std::move(on_over)));
  session->Start();
  return session;
}

Session::Session(std::shared_ptr<grpc::Channel> channel, std::function<void()> on_over)
    : stub_(v1::Inference::NewStub(std::move(channel))), on_over_(std::move(on_over)) {}

void Session::Start() {
  {
    MutexLock lock(mutex_);
    self_ = shared_from_this();
  }
  stub_->async()->Session(&context_, this);
  AddHold();  // commands are written from outside of reactor events
  StartRead(&frame_);
  StartCall();
}

std::shared_ptr<WorkerCall> Session::Submit(v1::GenerateRequest request, uint32_t choices,
                                            std::shared_ptr<WorkerCallListener> listener) {
  MutexLock lock(mutex_);
  if (over_ || commands_.size() >= kCommandsMax) return nullptr;
  const uint64_t number = next_call_++;
  calls_.emplace(number, OpenCall{.listener = std::move(listener), .choices_left = choices});
  v1::SessionCommand& command = commands_.emplace_back();
  command.mutable_submit()->set_call(number);
  *command.mutable_submit()->mutable_request() = std::move(request);
  WriteNextLocked();
  return std::make_shared<Call>(weak_from_this(), number);
}

void Session::WriteNextLocked() {
  if (writing_ || over_ || commands_.empty()) return;
  writing_ = true;
  StartWrite(&commands_.front());
}

void Session::OnWriteDone(bool ok) {
  MutexLock lock(mutex_);
  writing_ = false;
  commands_.pop_front();
  if (ok) WriteNextLocked();  // otherwise the read fails too, and OnDone tells the calls
}

void Session::OnReadDone(bool ok) {
  if (!ok) {
    bool holds = false;
    {
      MutexLock lock(mutex_);
      holds = !std::exchange(over_, true);
    }
    if (holds) RemoveHold();
    return;
  }
  Dispatch(frame_);
  StartRead(&frame_);
}

void Session::OnDone(const grpc::Status& status) {
  CallMap calls;
  std::shared_ptr<Session> self;
  {
    MutexLock lock(mutex_);
    over_ = true;
    calls.swap(calls_);
    self.swap(self_);
  }
  if (!status.ok() && status.error_code() != grpc::StatusCode::CANCELLED) {
    LogWarning("worker session lost", {{"error", status.error_message()}});
  }
  // Clients of the API learn the code alone: gRPC's words name addresses.
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const absl::Status lost = Unavailable(
      absl::StrCat("worker session: the stream ended (", absl::StatusCodeToString(code), ")"));
  for (auto& [number, call] : calls) call.listener->OnFailed(lost);
  calls.clear();
  on_over_();
}

void Session::Dispatch(v1::SessionFrame& frame) {
  for (auto& accepted : *frame.mutable_accepted()) {
    if (const auto listener = ListenerOf(accepted.call())) {
      listener->OnAccepted(std::move(*accepted.mutable_accepted()));
    }
  }
  DispatchTokens(frame);
  for (auto& finished : *frame.mutable_finished()) {
    if (finished.call() == 0) continue;  // went out with its tokens
    if (const auto listener = EndChoice(finished.call())) {
      listener->OnFinished(std::move(*finished.mutable_finished()));
    }
  }
  for (auto& failed : *frame.mutable_failed()) {
    if (const auto listener = RemoveCall(failed.call())) {
      listener->OnFailed(StatusOfFailure(failed));
    }
  }
}

void Session::DispatchTokens(v1::SessionFrame& frame) {
  const std::vector<int> ends = EndsByTokens(frame);
  for (int i = 0; i < frame.tokens_size(); ++i) {
    auto& tokens = *frame.mutable_tokens(i);
    std::optional<v1::Finished> end;
    if (!ends.empty() && ends[static_cast<size_t>(i)] >= 0) {
      auto& finished = *frame.mutable_finished(ends[static_cast<size_t>(i)]);
      end = std::move(*finished.mutable_finished());
      finished.set_call(0);
    }
    const auto listener = end.has_value() ? EndChoice(tokens.call()) : ListenerOf(tokens.call());
    if (listener != nullptr) {
      listener->OnTokens(std::move(*tokens.mutable_tokens()), std::move(end));
    }
    // The frame is used again and would keep them: megabytes for each prompt that is scored.
    if (tokens.tokens().has_prompt_logprobs()) *tokens.mutable_tokens() = v1::Tokens();
  }
}

std::shared_ptr<WorkerCallListener> Session::ListenerOf(uint64_t call) {
  MutexLock lock(mutex_);
  const auto it = calls_.find(call);
  return it == calls_.end() ? nullptr : it->second.listener;
}

std::shared_ptr<WorkerCallListener> Session::EndChoice(uint64_t call) {
  MutexLock lock(mutex_);
  const auto it = calls_.find(call);
  if (it == calls_.end()) return nullptr;
  if (it->second.choices_left > 1) {
    --it->second.choices_left;
    return it->second.listener;
  }
  std::shared_ptr<WorkerCallListener> listener = std::move(it->second.listener);
  calls_.erase(it);
  return listener;
}

std::shared_ptr<WorkerCallListener> Session::RemoveCall(uint64_t call) {
  MutexLock lock(mutex_);
  const auto it = calls_.find(call);
  if (it == calls_.end()) return nullptr;
  std::shared_ptr<WorkerCallListener> listener = std::move(it->second.listener);
  calls_.erase(it);
  return listener;
}

void Session::CancelCall(uint64_t call) {
  std::shared_ptr<WorkerCallListener> dropped = RemoveCall(call);  // dies outside of the lock
  if (dropped == nullptr) return;
  MutexLock lock(mutex_);
  if (over_) return;
  commands_.emplace_back().mutable_cancel()->set_call(call);
  WriteNextLocked();
}

void Session::CancelChoice(uint64_t call, uint32_t choice) {
  MutexLock lock(mutex_);
  if (over_ || !calls_.contains(call)) return;
  v1::SessionCommand::Cancel& cancel = *commands_.emplace_back().mutable_cancel();
  cancel.set_call(call);
  cancel.set_choice(choice);
  WriteNextLocked();
}

bool Session::over() const {
  MutexLock lock(mutex_);
  return over_;
}

size_t Session::call_count() const {
  MutexLock lock(mutex_);
  return calls_.size();
}

void Session::Close() { context_.TryCancel(); }

}  // namespace baton::frontend
