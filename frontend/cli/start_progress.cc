#include "frontend/cli/start_progress.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/build_info.h"
#include "common/base/strings.h"
#include "common/json/json.h"
#include "nlohmann/json.hpp"

namespace baton::frontend {
namespace {

constexpr int kBarWidth = 30;

}  // namespace

StartProgress::StartProgress(std::ostream& out, bool terminal, Clock& clock)
    : out_(out), terminal_(terminal), clock_(clock), start_(clock.Now()) {}

void StartProgress::Banner(std::string_view model, std::string_view path, int workers) {
  out_ << "Baton " << Version() << " serves " << model;
  if (model != path) out_ << " (" << path << ")";
  if (workers > 1) out_ << " with " << workers << " workers";
  out_ << std::endl;
}

void StartProgress::Loading(std::string_view startupz) {
  if (!terminal_) return;
  const auto parsed = ParseJson(startupz);
  if (!parsed.ok()) return;
  const auto total = GetDouble(*parsed, "total");
  const auto done = GetDouble(*parsed, "bytes");
  if (!total.ok() || !done.ok() || *total <= 0) return;
  const double share = std::clamp(*done / *total, 0.0, 1.0);
  const int filled = static_cast<int>(share * kBarWidth);
  const std::string bar =
      absl::StrFormat("  loading [%s%s] %3.0f%% of %.0f MB", std::string(filled, '#'),
                      std::string(kBarWidth - filled, '.'), share * 100, *total / 1e6);
  if (bar == shown_) return;
  shown_ = bar;
  out_ << "\r" << bar << std::flush;
}

void StartProgress::Ready(std::string_view url) {
  Clear();
  out_ << absl::StrFormat("Ready after %.2f s: ", ToSeconds(clock_.Now() - start_)) << url
       << " (Ctrl-C ends it)" << std::endl;
}

void StartProgress::Clear() {
  if (shown_.empty()) return;
  out_ << "\r" << std::string(shown_.size(), ' ') << "\r" << std::flush;
  shown_.clear();
}

}  // namespace baton::frontend
