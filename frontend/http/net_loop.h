#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"
#include "common/concurrency/owned_thread.h"
#include "frontend/http/connection.h"
#include "frontend/http/listener.h"
#include "frontend/http/net_inbox.h"

namespace baton::frontend {

// How many connections the server has, over all loops.
class ConnectionCount {
 public:
  explicit ConnectionCount(size_t connections_max) : connections_max_(connections_max) {}

  // Counts one more; false if that is more than the limit (it is counted all the same).
  bool Add() { return ++count_ <= connections_max_; }
  void Remove();
  // Waits until there is none; false if `deadline` came first.
  bool WaitForNone(Clock& clock, MonotonicTime deadline);
  size_t count() const { return count_.load(); }
  size_t connections_max() const { return connections_max_; }

 private:
  const size_t connections_max_;
  std::atomic<size_t> count_{0};
  Mutex mutex_;  // only for waiting
  CondVar none_;
};

// One epoll thread and its connections. The first loop also has the listening socket, and deals
// out what it accepts in turn.
//
// Threading: the constructor and the posting of commands belong to the server; all else happens on
//            the loop's own thread `net-N`.
// Ownership: owns its connections; `context` and `count` outlive it.
class NetLoop {
 public:
  NetLoop(int index, const ConnectionContext& context, ConnectionCount& count);
  ~NetLoop();

  NetLoop(const NetLoop&) = delete;
  NetLoop& operator=(const NetLoop&) = delete;

  // Starts the thread. `listener` and `inboxes` (of all loops) are for the accepting loop alone.
  void Start(std::optional<Listener> listener, std::vector<std::shared_ptr<NetInbox>> inboxes);
  void Join();

 private:
  void Run();
  void HandleInbox();
  void HandleEvent(uint64_t id, uint32_t events);
  void HandleUnfinished();
  void Sweep();
  void AcceptSome();
  void Add(AcceptedSocket accepted);
  void AfterTurn(Connection& connection, ConnectionId id);
  int WaitMs() const;

  const int index_;
  const ConnectionContext& context_;
  ConnectionCount& count_;
  const int epoll_fd_;

  // Of the loop's thread.
  std::optional<Listener> listener_;
  int spare_fd_;  // given up for a moment when no descriptor is left, to refuse a client properly
  std::vector<std::shared_ptr<NetInbox>> inboxes_;
  size_t next_inbox_ = 0;
  absl::flat_hash_map<ConnectionId, std::unique_ptr<Connection>> connections_;
  ConnectionId next_id_;
  std::vector<ConnectionId> unfinished_;
  NetInbox::Batch batch_;
  MonotonicTime next_sweep_;
  bool stopping_ = false;

  std::optional<OwnedThread> thread_;
};

}  // namespace baton::frontend
