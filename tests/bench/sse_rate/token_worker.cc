#include "tests/bench/sse_rate/token_worker.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/concurrency/periodic_task.h"

namespace baton::bench {
namespace {

// A token is a byte in the model of this benchmark.
constexpr std::string_view kText = "Nobody knows how \"long\" a stream is, so it goes on. ";

}  // namespace

class TokenWorker::Service final : public v1::Inference::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::SessionFrame, v1::SessionCommand>;

  explicit Service(const TokenWorkerOptions& options) : options_(options) {}

  grpc::Status Session(grpc::ServerContext*, Stream* stream) override {
    v1::SessionFrame frame;
    std::vector<uint64_t> calls;
    v1::SessionCommand command;
    while (calls.size() < static_cast<size_t>(options_.calls) && stream->Read(&command)) {
      if (!command.has_submit()) continue;
      calls.push_back(command.submit().call());
      auto& accepted = *frame.add_accepted();
      accepted.set_call(calls.back());
      accepted.mutable_accepted()->set_seed(1);
    }
    stream->Write(frame);
    frame.Clear();
    for (const uint64_t call : calls) {
      auto& tokens = *frame.add_tokens();
      tokens.set_call(call);
      tokens.mutable_tokens()->add_ids(0);
    }
    size_t step = 0;
    PeriodicTask pace("step", RealClock(), options_.step, [&] {
      for (int i = 0; i < frame.tokens_size(); ++i) {
        const size_t at = (step + static_cast<size_t>(i)) % kText.size();
        frame.mutable_tokens(i)->mutable_tokens()->set_ids(0, static_cast<uint8_t>(kText[at]));
      }
      ++step;
      stream->Write(frame);
    });
    while (stream->Read(&command)) {
    }
    return grpc::Status::OK;
  }

 private:
  const TokenWorkerOptions options_;
};

TokenWorker::TokenWorker(const TokenWorkerOptions& options)
    : service_(std::make_unique<Service>(options)) {
  auto server = RpcServer::Start({.listen = {.host = "127.0.0.1"}}, {service_.get()});
  BATON_CHECK(server.ok()) << std::string(server.status().message());
  server_ = *std::move(server);
}

TokenWorker::~TokenWorker() { server_->Shutdown(RealClock().Now()); }

int TokenWorker::port() const { return server_->port(); }

}  // namespace baton::bench
