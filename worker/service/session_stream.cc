#include "worker/service/session_stream.h"

#include <chrono>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/rpc/status_codec.h"
#include "worker/service/event_messages.h"

namespace baton::worker {

SessionStream* SessionStream::Start(grpc::CallbackServerContext* context, const Context& parts) {
  auto stream = std::make_shared<SessionStream>(context, parts);
  stream->KeepAlive();
  parts.metrics.sessions_open.Add(1);
  stream->StartRead(&stream->command_);
  return stream.get();
}

SessionStream::SessionStream(grpc::CallbackServerContext* context, const Context& parts)
    : BoundedWriteReactor(context, parts.frames_waiting_max, MergeFrames), parts_(parts) {}

void SessionStream::OnReadDone(bool ok) {
  if (!ok) {
    {
      MutexLock lock(calls_mutex_);
      reads_done_ = true;
    }
    EndIfDone();
    return;
  }
  switch (command_.command_case()) {
    case v1::SessionCommand::kSubmit:
      Submit(*command_.mutable_submit());
      break;
    case v1::SessionCommand::kCancel:
      if (command_.cancel().has_choice()) {
        CancelChoice(command_.cancel().call(), command_.cancel().choice());
      } else {
        CancelCall(command_.cancel().call());
      }
      break;
    case v1::SessionCommand::COMMAND_NOT_SET:
      break;  // of a newer peer
  }
  command_.Clear();
  StartRead(&command_);
}

void SessionStream::Submit(v1::SessionCommand::Submit& command) {
  const uint64_t call = command.call();
  const RequestKey key = parts_.engine.NewKey();
  bool fresh = false;
  {
    MutexLock lock(calls_mutex_);
    fresh = calls_.try_emplace(call, Call{.key = key}).second;
  }
  if (!fresh) {
    // Naming the call in a failure would end the one that runs; the peer is broken.
    const absl::Status reason = WithField(InvalidArgument("call is in use"), "submit.call");
    CutOff(ToGrpcStatus(reason));
    CancelAll(Cancelled("the session was ended"));
    return;
  }
  RequestIntake::Ticket ticket{.key = key,
                               .peer = std::static_pointer_cast<SessionStream>(shared_from_this()),
                               .call = call,
                               .deadline = std::nullopt};
  if (command.deadline_ms() > 0) {
    ticket.deadline = parts_.clock.Now() + std::chrono::milliseconds(command.deadline_ms());
  }
  auto self = std::static_pointer_cast<SessionStream>(shared_from_this());
  parts_.intake.Start(
      std::move(*command.mutable_request()), std::move(ticket),
      [self, call](const absl::Status& status) { self->OnSubmitted(call, status); });
}

void SessionStream::OnSubmitted(uint64_t call, const absl::Status& status) {
  if (!status.ok()) {
    parts_.metrics.refused_total.At(RefusalOf(status)).Increment();
    Fail(call, status);
    return;
  }
  RequestKey key;
  {
    // A cancellation that came before the engine had the request has had no effect yet.
    MutexLock lock(calls_mutex_);
    const auto entry = calls_.find(call);
    if (entry == calls_.end() || !entry->second.cancelled) return;
    key = entry->second.key;
  }
  parts_.engine.Cancel(key, Cancelled("the peer cancelled it"));
}

void SessionStream::CancelCall(uint64_t call) {
  RequestKey key;
  {
    MutexLock lock(calls_mutex_);
    const auto entry = calls_.find(call);
    if (entry == calls_.end() || std::exchange(entry->second.cancelled, true)) return;
    key = entry->second.key;
  }
  parts_.engine.Cancel(key, Cancelled("the peer cancelled it"));
}

void SessionStream::CancelChoice(uint64_t call, uint32_t choice) {
  RequestKey key;
  {
    MutexLock lock(calls_mutex_);
    const auto entry = calls_.find(call);
    if (entry == calls_.end() || entry->second.cancelled) return;
    key = entry->second.key;
  }
  parts_.engine.CancelChoice(key, static_cast<int32_t>(choice));
}

void SessionStream::CancelAll(const absl::Status& reason) {
  std::vector<RequestKey> keys;
  {
    MutexLock lock(calls_mutex_);
    for (auto& [call, state] : calls_) {
      if (!std::exchange(state.cancelled, true)) keys.push_back(state.key);
    }
  }
  for (RequestKey key : keys) parts_.engine.Cancel(key, reason);
}

void SessionStream::OnStep(StepEvents& events) {
  {
    MutexLock lock(calls_mutex_);
    for (const GenerationRequest* request : events.ended) calls_.erase(request->call);
  }
  for (v1::SessionFrame& frame : FramesOf(events, parts_.epoch)) Send(std::move(frame));
  EndIfDone();
}

void SessionStream::Fail(uint64_t call, const absl::Status& status) {
  {
    MutexLock lock(calls_mutex_);
    calls_.erase(call);
  }
  v1::SessionFrame frame;
  frame.set_epoch(parts_.epoch.value());
  AddFailure(call, status, frame);
  Send(std::move(frame));
  EndIfDone();
}

void SessionStream::Send(v1::SessionFrame frame) {
  if (Write(std::move(frame)) != PushResult::kFull) return;
  if (cut_off_.exchange(true)) return;
  parts_.metrics.slow_peers_total.Increment();
  const absl::Status reason = ResourceExhausted("session: the peer reads too slowly");
  CutOff(ToGrpcStatus(reason));
  CancelAll(reason);
}

void SessionStream::EndIfDone() {
  {
    MutexLock lock(calls_mutex_);
    if (!reads_done_ || !calls_.empty()) return;
  }
  End(grpc::Status::OK);
}

void SessionStream::OnCancel() {
  BoundedWriteReactor::OnCancel();
  CancelAll(Cancelled("the peer has left"));
}

void SessionStream::OnEnded() {
  CancelAll(Cancelled("the session is over"));
  parts_.metrics.sessions_open.Add(-1);
}

}  // namespace baton::worker
