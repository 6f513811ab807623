#include "worker/parallel/local_communicator.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {
namespace internal {

LocalGroup::LocalGroup(int size, Clock& clock, Duration deadline)
    : clock_(clock), deadline_(deadline), offers_(static_cast<size_t>(size)) {}

absl::Status LocalGroup::Meet(int rank, const Offer& offer) {
  MutexLock lock(mutex_);
  if (!broken_.ok()) return broken_;
  offers_[static_cast<size_t>(rank)] = offer;
  if (count_ == 0) first_rank_ = rank;
  RETURN_IF_ERROR(CompareLocked(rank));
  return AwaitOthersLocked(lock, rank, offer.operation);
}

absl::Status LocalGroup::Depart() {
  MutexLock lock(mutex_);
  const uint64_t round = round_;
  if (++count_ == size()) {
    StartRoundLocked();
  } else {
    while (round_ == round) changed_.Wait(lock);
  }
  return broken_;
}

absl::Status LocalGroup::AwaitOthersLocked(MutexLock& lock, int rank, std::string_view operation) {
  const uint64_t round = round_;
  if (++count_ == size()) {
    StartRoundLocked();
    return absl::OkStatus();
  }
  const MonotonicTime deadline = clock_.Now() + deadline_;
  while (broken_.ok() && round_ == round) {
    if (changed_.WaitUntil(clock_, lock, deadline)) continue;
    if (!broken_.ok() || round_ != round) break;
    FailLocked(DeadlineExceeded(absl::StrCat("collective: ", ToAbsl(operation), " #", round / 2,
                                             " of rank=", rank, " waited ", ToSeconds(deadline_),
                                             " s, ", count_, "/", size(), " ranks came")));
  }
  return round_ != round ? absl::OkStatus() : broken_;
}

void LocalGroup::StartRoundLocked() {
  count_ = 0;
  ++round_;
  changed_.SignalAll();
}

absl::Status LocalGroup::CompareLocked(int rank) {
  const Offer& mine = offer(rank);
  const Offer& first = offer(first_rank_);
  if (mine.operation == first.operation && mine.size == first.size && mine.root == first.root) {
    return absl::OkStatus();
  }
  FailLocked(Internal(absl::StrCat("collective: #", round_ / 2, " of rank=", rank, " is ",
                                   ToAbsl(mine.operation), " of ", mine.size, " from ", mine.root,
                                   ", of rank=", first_rank_, " ", ToAbsl(first.operation), " of ",
                                   first.size, " from ", first.root)));
  return broken_;
}

void LocalGroup::Abort(const absl::Status& reason) {
  MutexLock lock(mutex_);
  FailLocked(Aborted(absl::StrCat("collective: #", round_ / 2, " aborted: ", reason.message())));
}

void LocalGroup::FailLocked(const absl::Status& reason) {
  if (broken_.ok()) broken_ = reason;
  changed_.SignalAll();
}

}  // namespace internal

namespace {

using internal::LocalGroup;

class LocalCommunicator final : public Communicator {
 public:
  LocalCommunicator(std::shared_ptr<LocalGroup> group, int rank)
      : group_(std::move(group)), rank_(rank) {}

  Shard shard() const override { return {rank_, group_->size()}; }

  absl::Status AllReduceSum(absl::Span<float> data) override {
    if (shard().whole()) return absl::OkStatus();
    RETURN_IF_ERROR(group_->Meet(rank_, {.operation = "all_reduce",
                                         .send = data.data(),
                                         .receive = data.data(),
                                         .size = data.size()}));
    AddShare(data.size());
    return group_->Depart();
  }

  absl::Status AllGather(absl::Span<const float> mine, absl::Span<float> all) override {
    BATON_CHECK(all.size() == mine.size() * static_cast<size_t>(group_->size()))
        << "all_gather: mine=" << mine.size() << " all=" << all.size();
    RETURN_IF_ERROR(
        group_->Meet(rank_, {.operation = "all_gather", .send = mine.data(), .size = mine.size()}));
    for (int rank = 0; rank < group_->size() && !mine.empty(); ++rank) {
      const auto* from = static_cast<const float*>(group_->offer(rank).send);
      std::copy_n(from, mine.size(), all.data() + static_cast<size_t>(rank) * mine.size());
    }
    return group_->Depart();
  }

  absl::Status Broadcast(absl::Span<std::byte> bytes, int root) override {
    if (shard().whole()) return absl::OkStatus();
    RETURN_IF_ERROR(group_->Meet(
        rank_,
        {.operation = "broadcast", .send = bytes.data(), .size = bytes.size(), .root = root}));
    if (rank_ != root && !bytes.empty()) {
      std::memcpy(bytes.data(), group_->offer(root).send, bytes.size());
    }
    return group_->Depart();
  }

  void Abort(const absl::Status& reason) override { group_->Abort(reason); }

 private:
  // Sums this rank's share of the elements over all ranks, in order of rank, and stores it with
  // every rank. Nobody else touches these elements before Depart.
  void AddShare(size_t size) {
    const Range share = shard().ChunkOf(static_cast<int64_t>(size));
    for (int64_t i = share.begin; i < share.end(); ++i) {
      float sum = static_cast<const float*>(group_->offer(0).send)[i];
      for (int rank = 1; rank < group_->size(); ++rank) {
        sum += static_cast<const float*>(group_->offer(rank).send)[i];
      }
      for (int rank = 0; rank < group_->size(); ++rank) {
        static_cast<float*>(group_->offer(rank).receive)[i] = sum;
      }
    }
  }

  const std::shared_ptr<LocalGroup> group_;
  const int rank_;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> MakeLocalCommunicators(int size, Clock& clock,
                                                                  Duration deadline) {
  BATON_CHECK(size > 0) << "communicators: size=" << size;
  auto group = std::make_shared<LocalGroup>(size, clock, deadline);
  std::vector<std::unique_ptr<Communicator>> ranks;
  for (int rank = 0; rank < size; ++rank) {
    ranks.push_back(std::make_unique<LocalCommunicator>(group, rank));
  }
  return ranks;
}

}  // namespace baton::worker
