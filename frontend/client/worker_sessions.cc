#include "frontend/client/worker_sessions.h"

#include "common/base/status.h"
#include "frontend/client/session.h"

namespace baton::frontend {
namespace {

// A call that never reached a worker.
class NoCall : public WorkerCall {
 public:
  void Cancel() override {}
  void CancelChoice(uint32_t) override {}
};

}  // namespace

WorkerSessions::WorkerSessions(ChannelFactory make_channel, Clock& clock)
    : make_channel_(std::move(make_channel)), clock_(clock) {}

WorkerSessions::~WorkerSessions() {
  Close();
  Join();
}

std::shared_ptr<WorkerCall> WorkerSessions::Submit(const v1::WorkerRef& worker,
                                                   v1::GenerateRequest request,
                                                   std::shared_ptr<WorkerCallListener> listener) {
  request.set_epoch(worker.epoch());
  const uint32_t choices = request.n() > 0 ? request.n() : 1;
  std::shared_ptr<WorkerCall> call;
  if (const std::shared_ptr<Session> session = SessionFor(worker)) {
    call = session->Submit(std::move(request), choices, listener);
  }
  if (call == nullptr) {
    listener->OnFailed(Unavailable("worker session: closed or full"));
    call = std::make_shared<NoCall>();
  }
  return call;
}

std::shared_ptr<Session> WorkerSessions::SessionFor(const v1::WorkerRef& worker) {
  const Key key(worker.address(), worker.epoch());
  std::shared_ptr<Session> dead;  // freed outside of the lock
  {
    MutexLock lock(mutex_);
    if (closed_) return nullptr;
    const auto it = sessions_.find(key);
    if (it != sessions_.end()) {
      it->second.last_used = clock_.Now();
      if (!it->second.session->over()) return it->second.session;
      dead = std::move(it->second.session);
      sessions_.erase(it);
    }
  }
  std::shared_ptr<Session> made = OpenSession(worker.address());
  std::shared_ptr<Session> used;
  {
    MutexLock lock(mutex_);
    const auto [it, inserted] =
        sessions_.try_emplace(key, Entry{.session = made, .last_used = clock_.Now()});
    if (!closed_) used = it->second.session;
  }
  if (used != made) made->Close();  // another thread was first
  return used;
}

std::shared_ptr<Session> WorkerSessions::OpenSession(const std::string& address) {
  {
    MutexLock lock(mutex_);
    ++streams_open_;
  }
  return Session::Open(make_channel_(address), [this] {
    MutexLock lock(mutex_);
    if (--streams_open_ == 0) all_over_.SignalAll();
  });
}

void WorkerSessions::Join() {
  MutexLock lock(mutex_);
  while (streams_open_ > 0) all_over_.Wait(lock);
}

void WorkerSessions::Sweep(Duration idle) {
  std::vector<std::shared_ptr<Session>> dropped;
  {
    MutexLock lock(mutex_);
    const MonotonicTime oldest = clock_.Now() - idle;
    for (auto it = sessions_.begin(); it != sessions_.end();) {
      const Entry& entry = it->second;
      const bool unused = entry.last_used < oldest && entry.session->call_count() == 0;
      if (!unused && !entry.session->over()) {
        ++it;
        continue;
      }
      dropped.push_back(entry.session);
      sessions_.erase(it++);
    }
  }
  for (const auto& session : dropped) session->Close();
}

size_t WorkerSessions::session_count() const {
  MutexLock lock(mutex_);
  return sessions_.size();
}

void WorkerSessions::Close() {
  absl::flat_hash_map<Key, Entry> sessions;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    sessions.swap(sessions_);
  }
  for (auto& [key, entry] : sessions) entry.session->Close();
}

}  // namespace baton::frontend
