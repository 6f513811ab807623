#include "router/service/card_relay.h"

#include <utility>

namespace baton::router {
namespace {

class Refusal final : public grpc::ServerWriteReactor<v1::ModelCardChunk> {
 public:
  explicit Refusal(grpc::Status status) { Finish(std::move(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

CardRelay* CardRelay::Start(const grpc::CallbackServerContext& context,
                            std::shared_ptr<grpc::Channel> worker,
                            const v1::FetchModelCardRequest& request) {
  auto* relay = new CardRelay(context, std::move(worker), request);
  Source& source = relay->source_;
  relay->stub_->async()->FetchModelCard(&source.context, &relay->request_, &source);
  source.AddHold();  // reads start from the other stream's reactions
  source.StartRead(&relay->chunk_);
  source.StartCall();
  return relay;
}

grpc::ServerWriteReactor<v1::ModelCardChunk>* CardRelay::Refuse(grpc::Status status) {
  return new Refusal(std::move(status));
}

CardRelay::CardRelay(const grpc::CallbackServerContext& context,
                     std::shared_ptr<grpc::Channel> worker,
                     const v1::FetchModelCardRequest& request)
    : request_(request), stub_(v1::Worker::NewStub(std::move(worker))), source_(*this, context) {}

void CardRelay::OnWriteDone(bool ok) {
  if (!ok) source_.context.TryCancel();  // the read below then ends the source
  source_.StartRead(&chunk_);
}

void CardRelay::Source::OnReadDone(bool ok) {
  if (ok) {
    relay_.StartWrite(&relay_.chunk_);
  } else {
    RemoveHold();
  }
}

void CardRelay::Source::OnDone(const grpc::Status& status) {
  relay_.Finish(status);
  relay_.Release();
}

void CardRelay::Release() {
  if (open_streams_.fetch_sub(1) == 1) delete this;
}

}  // namespace baton::router
