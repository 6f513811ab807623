#include "worker/constraint/request_constraint.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/status_macros.h"

namespace baton::worker {
namespace {

bool HasSuffix(const std::vector<TokenId>& tokens, const std::vector<TokenId>& suffix) {
  return tokens.size() >= suffix.size() &&
         std::equal(suffix.rbegin(), suffix.rend(), tokens.rbegin());
}

}  // namespace

bool OutputConstraint::Begin(absl::Span<const TokenId> output) {
  MutexLock lock(mutex_);
  if (begun_ && size_ == output.size()) return false;  // there, under way, or failed
  if (state_ == State::kFailed) return false;
  BATON_CHECK(state_ == State::kReady && output.size() >= consumed_)
      << "constraint: output=" << output.size() << " consumed=" << consumed_;
  pending_.assign(output.begin() + static_cast<ptrdiff_t>(consumed_), output.end());
  begun_ = true;
  size_ = output.size();
  state_ = State::kPending;
  return true;
}

void OutputConstraint::Advance() {
  absl::Status status = Consume(pending_);
  if (status.ok()) status = ComputeMask();
  MutexLock lock(mutex_);
  state_ = status.ok() ? State::kReady : State::kFailed;
  status_ = std::move(status);
}

OutputConstraint::View OutputConstraint::Look(size_t output_size) const {
  MutexLock lock(mutex_);
  if (state_ == State::kFailed) return {.state = state_, .status = status_};
  if (!begun_ || size_ != output_size || state_ == State::kPending) return {};
  return {.state = State::kReady, .mask = mask_, .status = {}};
}

absl::Status OutputConstraint::Resume(absl::Span<const TokenId> output) { return Consume(output); }

bool OutputConstraint::EndsWithMarker() const {
  const auto& markers = owner_.spec().start_after;
  return std::any_of(markers.begin(), markers.end(),
                     [this](const auto& marker) { return HasSuffix(tail_, marker); });
}

absl::Status OutputConstraint::Consume(absl::Span<const TokenId> tokens) {
  consumed_ += tokens.size();
  size_t taken = 0;
  if (!started_) {
    started_ = owner_.spec().start_after.empty();
    for (; !started_ && taken < tokens.size(); ++taken) {
      tail_.push_back(tokens[taken]);
      started_ = EndsWithMarker();
    }
    if (!started_) return absl::OkStatus();
    matcher_ = owner_.grammar().NewMatcher();
  }
  if (taken == tokens.size()) return absl::OkStatus();
  return matcher_.Consume(tokens.subspan(taken));
}

absl::Status OutputConstraint::ComputeMask() {
  const TokenVocabulary& vocabulary = owner_.vocabulary();
  mask_.resize(vocabulary.mask_words());
  if (started_) return matcher_.ComputeMask(absl::MakeSpan(mask_));
  // In front of the constraint: everything but the end.
  std::fill(mask_.begin(), mask_.end(), ~uint32_t{0});
  for (const TokenId end : vocabulary.end_ids()) mask_[end / 32] &= ~(uint32_t{1} << end % 32);
  return absl::OkStatus();
}

RequestConstraint::RequestConstraint(ConstraintSpec spec, int32_t choices)
    : spec_(std::move(spec)) {
  for (int32_t i = 0; i < choices; ++i) {
    choices_.push_back(std::make_unique<OutputConstraint>(*this));
  }
}

bool RequestConstraint::IsEnd(TokenId token) const {
  const std::vector<TokenId>& ends = vocabulary_->end_ids();
  return std::find(ends.begin(), ends.end(), token) != ends.end();
}

void RequestConstraint::Adopt(std::shared_ptr<const CompiledGrammar> grammar,
                              const TokenVocabulary& vocabulary) {
  grammar_ = std::move(grammar);
  vocabulary_ = &vocabulary;
}

}  // namespace baton::worker
