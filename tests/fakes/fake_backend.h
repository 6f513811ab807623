// A router and a worker over real gRPC whose model is a formula: token i of an answer depends on
// the seed and on i alone, so that a migrated answer can be compared with an unbroken one.
//
//   FakeWorker a("a"), b("b");
//   FakeRouter router({&a, &b});
//   RouterClient client({router.address()}, RealClock());
//   a.DieAfter(3);                       // its session breaks after three more tokens
//
// Threading: thread-safe. Ownership: workers outlive the router.
#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "baton/v1/inference.grpc.pb.h"
#include "baton/v1/router.grpc.pb.h"
#include "common/base/check.h"
#include "common/rpc/rpc_server.h"
#include "tests/fakes/byte_model.h"

namespace baton::frontend {

// What the model says at position `index` of choice `choice`: letters that look like text.
inline TokenId FormulaToken(uint64_t seed, uint32_t choice, uint32_t index) {
  return static_cast<TokenId>('a' + (seed * 7 + choice * 3 + index * 5) % 26);
}
inline std::string FormulaText(uint64_t seed, uint32_t choice, uint32_t length) {
  std::string text;
  for (uint32_t i = 0; i < length; ++i) {
    text += static_cast<char>(FormulaToken(seed, choice, i));
  }
  return text;
}

inline std::unique_ptr<RpcServer> ServeFake(grpc::Service& service) {
  auto server =
      RpcServer::Start({.listen = {.host = "127.0.0.1"}, .reflection = false}, {&service});
  BATON_CHECK(server.ok()) << std::string(server.status().message());
  return *std::move(server);
}

class FakeWorker : public v1::Inference::Service {
 public:
  explicit FakeWorker(std::string id, uint64_t epoch = 1)
      : id_(std::move(id)), epoch_(epoch), server_(ServeFake(*this)) {}
  ~FakeWorker() override { server_->Shutdown(RealClock().Now()); }

  v1::WorkerRef ref() const {
    v1::WorkerRef ref;
    ref.set_worker_id(id_);
    ref.set_address("127.0.0.1:" + std::to_string(server_->port()));
    ref.set_epoch(epoch_);
    return ref;
  }

  // The session that sends the last of `tokens` more ends with an error; sessions work again then.
  void DieAfter(int tokens) { tokens_to_live_ = tokens; }
  // Answers stop after their first token until they are cancelled.
  void HangAfterFirstToken() { hang_ = true; }

  // Every request is refused with this.
  void RefuseAll(v1::SessionFrame::CallFailed refusal) { refusal_ = std::move(refusal); }

  int submits() const { return submits_; }
  int cancels() const { return cancels_; }

  grpc::Status Session(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::SessionFrame, v1::SessionCommand>* stream) override {
    v1::SessionCommand command;
    while (stream->Read(&command)) {
      if (command.has_cancel()) {
        ++cancels_;
        continue;
      }
      ++submits_;
      const auto& submit = command.submit();
      if (refusal_.has_value()) {
        v1::SessionFrame frame;
        *frame.add_failed() = *refusal_;
        frame.mutable_failed(0)->set_call(submit.call());
        stream->Write(frame);
        continue;
      }
      const grpc::Status status = submit.request().epoch() == epoch_
                                      ? Answer(submit, *stream)
                                      : Refuse(submit.call(), *stream);
      if (!status.ok()) return status;
    }
    return grpc::Status::OK;
  }

 private:
  using Stream = grpc::ServerReaderWriter<v1::SessionFrame, v1::SessionCommand>;

  grpc::Status Refuse(uint64_t call, Stream& stream) {
    v1::SessionFrame frame;
    auto* failed = frame.add_failed();
    failed->set_call(call);
    failed->set_code(10);
    failed->set_message("stale epoch");
    stream.Write(frame);
    return grpc::Status::OK;
  }

  grpc::Status Answer(const v1::SessionCommand::Submit& submit, Stream& stream) {
    const v1::GenerateRequest& request = submit.request();
    const uint64_t seed = request.sampling().has_seed() ? request.sampling().seed() : 11;
    const uint32_t n = std::max(1u, request.n());
    v1::SessionFrame first;
    auto* accepted = first.add_accepted();
    accepted->set_call(submit.call());
    accepted->mutable_accepted()->set_seed(seed);
    stream.Write(first);
    const uint32_t length = request.sampling().max_tokens();
    for (uint32_t i = request.resumed_tokens(); i < length; ++i) {
      v1::SessionFrame frame;
      for (uint32_t k = 0; k < n; ++k) {
        const uint32_t choice = request.choice_offset() + k;
        auto* tokens = frame.add_tokens();
        tokens->set_call(submit.call());
        tokens->mutable_tokens()->set_choice(choice);
        tokens->mutable_tokens()->add_ids(FormulaToken(seed, choice, i));
        if (i + 1 < length || hang_) continue;
        auto* finished = frame.add_finished();
        finished->set_call(submit.call());
        finished->mutable_finished()->set_choice(choice);
        finished->mutable_finished()->set_reason(v1::FINISH_REASON_LENGTH);
      }
      stream.Write(frame);
      if (hang_) return grpc::Status::OK;
      if (tokens_to_live_ > 0 && --tokens_to_live_ == 0) {
        return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the worker died");
      }
    }
    return grpc::Status::OK;
  }

  const std::string id_;
  const uint64_t epoch_;
  std::optional<v1::SessionFrame::CallFailed> refusal_;  // set before the first session
  std::atomic<int> tokens_to_live_{0};
  std::atomic<bool> hang_{false};
  std::atomic<int> submits_{0};
  std::atomic<int> cancels_{0};
  const std::unique_ptr<RpcServer> server_;
};

class FakeRouter : public v1::Router::Service {
 public:
  explicit FakeRouter(std::vector<FakeWorker*> workers)
      : workers_(std::move(workers)), server_(ServeFake(*this)) {}
  ~FakeRouter() override { server_->Shutdown(RealClock().Now()); }

  std::string address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

  // Calls a worker by another epoch than its own, `count` times.
  void BeStale(int count) { stale_ = count; }

  std::vector<v1::RouteRequest> routes() const {
    std::lock_guard lock(mutex_);
    return routes_;
  }

  grpc::Status Route(grpc::ServerContext*, const v1::RouteRequest* request,
                     v1::RouteReply* reply) override {
    {
      std::lock_guard lock(mutex_);
      routes_.push_back(*request);
    }
    for (const FakeWorker* worker : workers_) {
      v1::WorkerRef ref = worker->ref();
      if (std::ranges::count(request->excluded_workers(), ref.worker_id()) > 0) continue;
      if (stale_ > 0) {
        --stale_;
        ref.set_epoch(999);
      }
      *reply->mutable_placement()->mutable_decode() = ref;
      reply->mutable_placement()->set_lease(1);
      return grpc::Status::OK;
    }
    reply->mutable_reject()->set_code(v1::RouteReply::Reject::CODE_NO_WORKER);
    reply->mutable_reject()->set_message("no worker is ready");
    return grpc::Status::OK;
  }

  grpc::Status ListModels(grpc::ServerContext*, const v1::ListModelsRequest*,
                          v1::ListModelsReply* reply) override {
    *reply->add_models() = ByteModelEntry();
    return grpc::Status::OK;
  }

  grpc::Status FetchModelCard(grpc::ServerContext*, const v1::FetchModelCardRequest*,
                              grpc::ServerWriter<v1::ModelCardChunk>* stream) override {
    const ModelCard card = ByteModelCard();
    v1::ModelCardChunk header;
    *header.mutable_header()->mutable_model() = card.model;
    header.mutable_header()->set_card_digest(card.card_digest);
    stream->Write(header);
    constexpr size_t kPieceBytes = 1000;
    for (const auto& [name, bytes] : card.files) {
      for (size_t at = 0; at < bytes.size(); at += kPieceBytes) {
        v1::ModelCardChunk chunk;
        chunk.mutable_piece()->set_file(name);
        chunk.mutable_piece()->set_data(bytes.substr(at, kPieceBytes));
        chunk.mutable_piece()->set_last(at + kPieceBytes >= bytes.size());
        stream->Write(chunk);
      }
    }
    return grpc::Status::OK;
  }

 private:
  const std::vector<FakeWorker*> workers_;
  std::atomic<int> stale_{0};
  mutable std::mutex mutex_;
  std::vector<v1::RouteRequest> routes_;
  const std::unique_ptr<RpcServer> server_;
};

}  // namespace baton::frontend
