#include "worker/engine/engine_inbox.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"

namespace baton::worker {

absl::Status EngineInbox::Submit(GenerationRequest request) {
  const auto tokens = static_cast<int64_t>(request.prompt.size());
  {
    MutexLock lock(mutex_);
    if (mail_.closed) return Unavailable("submit: the worker has stopped");
    if (!admission_.ok()) return admission_;
    if (alive_.size() >= static_cast<size_t>(limits_.max_requests) ||
        alive_prompt_tokens_ + tokens > limits_.max_prompt_tokens) {
      return WithRetryAfter(
          Unavailable(absl::StrCat("submit: the worker is full: requests=", alive_.size(),
                                   " prompt_tokens=", alive_prompt_tokens_)),
          std::chrono::seconds(1));
    }
    if (request.held && alive_held_ >= limits_.max_held) {
      return WithRetryAfter(
          Unavailable(absl::StrCat("submit: too many requests wait for their constraints: held=",
                                   alive_held_)),
          std::chrono::seconds(1));
    }
    const Alive alive{.prompt_tokens = tokens,
                      .choice_cancellations_left = request.choices,
                      .held = request.held};
    const bool fresh = alive_.emplace(request.key, alive).second;
    BATON_CHECK(fresh) << "submit: key used twice: " << request.key.value();
    alive_prompt_tokens_ += tokens;
    if (request.held) ++alive_held_;
    mail_.submitted.push_back(std::move(request));
  }
  mail_arrived_.Signal();
  return absl::OkStatus();
}

void EngineInbox::Cancel(RequestKey key, absl::Status reason) {
  {
    MutexLock lock(mutex_);
    const auto entry = alive_.find(key);
    if (entry == alive_.end() || std::exchange(entry->second.cancelled, true)) return;
    mail_.cancelled.emplace_back(key, std::move(reason));
  }
  mail_arrived_.Signal();
}

void EngineInbox::CancelChoice(RequestKey key, int32_t choice) {
  {
    MutexLock lock(mutex_);
    const auto entry = alive_.find(key);
    if (entry == alive_.end() || entry->second.choice_cancellations_left == 0) return;
    --entry->second.choice_cancellations_left;
    mail_.cancelled_choices.emplace_back(key, choice);
  }
  mail_arrived_.Signal();
}

void EngineInbox::CancelAll(absl::Status reason) {
  {
    MutexLock lock(mutex_);
    mail_.cancel_all = std::move(reason);
  }
  mail_arrived_.Signal();
}

void EngineInbox::Release(RequestKey key) {
  {
    MutexLock lock(mutex_);
    const auto entry = alive_.find(key);
    if (entry == alive_.end()) return;
    if (std::exchange(entry->second.held, false)) --alive_held_;
    mail_.released.push_back(key);
  }
  mail_arrived_.Signal();
}

void EngineInbox::RequestSnapshot() {
  {
    MutexLock lock(mutex_);
    mail_.snapshot = true;
  }
  mail_arrived_.Signal();
}

void EngineInbox::StopAdmission(absl::Status reason) {
  MutexLock lock(mutex_);
  if (admission_.ok()) admission_ = std::move(reason);
}

void EngineInbox::Close() {
  {
    MutexLock lock(mutex_);
    mail_.closed = true;
  }
  mail_arrived_.Signal();
}

bool EngineInbox::HasMailLocked() const {
  return !mail_.submitted.empty() || !mail_.cancelled.empty() || !mail_.cancelled_choices.empty() ||
         !mail_.released.empty() || mail_.cancel_all.has_value() || mail_.snapshot || mail_.closed;
}

void EngineInbox::Take(bool wait, Mail& mail) {
  MutexLock lock(mutex_);
  while (wait && !HasMailLocked()) mail_arrived_.Wait(lock);
  TakeLocked(mail);
}

void EngineInbox::TakeBefore(Clock& clock, MonotonicTime deadline, Mail& mail) {
  MutexLock lock(mutex_);
  while (!HasMailLocked()) {
    if (!mail_arrived_.WaitUntil(clock, lock, deadline)) break;
  }
  TakeLocked(mail);
}

void EngineInbox::TakeLocked(Mail& mail) {
  mail.submitted.clear();
  mail.cancelled.clear();
  mail.cancelled_choices.clear();
  mail.released.clear();
  std::swap(mail.submitted, mail_.submitted);
  std::swap(mail.cancelled, mail_.cancelled);
  std::swap(mail.cancelled_choices, mail_.cancelled_choices);
  std::swap(mail.released, mail_.released);
  mail.cancel_all = std::exchange(mail_.cancel_all, std::nullopt);
  mail.snapshot = std::exchange(mail_.snapshot, false);
  mail.closed = mail_.closed;  // stays: nothing is taken afterwards
}

void EngineInbox::Ended(RequestKey key) {
  bool none = false;
  {
    MutexLock lock(mutex_);
    const auto entry = alive_.find(key);
    BATON_CHECK(entry != alive_.end()) << "ended twice: request=" << key.value();
    alive_prompt_tokens_ -= entry->second.prompt_tokens;
    if (entry->second.held) --alive_held_;
    alive_.erase(entry);
    none = alive_.empty();
  }
  if (none) none_alive_.SignalAll();
}

int32_t EngineInbox::alive_count() const {
  MutexLock lock(mutex_);
  return static_cast<int32_t>(alive_.size());
}

bool EngineInbox::WaitUntilNoneAlive(Clock& clock, MonotonicTime deadline) {
  MutexLock lock(mutex_);
  while (!alive_.empty()) {
    if (!none_alive_.WaitUntil(clock, lock, deadline)) return alive_.empty();
  }
  return true;
}

}  // namespace baton::worker
