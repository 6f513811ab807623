// Takes a GenerateRequest from the wire to the engine: checks it, tokenises text and makes
// tables that samplers need of the vocabulary on a thread of its own, submits. A constraint is
// compiled while the engine computes the prompt.
//
//   intake.Start(std::move(message), {key, peer, call, deadline}, [..](const absl::Status& s) {});
//
// Threading: thread-safe. `done` is called exactly once: by the caller of Start, or on the thread
//            `tokenize`; it must not block. The peer may hear of the request before `done` is
//            called.
// Ownership: model, engine and compiler outlive the intake. The destructor refuses what still
//            waits.
// Errors:    `done` gets why the request was refused: those of RequestReader and
//            EngineLoop::Submit, and UNAVAILABLE with a time to retry after when too many texts
//            wait.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "baton/v1/inference.pb.h"
#include "common/concurrency/bounded_queue.h"
#include "common/concurrency/owned_thread.h"
#include "worker/constraint/constraint_compiler.h"
#include "worker/engine/engine_loop.h"
#include "worker/service/dry_breaker_cache.h"
#include "worker/service/infill_tokens_cache.h"
#include "worker/service/request_reader.h"
#include "worker/service/served_model.h"

namespace baton::worker {

class RequestIntake {
 public:
  // Whose request it is.
  struct Ticket {
    RequestKey key;
    std::shared_ptr<EnginePeer> peer;
    uint64_t call = 0;
    std::optional<MonotonicTime> deadline;
  };
  using Done = std::function<void(const absl::Status&)>;

  // `constraints` null: the model has no tokenizer, and its requests have no constraints.
  RequestIntake(const ServedModel& model, EngineLoop& engine, ConstraintCompiler* constraints);
  ~RequestIntake();

  void Start(v1::GenerateRequest message, Ticket ticket, Done done);

  // Refuses what waits for its tokens, and all that comes. Idempotent.
  void Stop();

 private:
  struct Task {
    GenerationRequest request;
    std::optional<std::string> text;    // else the request has its tokens
    std::vector<std::string> breakers;  // empty: none, or the request has them
    bool infill = false;                // false: not named, or the request has its tokens
    std::string cache_salt;
    Done done;
  };

  static constexpr size_t kTasksMax = 1024;

  void Run();
  absl::Status Tokenise(Task& task);
  // Gives the request the breakers of DRY that are known; returns those that are not.
  std::vector<std::string> UnknownBreakers(const v1::SamplingParams& message,
                                           SamplingParams& params);
  // Whether the request names infill and still lacks its tokens; gives it those that are known.
  bool LacksInfillTokens(const v1::SamplingParams& message, SamplingParams& params);
  absl::Status Submit(GenerationRequest request);

  const ServedModel& model_;
  EngineLoop& engine_;
  ConstraintCompiler* const constraints_;
  const RequestReader reader_;
  // Null without a tokenizer.
  const std::unique_ptr<DryBreakerCache> breakers_;
  const std::unique_ptr<InfillTokensCache> infill_tokens_;
  BoundedQueue<std::unique_ptr<Task>> tasks_;
  OwnedThread thread_;
};

}  // namespace baton::worker
