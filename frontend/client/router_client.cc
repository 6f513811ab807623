#include "frontend/client/router_client.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "common/rpc/channel.h"
#include "common/rpc/status_codec.h"

namespace baton::frontend {
namespace {

constexpr std::chrono::milliseconds kRetryAfter{1000};

// Whether another router may do better.
bool IsWorthAnother(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsUnimplemented(status);
}

// By its code alone: clients of the API read this, and gRPC's words name addresses.
absl::Status NoRouter(const absl::Status& last) {
  const std::string code = absl::StatusCodeToString(last.code());
  return WithRetryAfter(Unavailable(absl::StrCat("no router answered (", code, ")")), kRetryAfter);
}

absl::Status Closed() { return Unavailable("router client: closed"); }

}  // namespace

// A context that Close can cancel, for as long as its call is under way.
class RouterClient::Pending {
 public:
  explicit Pending(RouterClient& client) : client_(client) {
    MutexLock lock(client_.mutex_);
    open_ = !client_.closed_;
    if (open_) client_.contexts_.insert(&context_);
  }
  ~Pending() {
    MutexLock lock(client_.mutex_);
    client_.contexts_.erase(&context_);
    if (client_.contexts_.empty()) client_.idle_.SignalAll();
  }

  bool open() const { return open_; }
  grpc::ClientContext& context() { return context_; }

 private:
  RouterClient& client_;
  grpc::ClientContext context_;
  bool open_ = false;
};

// A Route on its way to one router after another.
struct RouterClient::RouteAttempt {
  v1::RouteRequest request;
  v1::RouteReply reply;
  RouteCallback callback;
  size_t router = 0;
  size_t tries_left = 0;
  std::unique_ptr<Pending> pending;
};

RouterClient::RouterClient(const std::vector<std::string>& addresses, Clock& clock)
    : clock_(clock) {
  BATON_CHECK(!addresses.empty()) << "router client: no address";
  for (const std::string& address : addresses) {
    stubs_.push_back(v1::Router::NewStub(MakeChannel(address)));
  }
}

RouterClient::~RouterClient() {
  Close();
  Join();
}

void RouterClient::Join() {
  MutexLock lock(mutex_);
  while (!contexts_.empty()) idle_.Wait(lock);
}

void RouterClient::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  for (grpc::ClientContext* context : contexts_) context->TryCancel();
}

std::chrono::system_clock::time_point RouterClient::DeadlineAfter(Duration timeout) const {
  return std::chrono::time_point_cast<std::chrono::system_clock::duration>(clock_.WallNow() +
                                                                           timeout);
}

void RouterClient::Route(v1::RouteRequest request, RouteCallback callback) {
  auto attempt = std::make_shared<RouteAttempt>();
  attempt->request = std::move(request);
  attempt->callback = std::move(callback);
  attempt->router = NextRouter();
  attempt->tries_left = stubs_.size();
  SendRoute(std::move(attempt));
}

void RouterClient::SendRoute(std::shared_ptr<RouteAttempt> attempt) {
  attempt->pending = std::make_unique<Pending>(*this);
  if (!attempt->pending->open()) {
    attempt->pending = nullptr;
    return attempt->callback(Closed());
  }
  grpc::ClientContext& context = attempt->pending->context();
  context.set_deadline(DeadlineAfter(kRouteTimeout));
  --attempt->tries_left;
  Stub& stub = StubAt(attempt->router++);
  stub.async()->Route(&context, &attempt->request, &attempt->reply,
                      [this, attempt](const grpc::Status& result) {
                        const absl::Status status = FromGrpcStatus(result);
                        const bool again = IsWorthAnother(status) && attempt->tries_left > 0;
                        if (again) return SendRoute(attempt);
                        // The callback first: this object lives until nothing is pending.
                        const std::unique_ptr<Pending> pending = std::move(attempt->pending);
                        if (status.ok()) return attempt->callback(std::move(attempt->reply));
                        attempt->callback(IsWorthAnother(status) ? NoRouter(status) : status);
                      });
}

void RouterClient::Abandon(uint64_t lease) {
  // The lease is one router's own; it is not known here whose, and a strange one ignores it.
  if (lease == 0) return;
  for (const std::unique_ptr<Stub>& stub : stubs_) {
    struct Call {
      v1::AbandonRequest request;
      v1::AbandonReply reply;
      std::unique_ptr<Pending> pending;
    };
    auto call = std::make_shared<Call>();
    call->pending = std::make_unique<Pending>(*this);
    if (!call->pending->open()) return;
    call->request.set_lease(lease);
    call->pending->context().set_deadline(DeadlineAfter(kRouteTimeout));
    stub->async()->Abandon(&call->pending->context(), &call->request, &call->reply,
                           [call](const grpc::Status&) { call->pending = nullptr; });
  }
}

absl::StatusOr<v1::ListModelsReply> RouterClient::ListModels() {
  absl::Status last;
  const size_t first = NextRouter();
  for (size_t i = 0; i < stubs_.size(); ++i) {
    Pending pending(*this);
    if (!pending.open()) return Closed();
    pending.context().set_deadline(DeadlineAfter(kListTimeout));
    v1::ListModelsReply reply;
    last = FromGrpcStatus(
        StubAt(first + i).ListModels(&pending.context(), v1::ListModelsRequest(), &reply));
    if (last.ok()) return reply;
  }
  return last;  // for the log, whole
}

absl::StatusOr<ModelCard> RouterClient::FetchModelCard(const v1::FetchModelCardRequest& request) {
  absl::Status last;
  const size_t first = NextRouter();
  for (size_t i = 0; i < stubs_.size(); ++i) {
    absl::StatusOr<ModelCard> card = FetchFrom(StubAt(first + i), request);
    if (card.ok()) return card;
    last = card.status();
  }
  return last;
}

absl::StatusOr<ModelCard> RouterClient::FetchFrom(Stub& stub,
                                                  const v1::FetchModelCardRequest& request) {
  Pending pending(*this);
  if (!pending.open()) return Closed();
  pending.context().set_deadline(DeadlineAfter(kCardTimeout));
  const auto reader = stub.FetchModelCard(&pending.context(), request);
  ModelCard card;
  size_t bytes = 0;
  v1::ModelCardChunk chunk;
  bool has_header = false;
  bool broken = false;
  std::string open_file;  // its last piece has not come yet
  while (!broken && reader->Read(&chunk)) {
    if (chunk.has_header()) {
      has_header = true;
      card.model = chunk.header().model();
      card.card_digest = chunk.header().card_digest();
      continue;
    }
    const v1::ModelCardChunk::Piece& piece = chunk.piece();
    bytes += piece.data().size();
    broken =
        !has_header || bytes > kCardBytesMax || (!open_file.empty() && open_file != piece.file());
    if (broken) break;
    card.files[piece.file()].append(piece.data());
    open_file = piece.last() ? "" : piece.file();
  }
  if (broken) pending.context().TryCancel();
  const absl::Status status = FromGrpcStatus(reader->Finish());
  if (broken) {
    return FailedPrecondition(absl::StrCat("fetch model card: bytes=", bytes, "/", kCardBytesMax,
                                           has_header ? "" : ", no header",
                                           ", or pieces out of order"));
  }
  if (!status.ok()) return Annotate(status, "fetch model card");
  if (!has_header || !open_file.empty()) {
    return FailedPrecondition(absl::StrCat("fetch model card: cut short in file=", open_file));
  }
  return card;
}

}  // namespace baton::frontend
