// What callbacks that take a status were told, in that order; waits until enough were.
//
//   AwaitedStatuses told;
//   threads.Run(compute, told.Of("a"));
//   const absl::Status status = told.Wait(1)[0].status;
//
// Threading: thread-safe.
// Ownership: outlives the callbacks that it gives out.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace baton {

class AwaitedStatuses {
 public:
  struct Told {
    std::string who;
    absl::Status status;

    // By the code: messages are another test's.
    bool operator==(const Told& other) const {
      return who == other.who && status.code() == other.status.code();
    }
    friend std::ostream& operator<<(std::ostream& out, const Told& told) {
      return out << told.who << ":" << told.status;
    }
  };

  std::function<void(const absl::Status&)> Of(const std::string& who = "") {
    return [this, who](const absl::Status& status) {
      std::lock_guard lock(mutex_);
      told_.push_back({who, status});
      changed_.notify_all();
    };
  }

  std::vector<Told> Wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return told_.size() >= count; });
    return told_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Told> told_;
};

}  // namespace baton
