// The worker of sse_rate: speaks the Session protocol as a worker does, and gives every call one
// token in every step, for as long as somebody listens. No model.
#pragma once

#include <functional>
#include <memory>

#include "baton/v1/inference.grpc.pb.h"
#include "common/base/clock.h"
#include "common/rpc/rpc_server.h"

namespace baton::bench {

struct TokenWorkerOptions {
  int calls = 1;  // steps begin when so many have been submitted
  Duration step{};
};

class TokenWorker {
 public:
  explicit TokenWorker(const TokenWorkerOptions& options);
  ~TokenWorker();

  int port() const;

 private:
  class Service;

  const std::unique_ptr<Service> service_;
  std::unique_ptr<RpcServer> server_;
};

}  // namespace baton::bench
