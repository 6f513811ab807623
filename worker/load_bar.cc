#include "worker/load_bar.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace baton::worker {
namespace {

constexpr int kWidth = 40;

}  // namespace

LoadBar::LoadBar(Clock& clock) : clock_(clock), terminal_(isatty(STDERR_FILENO) == 1) {}

LoadBar::~LoadBar() {
  if (shown_) std::fputc('\n', stderr);
}

void LoadBar::Show(uint64_t done_bytes, uint64_t total_bytes) {
  const MonotonicTime now = clock_.Now();
  if (!terminal_ || total_bytes == 0 || (now < next_ && done_bytes < total_bytes)) return;
  next_ = now + std::chrono::milliseconds(50);
  shown_ = true;
  const auto filled = static_cast<size_t>(done_bytes * kWidth / total_bytes);
  std::string bar(filled, '#');
  bar.resize(kWidth, '.');
  std::fprintf(stderr, "\rloading [%s] %3d%% of %llu MB", bar.c_str(),
               static_cast<int>(done_bytes * 100 / total_bytes),
               static_cast<unsigned long long>(total_bytes >> 20));
  std::fflush(stderr);
}

}  // namespace baton::worker
