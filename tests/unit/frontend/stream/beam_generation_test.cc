// A beam search over workers that the test plays.
#include "frontend/stream/beam_generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "tests/fakes/byte_model.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/scripted_workers.h"

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Choice {
  std::string text;
  std::vector<TokenId> ids;
  int logprobs = -1;  // how many tokens have some; -1: none are shown
  ChoiceEnd end;
};

class Recorder : public GenerationObserver {
 public:
  void OnStarted(uint32_t cached_tokens) override { started.push_back(cached_tokens); }
  void OnDelta(const ChoiceDelta& delta) override {
    EXPECT_EQ(delta.choice, choices.size());
    EXPECT_EQ(delta.output_tokens, delta.ids.size());
    choices.push_back({std::string(delta.text),
                       {delta.ids.begin(), delta.ids.end()},
                       delta.logprobs != nullptr ? delta.logprobs->sampled_size() : -1,
                       *delta.end});
  }
  void OnDone() override { ++terminals; }
  void OnError(const absl::Status& status) override {
    ++terminals;
    error = status;
  }

  std::vector<uint32_t> started;
  std::vector<Choice> choices;
  int terminals = 0;
  absl::Status error;
};

class BeamGenerationTest : public ::testing::Test {
 protected:
  GenerationSpec Spec(uint32_t width, uint32_t max_tokens) {
    GenerationSpec spec;
    spec.model = model_;
    spec.prompt = BytesOf("ask:");
    spec.n = width;
    spec.beams = BeamOptions{};
    spec.sampling.set_max_tokens(max_tokens);
    spec.cache_salt = "tenant";
    spec.priority = 4;
    return spec;
  }
  std::shared_ptr<BeamGeneration> Start(GenerationSpec spec) {
    return BeamGeneration::Start({fleet_, fleet_, metrics_}, clock_, std::move(spec), strand_,
                                 seen_);
  }
  // Places the newest routes that wait.
  void PlaceAll() {
    for (; placed_ < fleet_.routes.size(); ++placed_) fleet_.Place(placed_, "w");
  }
  void Answer(size_t call, const std::vector<std::pair<TokenId, float>>& alternatives) {
    fleet_.Accept(call, 1);
    v1::Tokens tokens;
    tokens.add_ids(alternatives.front().first);
    v1::TokenLogprobs& logprobs = *tokens.mutable_logprobs();
    logprobs.add_sampled(alternatives.front().second);
    logprobs.add_rank(1);
    logprobs.set_top_count(static_cast<uint32_t>(alternatives.size()));
    for (const auto& [token, logprob] : alternatives) {
      logprobs.add_top_ids(token);
      logprobs.add_top(logprob);
    }
    fleet_.calls.at(call).listener->OnTokens(std::move(tokens),
                                             ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH));
  }
  std::string PromptOfCall(size_t call) {
    std::string text;
    for (const uint32_t id : fleet_.calls.at(call).request.tokens().ids()) {
      text += static_cast<char>(id);
    }
    return text;
  }

  const std::shared_ptr<const ModelContext> model_ = MakeByteModel();
  FakeClock clock_;
  MetricsRegistry registry_;
  StreamMetrics metrics_{registry_};
  ScriptedWorkers fleet_;
  const std::shared_ptr<Strand> strand_ = std::make_shared<Strand>();
  const std::shared_ptr<Recorder> seen_ = std::make_shared<Recorder>();
  size_t placed_ = 0;
};

TEST_F(BeamGenerationTest, AsksForOneTokenPerBeamAndDeliversAtTheEnd) {
  Start(Spec(2, 2));
  PlaceAll();
  ASSERT_EQ(fleet_.calls.size(), 1u);
  const v1::GenerateRequest& first = fleet_.calls[0].request;
  EXPECT_EQ(PromptOfCall(0), "ask:");
  EXPECT_EQ(first.sampling().max_tokens(), 1u);
  EXPECT_EQ(first.sampling().logprobs(), 4u);
  EXPECT_EQ(first.sampling().temperature(), 0);
  EXPECT_EQ(first.cache_salt(), "tenant");
  EXPECT_EQ(first.priority(), 4);
  EXPECT_EQ(first.n(), 1u);
  Answer(0, {{'a', -1.0f}, {'b', -1.5f}, {'c', -4.0f}, {kByteEos, -8.0f}});
  PlaceAll();
  ASSERT_EQ(fleet_.calls.size(), 3u);
  EXPECT_EQ(PromptOfCall(1), "ask:a");
  EXPECT_EQ(PromptOfCall(2), "ask:b");
  // The second answers first.
  Answer(2, {{'y', -0.1f}, {'z', -3.0f}});
  EXPECT_THAT(seen_->choices, IsEmpty());
  Answer(1, {{kByteEos, -0.01f}, {'x', -9.0f}});
  ASSERT_EQ(seen_->choices.size(), 2u);
  EXPECT_EQ(seen_->choices[0].text, "a");
  EXPECT_THAT(seen_->choices[0].ids, ElementsAre('a'));
  EXPECT_EQ(seen_->choices[0].end.reason, EndReason::kStop);
  EXPECT_EQ(std::get<TokenId>(seen_->choices[0].end.stop), kByteEos);
  EXPECT_EQ(seen_->choices[1].text, "by");
  EXPECT_EQ(seen_->choices[1].end.reason, EndReason::kLength);
  EXPECT_EQ(seen_->choices[1].logprobs, -1);
  EXPECT_EQ(seen_->started.size(), 1u);
  EXPECT_EQ(seen_->terminals, 1);
  fleet_.calls.clear();
  fleet_.routes.clear();
  EXPECT_EQ(metrics_.active_generations.Value(), 0);
}

TEST_F(BeamGenerationTest, ShowsTheEndAndLogprobsToWhoAsks) {
  GenerationSpec spec = Spec(1, 2);
  spec.sampling.set_logprobs(7);
  spec.stop_text = StopText::kInclude;
  Start(std::move(spec));
  PlaceAll();
  EXPECT_EQ(fleet_.calls[0].request.sampling().logprobs(), 7u);
  Answer(0, {{'a', -1.0f}, {'b', -1.5f}});
  PlaceAll();
  Answer(1, {{kByteEos, -0.1f}, {'c', -5.0f}});
  ASSERT_EQ(seen_->choices.size(), 1u);
  EXPECT_EQ(seen_->choices[0].text, "a");
  EXPECT_THAT(seen_->choices[0].ids, ElementsAre('a', kByteEos));
  EXPECT_EQ(seen_->choices[0].logprobs, 2);
}

TEST_F(BeamGenerationTest, IgnoresTheEndOnRequest) {
  GenerationSpec spec = Spec(1, 1);
  spec.sampling.set_ignore_eos(true);
  Start(std::move(spec));
  PlaceAll();
  Answer(0, {{kByteEos, -0.1f}, {'c', -5.0f}});
  EXPECT_THAT(seen_->choices.at(0).ids, ElementsAre(kByteEos));
  EXPECT_EQ(seen_->choices[0].end.reason, EndReason::kLength);
}

TEST_F(BeamGenerationTest, CancellingEndsEveryCall) {
  const auto generation = Start(Spec(2, 8));
  PlaceAll();
  Answer(0, {{'a', -1.0f}, {'b', -1.5f}});
  PlaceAll();
  generation->Cancel();
  EXPECT_TRUE(*fleet_.calls[1].cancelled);
  EXPECT_TRUE(*fleet_.calls[2].cancelled);
  Answer(1, {{'x', -1.0f}});
  Answer(2, {{'x', -1.0f}});
  EXPECT_EQ(fleet_.routes.size(), 3u) << "and asks for nothing more";
  EXPECT_EQ(seen_->terminals, 0);
}

TEST_F(BeamGenerationTest, ACutDeliversWhatIsThere) {
  const auto generation = Start(Spec(2, 8));
  PlaceAll();
  Answer(0, {{'a', -1.0f}, {'b', -1.5f}});
  PlaceAll();
  generation->Cut(1);
  EXPECT_TRUE(*fleet_.calls[2].cancelled);
  ASSERT_EQ(seen_->choices.size(), 2u);
  EXPECT_EQ(seen_->choices[1].text, "b");
  EXPECT_EQ(seen_->choices[1].end.reason, EndReason::kLength);
  EXPECT_EQ(seen_->terminals, 1);
}

TEST_F(BeamGenerationTest, ACutBeforeTheFirstStepEndsEveryChoice) {
  const auto generation = Start(Spec(2, 8));
  generation->Cut(0);
  ASSERT_EQ(seen_->choices.size(), 2u);
  EXPECT_EQ(seen_->choices[1].text, "");
  EXPECT_EQ(seen_->choices[1].end.reason, EndReason::kLength);
  EXPECT_EQ(seen_->terminals, 1);
}

TEST_F(BeamGenerationTest, OneBeamsErrorIsTheAnswer) {
  Start(Spec(2, 8));
  PlaceAll();
  Answer(0, {{'a', -1.0f}, {'b', -1.5f}});
  PlaceAll();
  fleet_.Fail(2, InvalidArgument("no"));
  EXPECT_EQ(seen_->terminals, 1);
  EXPECT_TRUE(absl::IsInvalidArgument(seen_->error));
  EXPECT_TRUE(*fleet_.calls[1].cancelled);
}

TEST_F(BeamGenerationTest, ALostWorkerIsAskedAgainElsewhere) {
  Start(Spec(1, 1));
  PlaceAll();
  fleet_.Fail(0, Unavailable("gone"));
  PlaceAll();
  ASSERT_EQ(fleet_.calls.size(), 2u);
  Answer(1, {{'a', -1.0f}, {'b', -2.0f}});
  EXPECT_EQ(seen_->choices.at(0).text, "a");
}

TEST_F(BeamGenerationTest, TakesNoLongerThanItMay) {
  Start(Spec(1, 8));
  PlaceAll();
  clock_.Advance(BeamGeneration::kTimeMax);
  Answer(0, {{'a', -1.0f}, {'b', -2.0f}});
  EXPECT_EQ(seen_->terminals, 1);
  EXPECT_TRUE(absl::IsDeadlineExceeded(seen_->error));
}

TEST_F(BeamGenerationTest, AWorkerWithoutLogprobsIsAnError) {
  Start(Spec(1, 8));
  PlaceAll();
  fleet_.Accept(0, 1);
  fleet_.Tokens(0, 0, BytesOf("a"), ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH));
  EXPECT_TRUE(absl::IsInternal(seen_->error));
}

}  // namespace
}  // namespace baton::frontend
