#include "worker/service/request_intake.h"

#include <chrono>
#include <stop_token>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::worker {

RequestIntake::RequestIntake(const ServedModel& model, EngineLoop& engine)
    : model_(model),
      engine_(engine),
      reader_(model),
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
  if (!message.has_text()) return done(engine_.Submit(*std::move(request)));
  auto task = std::make_unique<Task>(Task{*std::move(request), std::move(*message.mutable_text()),
                                          std::move(*message.mutable_cache_salt()), done});
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

void RequestIntake::Run() {
  while (std::optional<std::unique_ptr<Task>> next = tasks_.Pop()) {
    Task& task = **next;
    absl::Status status = Tokenise(task);
    if (status.ok()) status = engine_.Submit(std::move(task.request));
    task.done(status);
  }
}

absl::Status RequestIntake::Tokenise(Task& task) const {
  if (tasks_.closed()) return Unavailable("generate: the worker has stopped");
  ASSIGN_OR_RETURN(std::vector<TokenId> tokens, model_.tokenizer->Encode(task.text, {}));
  return reader_.SetPrompt(task.request, std::move(tokens), task.cache_salt);
}

}  // namespace baton::worker
