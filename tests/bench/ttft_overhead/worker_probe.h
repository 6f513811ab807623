#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace baton::bench {

// What both paths ask: the same prompt, greedily, a few tokens.
struct TtftRequest {
  std::string model;
  std::vector<uint32_t> prompt;
  int output_tokens = 4;
};

// Times the first token over one Session stream to a worker, as a frontend has it: opened once,
// then one Submit a request.
//
// Threading: thread-compatible; blocks.
// Errors:    the stream's status, or the status with which the worker refuses a request. After
//            either the probe is of no further use.
class WorkerProbe {
 public:
  static absl::StatusOr<std::unique_ptr<WorkerProbe>> Open(const std::string& target);
  virtual ~WorkerProbe() = default;

  // From the write of the command to the frame with the first token; returns once the request is
  // over, so that the next one finds the worker idle.
  virtual absl::StatusOr<Duration> Measure(const TtftRequest& request) = 0;
};

}  // namespace baton::bench
