// Where to send a request: the routers, as the rest of the frontend sees them.
//
// Threading: thread-safe. Callbacks come once, from an RPC thread or from inside the call: they
// must not block.
// Errors:    UNAVAILABLE when no router answers in time.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "baton/v1/router.pb.h"

namespace baton::frontend {

class PlacementSource {
 public:
  using RouteCallback = std::function<void(absl::StatusOr<v1::RouteReply>)>;

  virtual ~PlacementSource() = default;

  virtual void Route(v1::RouteRequest request, RouteCallback callback) = 0;

  // Gives a placement back that will not be used. Fire and forget.
  virtual void Abandon(uint64_t lease) = 0;
};

}  // namespace baton::frontend
