#include "worker/service/request_intake.h"

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::worker {

RequestIntake::RequestIntake(const ServedModel& model, EngineLoop& engine,
                             ConstraintCompiler* constraints)
    : model_(model),
      engine_(engine),
      constraints_(constraints),
      reader_(model),
      breakers_(model.tokenizer == nullptr ? nullptr
                                           : std::make_unique<DryBreakerCache>(*model.tokenizer)),
      infill_tokens_(model.tokenizer == nullptr
                         ? nullptr
                         : std::make_unique<InfillTokensCache>(*model.tokenizer)),
      tasks_(kTasksMax),
      thread_("tokenize", [this](std::stop_token) { Run(); }) {}

RequestIntake::~RequestIntake() { Stop(); }

void RequestIntake::Stop() {
  tasks_.Close();
  thread_.Join();
}

void RequestIntake::Start(v1::GenerateRequest message, Ticket ticket, Done done) {
  absl::StatusOr<GenerationRequest> request = reader_.Read(message);
  if (!request.ok()) return done(request.status());
  request->key = ticket.key;
  request->peer = std::move(ticket.peer);
  request->call = ticket.call;
  request->deadline = ticket.deadline;
  std::vector<std::string> breakers = UnknownBreakers(message.sampling(), request->params);
  const bool infill = LacksInfillTokens(message.sampling(), request->params);
  if (!message.has_text() && breakers.empty() && !infill) {
    return done(Submit(*std::move(request)));
  }
  auto task = std::make_unique<Task>();
  task->request = *std::move(request);
  if (message.has_text()) task->text = std::move(*message.mutable_text());
  task->breakers = std::move(breakers);
  task->infill = infill;
  task->cache_salt = std::move(*message.mutable_cache_salt());
  task->done = done;
  switch (tasks_.TryPush(std::move(task))) {
    case PushResult::kPushed:
      return;
    case PushResult::kFull:
      return done(WithRetryAfter(Unavailable("generate: too many texts wait to be tokenised"),
                                 std::chrono::seconds(1)));
    case PushResult::kClosed:
      return done(Unavailable("generate: the worker has stopped"));
  }
}

// Held back at its last prompt token until its grammar is there.
absl::Status RequestIntake::Submit(GenerationRequest request) {
  const std::shared_ptr<RequestConstraint> constraint = request.constraint;
  if (constraint == nullptr) return engine_.Submit(std::move(request));
  const RequestKey key = request.key;
  const auto resumed_at = request.prompt.end() - request.resumed_tokens;
  std::vector<TokenId> resumed(resumed_at, request.prompt.end());
  request.held = !resumed.empty() || !constraints_->TryPrepare(*constraint);
  const bool held = request.held;
  RETURN_IF_ERROR(engine_.Submit(std::move(request)));
  if (!held) return absl::OkStatus();
  constraints_->Prepare(constraint, std::move(resumed), [this, key](const absl::Status& status) {
    if (status.ok()) return engine_.Release(key);
    engine_.Cancel(key, Field(status).has_value() ? status : WithField(status, "constraint"));
  });
  return absl::OkStatus();
}

void RequestIntake::Run() {
  while (std::optional<std::unique_ptr<Task>> next = tasks_.Pop()) {
    Task& task = **next;
    absl::Status status = Tokenise(task);
    if (status.ok()) status = Submit(std::move(task.request));
    task.done(status);
  }
}

std::vector<std::string> RequestIntake::UnknownBreakers(const v1::SamplingParams& message,
                                                        SamplingParams& params) {
  const auto& strings = message.dry().sequence_breakers();
  if (params.dry.multiplier == 0.0f || strings.empty()) return {};
  std::vector<std::string> breakers(strings.begin(), strings.end());
  params.dry.breakers = breakers_->Find(breakers);
  if (params.dry.breakers != nullptr) breakers.clear();
  return breakers;
}

bool RequestIntake::LacksInfillTokens(const v1::SamplingParams& message, SamplingParams& params) {
  const auto& samplers = message.samplers();
  if (std::find(samplers.begin(), samplers.end(), "infill") == samplers.end()) return false;
  params.infill = infill_tokens_->Find();
  return params.infill == nullptr;
}

absl::Status RequestIntake::Tokenise(Task& task) {
  if (tasks_.closed()) return Unavailable("generate: the worker has stopped");
  if (!task.breakers.empty()) task.request.params.dry.breakers = breakers_->Make(task.breakers);
  if (task.infill) task.request.params.infill = infill_tokens_->Make();
  if (!task.text.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<TokenId> tokens, model_.tokenizer->Encode(*task.text, {}));
  return reader_.SetPrompt(task.request, std::move(tokens), task.cache_salt);
}

}  // namespace baton::worker
