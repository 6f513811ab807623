// Passes a model card on from a worker to whoever asked the router for it, one chunk at a time.
//
// Threading: gRPC's callback threads; a chunk is read only after the one before it has been
//            written, so at most one is held.
// Ownership: deletes itself when both streams are over.
// Errors:    the worker's status becomes the caller's. A caller that leaves cancels the worker's
//            stream.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>

#include "baton/v1/common.pb.h"
#include "baton/v1/worker.grpc.pb.h"

namespace baton::router {

class CardRelay final : public grpc::ServerWriteReactor<v1::ModelCardChunk> {
 public:
  static CardRelay* Start(const grpc::CallbackServerContext& context,
                          std::shared_ptr<grpc::Channel> worker,
                          const v1::FetchModelCardRequest& request);

  // A relay without a worker: answers with `status`.
  static grpc::ServerWriteReactor<v1::ModelCardChunk>* Refuse(grpc::Status status);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { source_.context.TryCancel(); }
  void OnDone() override { Release(); }

 private:
  // The worker's side of the relay.
  class Source final : public grpc::ClientReadReactor<v1::ModelCardChunk> {
   public:
    Source(CardRelay& relay, const grpc::CallbackServerContext& context)
        : context_owner(grpc::ClientContext::FromCallbackServerContext(context)),
          context(*context_owner),
          relay_(relay) {}

    void OnReadDone(bool ok) override;
    void OnDone(const grpc::Status& status) override;

    const std::unique_ptr<grpc::ClientContext> context_owner;  // deadline and cancellation
    grpc::ClientContext& context;

   private:
    CardRelay& relay_;
  };

  CardRelay(const grpc::CallbackServerContext& context, std::shared_ptr<grpc::Channel> worker,
            const v1::FetchModelCardRequest& request);

  void Release();

  const v1::FetchModelCardRequest request_;
  const std::unique_ptr<v1::Worker::Stub> stub_;
  Source source_;
  v1::ModelCardChunk chunk_;
  std::atomic<int> open_streams_{2};
};

}  // namespace baton::router
