#include "worker/service/worker_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/rpc/status_codec.h"

namespace baton::worker {
namespace {

// Writes a card one message at a time: only one is ever in memory.
class CardStream final : public grpc::ServerWriteReactor<v1::ModelCardChunk> {
 public:
  CardStream(const ModelCard& card, const v1::ModelInfo& model) : card_(card), model_(model) {
    WriteNext();
  }
  explicit CardStream(const ModelCard& card, const absl::Status& refusal) : card_(card) {
    Finish(ToGrpcStatus(refusal));
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the client left"));
    } else {
      WriteNext();
    }
  }
  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (next_ == card_.message_count()) {
      Finish(grpc::Status::OK);
      return;
    }
    chunk_ = card_.Message(next_++, model_);
    StartWrite(&chunk_);
  }

  const ModelCard& card_;
  const v1::ModelInfo model_;
  size_t next_ = 0;
  v1::ModelCardChunk chunk_;
};

}  // namespace

WorkerService::WorkerService(const ServedModel& model, const ModelCard& card, WatchHub& hub,
                             EngineLoop& engine, Clock& clock, std::function<void()> begin_drain)
    : model_(model),
      card_(card),
      hub_(hub),
      clock_(clock),
      begin_drain_(std::move(begin_drain)),
      drains_(clock, engine) {}

grpc::ServerUnaryReactor* WorkerService::Describe(grpc::CallbackServerContext* context,
                                                  const v1::DescribeRequest*,
                                                  v1::WorkerDescription* reply) {
  *reply = model_.description;
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<v1::WatchFrame>* WorkerService::Watch(grpc::CallbackServerContext* context,
                                                               const v1::WatchRequest*) {
  return hub_.Watch(context);
}

grpc::ServerWriteReactor<v1::ModelCardChunk>* WorkerService::FetchModelCard(
    grpc::CallbackServerContext*, const v1::FetchModelCardRequest* request) {
  if (!model_.Serves(request->model())) {
    return new CardStream(
        card_, NotFound(absl::StrCat("model is unknown: ", request->model().substr(0, 128))));
  }
  if (!request->card_digest().empty() && request->card_digest() != card_.digest()) {
    return new CardStream(
        card_, NotFound(absl::StrCat("model card is not current: ",
                                     request->card_digest().substr(0, 64), "/", card_.digest())));
  }
  return new CardStream(card_, model_.description.model());
}

grpc::ServerUnaryReactor* WorkerService::Drain(grpc::CallbackServerContext* context,
                                               const v1::DrainRequest* request,
                                               v1::DrainReply* reply) {
  begin_drain_();
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const MonotonicTime deadline = clock_.Now() + std::chrono::milliseconds(request->deadline_ms());
  drains_.Wait(deadline, [reactor, reply](int32_t unfinished) {
    reply->set_unfinished(static_cast<uint32_t>(unfinished));
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

}  // namespace baton::worker
