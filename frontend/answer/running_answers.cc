#include "frontend/answer/running_answers.h"

#include <vector>

#include "frontend/answer/generation_answer.h"

namespace baton::frontend {

void RunningAnswers::Add(const std::string& id, GenerationAnswer* answer) {
  MutexLock lock(mutex_);
  answers_[id].insert(answer);
}

void RunningAnswers::Remove(const std::string& id, GenerationAnswer* answer) {
  MutexLock lock(mutex_);
  const auto same_id = answers_.find(id);
  if (same_id == answers_.end()) return;
  same_id->second.erase(answer);
  if (same_id->second.empty()) answers_.erase(same_id);
}

void RunningAnswers::Abort(std::string_view id) {
  std::vector<std::shared_ptr<GenerationAnswer>> found;
  {
    MutexLock lock(mutex_);
    const auto same_id = answers_.find(id);
    if (same_id == answers_.end()) return;
    // One that is about to be destroyed waits for the lock to be removed, and gives no pointer.
    for (GenerationAnswer* const answer : same_id->second) {
      if (auto alive = answer->weak_from_this().lock()) found.push_back(std::move(alive));
    }
  }
  for (const std::shared_ptr<GenerationAnswer>& answer : found) answer->Abort();
}

}  // namespace baton::frontend
