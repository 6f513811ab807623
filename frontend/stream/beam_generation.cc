#include "frontend/stream/beam_generation.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "common/base/check.h"
#include "common/base/status.h"
#include "frontend/stream/choice_text.h"

namespace baton::frontend {
namespace {

BeamSearch::Options OptionsOf(const GenerationSpec& spec) {
  BATON_CHECK(spec.beams.has_value()) << "beam search: not asked for";
  BeamSearch::Options options{
      .width = spec.n,
      .length_penalty = spec.beams->length_penalty,
      .prompt_tokens = static_cast<uint32_t>(spec.prompt.size()),
      .max_tokens = spec.sampling.max_tokens(),
      .keeps_end = spec.stop_text == StopText::kInclude,
      .keeps_logprobs = spec.sampling.has_logprobs(),
  };
  if (!spec.sampling.ignore_eos()) options.end = spec.model->eos_id;
  return options;
}

ChoiceEnd EndOf(const FoundBeam& beam, const GenerationSpec& spec) {
  if (!beam.ended) return {.reason = EndReason::kLength};
  return {.reason = EndReason::kStop, .stop = *spec.model->eos_id};
}

}  // namespace

// What may follow one beam.
class BeamGeneration::StepObserver : public GenerationObserver {
 public:
  StepObserver(std::shared_ptr<BeamGeneration> generation, size_t beam)
      : generation_(std::move(generation)), beam_(beam) {}

  void OnStarted(uint32_t cached_tokens) override { generation_->OnStarted(cached_tokens); }
  void OnDelta(const ChoiceDelta& delta) override {
    if (delta.logprobs != nullptr) generation_->next_[beam_] = *delta.logprobs;
  }
  void OnDone() override { generation_->OnStepOver(); }
  void OnError(const absl::Status& status) override { generation_->OnError(status); }

 private:
  const std::shared_ptr<BeamGeneration> generation_;
  const size_t beam_;
};

std::shared_ptr<BeamGeneration> BeamGeneration::Start(
    Generation::Environment environment, Clock& clock, GenerationSpec spec,
    std::shared_ptr<Strand> strand, std::shared_ptr<GenerationObserver> observer) {
  std::shared_ptr<BeamGeneration> generation(
      new BeamGeneration(environment, clock, std::move(spec), strand, std::move(observer)));
  strand->Run([generation] {
    if (!generation->done()) generation->StartStep();
  });
  return generation;
}

BeamGeneration::BeamGeneration(Generation::Environment environment, Clock& clock,
                               GenerationSpec spec, std::shared_ptr<Strand> strand,
                               std::shared_ptr<GenerationObserver> observer)
    : environment_(environment),
      clock_(clock),
      spec_(std::move(spec)),
      strand_(std::move(strand)),
      deadline_(clock_.Now() + kTimeMax),
      observer_(std::move(observer)),
      search_(OptionsOf(spec_)) {}

void BeamGeneration::Cancel() {
  const std::shared_ptr<Strand> strand = strand_;
  strand->Run([self = shared_from_this()] { self->Release(); });
}

void BeamGeneration::Cut(uint32_t) {
  const std::shared_ptr<Strand> strand = strand_;
  strand->Run([self = shared_from_this()] {
    if (!self->done()) self->Deliver();
  });
}

// Nothing is drawn: only what is likely matters.
GenerationSpec BeamGeneration::StepSpec(size_t beam) const {
  GenerationSpec step;
  step.model = spec_.model;
  step.request_id = spec_.request_id;
  step.prompt = spec_.prompt;
  const std::vector<TokenId> ids = search_.LiveIds(beam);
  step.prompt.insert(step.prompt.end(), ids.begin(), ids.end());
  step.sampling.set_temperature(0);
  step.sampling.set_max_tokens(1);
  step.sampling.set_logprobs(
      std::max(BeamSearch::AlternativesFor(spec_.n), spec_.sampling.logprobs()));
  step.cache_salt = spec_.cache_salt;
  step.priority = spec_.priority;
  return step;
}

void BeamGeneration::StartStep() {
  if (clock_.Now() >= deadline_) {
    return OnError(DeadlineExceeded("beam search: it took longer than 10 minutes"));
  }
  beams_left_ = search_.live_count();
  next_.assign(beams_left_, {});
  generations_.clear();
  for (size_t beam = 0; beam < search_.live_count(); ++beam) {
    auto observer = std::make_shared<StepObserver>(shared_from_this(), beam);
    generations_.push_back(
        Generation::Start(environment_, StepSpec(beam), strand_, std::move(observer)));
  }
}

void BeamGeneration::OnStarted(uint32_t cached_tokens) {
  if (done() || std::exchange(started_, true)) return;
  observer_->OnStarted(cached_tokens);
}

void BeamGeneration::OnStepOver() {
  if (done() || --beams_left_ > 0) return;
  search_.Advance(std::move(next_));
  if (search_.over()) {
    Deliver();
  } else {
    StartStep();
  }
}

void BeamGeneration::Deliver() {
  const std::vector<FoundBeam> best = search_.Best();
  if (best.empty()) return OnError(Internal("beam search: a worker sent no log-probabilities"));
  const std::shared_ptr<GenerationObserver> observer = observer_;
  uint32_t index = 0;
  for (const FoundBeam& beam : best) {
    const std::span<const TokenId> ids = beam.ids;
    const bool has_end = beam.ended && spec_.stop_text == StopText::kInclude;
    ChoiceText choice(spec_);
    const ChoiceText::Output out = choice.Push(ids.first(ids.size() - (has_end ? 1 : 0)), 0);
    std::string text(out.text);
    text += choice.Flush();
    const ChoiceEnd end = EndOf(beam, spec_);
    observer->OnDelta({.choice = index++,
                       .text = text,
                       .ids = ids,
                       .text_ends = out.text_ends,
                       .logprobs = spec_.sampling.has_logprobs() ? &beam.logprobs : nullptr,
                       .end = &end,
                       .output_tokens = static_cast<uint32_t>(ids.size())});
  }
  // Cut before its first step, a search has fewer.
  const ChoiceEnd cut{.reason = EndReason::kLength};
  for (; index < spec_.n; ++index) observer->OnDelta({.choice = index, .end = &cut});
  Release();
  observer->OnDone();
}

void BeamGeneration::OnError(const absl::Status& status) {
  if (done()) return;
  const std::shared_ptr<GenerationObserver> observer = observer_;
  Release();
  observer->OnError(status);
}

void BeamGeneration::Release() {
  observer_ = nullptr;
  for (const std::weak_ptr<Generation>& weak : std::exchange(generations_, {})) {
    if (const auto generation = weak.lock()) generation->Cancel();
  }
}

}  // namespace baton::frontend
