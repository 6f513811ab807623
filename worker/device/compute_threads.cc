#include "worker/device/compute_threads.h"

#include <pthread.h>
#include <sched.h>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/strings.h"

namespace baton::worker {

namespace {

// Longer than the gaps between the regions of a step, shorter than anything a user would notice.
constexpr Duration kSpin = std::chrono::microseconds(50);
constexpr int kPausesPerLook = 64;  // at the clock

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Returns when `word` is no longer `old`: spins first, then parks on a futex.
void AwaitChange(const std::atomic<uint32_t>& word, uint32_t old) {
  MonotonicTime give_up{};
  for (int spins = 0; word.load(std::memory_order_acquire) == old; ++spins) {
    Pause();
    if (spins % kPausesPerLook != kPausesPerLook - 1) continue;
    const MonotonicTime now = RealClock().Now();
    if (give_up == MonotonicTime{}) give_up = now + kSpin;
    if (now >= give_up) {
      word.wait(old, std::memory_order_acquire);
      spins = 0;
    }
  }
}

// Binds the calling thread to the `index`-th processor that the process may use; with fewer of
// them, to none.
void PinThisThread(int index) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || index-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
    return;
  }
}

}  // namespace

void ComputeSlice::Sync() const {
  if (threads_ != nullptr) threads_->ArriveAndWait();
}

ComputeThreads::ComputeThreads(const Options& options)
    : thread_count_(options.thread_count), isa_(options.isa), pin_(options.pin) {
  BATON_CHECK(thread_count_ > 0) << "compute threads: thread_count=" << thread_count_;
  BATON_CHECK(SupportsCpuIsa(isa_)) << "compute threads: this processor has no " << NameOf(isa_);
  threads_.reserve(static_cast<size_t>(thread_count_ - 1));
  for (int index = 1; index < thread_count_; ++index) {
    threads_.push_back(std::make_unique<OwnedThread>(
        absl::StrCat(options.name, "-", index), [this, index](std::stop_token) { Work(index); }));
  }
}

ComputeThreads::~ComputeThreads() {
  stopping_ = true;
  region_.fetch_add(1, std::memory_order_release);
  region_.notify_all();
}

void ComputeThreads::Run(Body body) {
  BATON_DCHECK(owner_.CalledOnOwner());
  if (pin_ && !owner_pinned_) {
    PinThisThread(0);
    owner_pinned_ = true;
  }
  body_ = &body;
  if (thread_count_ > 1) {
    running_.store(static_cast<uint32_t>(thread_count_ - 1), std::memory_order_relaxed);
    region_.fetch_add(1, std::memory_order_release);
    region_.notify_all();
  }
  body(ComputeSlice(0, thread_count_, isa_, this));
  for (uint32_t left = running_.load(std::memory_order_acquire); left != 0;
       left = running_.load(std::memory_order_acquire)) {
    AwaitChange(running_, left);
  }
}

void ComputeThreads::Work(int index) {
  if (pin_) PinThisThread(index);
  for (uint32_t region = 0;; ++region) {
    AwaitChange(region_, region);
    if (stopping_) return;
    (*body_)(ComputeSlice(index, thread_count_, isa_, this));
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_all();
  }
}

void ComputeThreads::ArriveAndWait() {
  if (thread_count_ == 1) return;
  const uint32_t phase = phase_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 ==
      static_cast<uint32_t>(thread_count_)) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.fetch_add(1, std::memory_order_release);
    phase_.notify_all();
  } else {
    AwaitChange(phase_, phase);
  }
}

}  // namespace baton::worker
