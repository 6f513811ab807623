// The Inference rpcs: makes a stream object per call.
//
// Threading: gRPC's callback threads. Ownership: what it is given outlives it.
#pragma once

#include <grpcpp/grpcpp.h>

#include "baton/v1/inference.grpc.pb.h"
#include "worker/service/generate_stream.h"
#include "worker/service/session_stream.h"

namespace baton::worker {

class InferenceService final : public v1::Inference::CallbackService {
 public:
  explicit InferenceService(const SessionStream::Context& parts) : parts_(parts) {}

  grpc::ServerBidiReactor<v1::SessionCommand, v1::SessionFrame>* Session(
      grpc::CallbackServerContext* context) override {
    return SessionStream::Start(context, parts_);
  }

  grpc::ServerWriteReactor<v1::GenerateEvent>* Generate(
      grpc::CallbackServerContext* context, const v1::GenerateRequest* request) override {
    return GenerateStream::Start(context, parts_, *request);
  }

 private:
  const SessionStream::Context parts_;
};

}  // namespace baton::worker
