#include "worker/service/generate_stream.h"

#include <utility>

#include "common/base/status.h"
#include "common/rpc/status_codec.h"
#include "worker/service/event_messages.h"

namespace baton::worker {

GenerateStream* GenerateStream::Start(grpc::CallbackServerContext* context,
                                      const SessionStream::Context& parts,
                                      const v1::GenerateRequest& request) {
  auto stream = std::make_shared<GenerateStream>(context, parts);
  stream->KeepAlive();
  parts.intake.Start(request,
                     {.key = stream->key_, .peer = stream, .call = 0, .deadline = std::nullopt},
                     [stream](const absl::Status& status) { stream->OnSubmitted(status); });
  return stream.get();
}

GenerateStream::GenerateStream(grpc::CallbackServerContext* context,
                               const SessionStream::Context& parts)
    : BoundedWriteReactor(context, kEventsWaitingMax, MergeEvents),
      parts_(parts),
      key_(parts.engine.NewKey()) {}

void GenerateStream::OnSubmitted(const absl::Status& status) {
  if (!status.ok()) {
    parts_.metrics.refused_total.At(RefusalOf(status)).Increment();
    End(ToGrpcStatus(status));
    return;
  }
  bool cancelled = false;
  {
    MutexLock lock(cancel_mutex_);
    cancelled = cancelled_;
  }
  if (cancelled) parts_.engine.Cancel(key_, Cancelled("the client has left"));
}

void GenerateStream::OnStep(StepEvents& events) {
  for (const auto& event : events.accepted) {
    v1::GenerateEvent message;
    *message.mutable_accepted() = AcceptedMessage(event, parts_.epoch);
    Send(std::move(message));
  }
  for (const auto& event : events.scored) {
    v1::GenerateEvent message;
    *message.mutable_tokens() = ScoredMessage(event);
    Send(std::move(message));
  }
  for (const auto& event : events.tokens) {
    v1::GenerateEvent message;
    AddToken(event, *message.mutable_tokens());
    Send(std::move(message));
  }
  for (const auto& event : events.finished) {
    v1::GenerateEvent message;
    *message.mutable_finished() = FinishedMessage(event);
    Send(std::move(message));
  }
  if (!events.failed.empty()) {
    End(ToGrpcStatus(events.failed.front().status));
  } else if (!events.ended.empty()) {
    End(grpc::Status::OK);
  }
}

void GenerateStream::Send(v1::GenerateEvent event) {
  if (Write(std::move(event)) != PushResult::kFull) return;
  if (cut_off_.exchange(true)) return;
  parts_.metrics.slow_peers_total.Increment();
  const absl::Status reason = ResourceExhausted("generate: the client reads too slowly");
  CutOff(ToGrpcStatus(reason));
  Cancel(reason);
}

void GenerateStream::Cancel(const absl::Status& reason) {
  {
    MutexLock lock(cancel_mutex_);
    if (std::exchange(cancelled_, true)) return;
  }
  parts_.engine.Cancel(key_, reason);
}

void GenerateStream::OnCancel() {
  BoundedWriteReactor::OnCancel();
  Cancel(Cancelled("the client has left"));
}

void GenerateStream::OnEnded() { Cancel(Cancelled("the stream is over")); }

}  // namespace baton::worker
