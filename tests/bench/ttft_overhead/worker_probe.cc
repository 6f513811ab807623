#include "tests/bench/ttft_overhead/worker_probe.h"

#include <grpcpp/grpcpp.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "baton/v1/inference.grpc.pb.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"

namespace baton::bench {
namespace {

class SessionProbe final : public WorkerProbe {
 public:
  explicit SessionProbe(const std::string& target)
      : stub_(v1::Inference::NewStub(MakeChannel(target))), stream_(stub_->Session(&context_)) {}

  ~SessionProbe() override {
    if (ended_) return;
    context_.TryCancel();
    v1::SessionFrame frame;
    while (stream_->Read(&frame)) {
    }
    (void)stream_->Finish();  // cancelled, by us
  }

  absl::StatusOr<Duration> Measure(const TtftRequest& request) override {
    const MonotonicTime sent = RealClock().Now();
    if (!stream_->Write(Command(request))) return StreamEnded();
    std::optional<Duration> first;
    v1::SessionFrame frame;
    while (stream_->Read(&frame)) {
      for (const auto& tokens : frame.tokens()) {
        if (tokens.call() == call_ && !first.has_value()) first = RealClock().Now() - sent;
      }
      for (const auto& failed : frame.failed()) {
        if (failed.call() != call_) continue;
        return absl::Status(static_cast<absl::StatusCode>(failed.code()), failed.message());
      }
      for (const auto& finished : frame.finished()) {
        if (finished.call() != call_) continue;
        if (first.has_value()) return *first;
        return Internal("worker: a request ended without a token");
      }
    }
    return StreamEnded();
  }

 private:
  v1::SessionCommand Command(const TtftRequest& request) {
    v1::SessionCommand command;
    v1::SessionCommand::Submit& submit = *command.mutable_submit();
    submit.set_call(++call_);
    v1::GenerateRequest& generate = *submit.mutable_request();
    generate.set_request_id(absl::StrCat("ttft-", call_));
    generate.set_model(request.model);
    generate.mutable_tokens()->mutable_ids()->Add(request.prompt.begin(), request.prompt.end());
    generate.mutable_sampling()->set_temperature(0);
    generate.mutable_sampling()->set_max_tokens(static_cast<uint32_t>(request.output_tokens));
    generate.mutable_sampling()->set_ignore_eos(true);
    return command;
  }

  absl::Status StreamEnded() {
    ended_ = true;  // a stream is finished once
    const grpc::Status status = stream_->Finish();
    return Unavailable(absl::StrCat("worker: the session ended: ", status.error_message()));
  }

  grpc::ClientContext context_;
  const std::unique_ptr<v1::Inference::Stub> stub_;
  const std::unique_ptr<grpc::ClientReaderWriter<v1::SessionCommand, v1::SessionFrame>> stream_;
  uint64_t call_ = 0;
  bool ended_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerProbe>> WorkerProbe::Open(const std::string& target) {
  return std::make_unique<SessionProbe>(target);
}

}  // namespace baton::bench
