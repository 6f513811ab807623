#include "frontend/stream/generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "tests/fakes/byte_model.h"
#include "tests/fakes/scripted_workers.h"

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;

// Writes down what a generation delivers.
class Recorder : public GenerationObserver {
 public:
  void OnStarted(uint32_t) override { ++started; }
  void OnDelta(const ChoiceDelta& delta) override {
    EXPECT_EQ(terminals, 0);
    if (delta.choice >= texts.size()) {
      texts.resize(delta.choice + 1);
      ends.resize(delta.choice + 1);
      tokens.resize(delta.choice + 1);
    }
    EXPECT_FALSE(ends[delta.choice].has_value()) << "a delta after the end";
    texts[delta.choice] += delta.text;
    tokens[delta.choice] += static_cast<uint32_t>(delta.ids.size());
    EXPECT_EQ(tokens[delta.choice], delta.output_tokens);
    if (delta.end != nullptr) ends[delta.choice] = *delta.end;
  }
  void OnDone() override { ++terminals; }
  void OnError(const absl::Status& status) override {
    ++terminals;
    error = status;
  }

  int started = 0;
  int terminals = 0;
  absl::Status error;
  std::vector<std::string> texts;
  std::vector<uint32_t> tokens;
  std::vector<std::optional<ChoiceEnd>> ends;
};

class GenerationTest : public ::testing::Test {
 protected:
  GenerationSpec Spec(uint32_t n = 1) {
    GenerationSpec spec;
    spec.model = model_;
    spec.prompt = BytesOf("prompt of more than sixteen tokens");
    spec.n = n;
    spec.sampling.set_max_tokens(100);
    return spec;
  }
  std::shared_ptr<Generation> Start(GenerationSpec spec) {
    return Generation::Start({fleet_, fleet_, metrics_}, std::move(spec), strand_, seen_);
  }
  static v1::Finished Length(uint32_t choice = 0) {
    return ScriptedWorkers::End(choice, v1::FINISH_REASON_LENGTH);
  }

  const std::shared_ptr<const ModelContext> model_ = MakeByteModel();
  MetricsRegistry registry_;
  StreamMetrics metrics_{registry_};
  ScriptedWorkers fleet_;
  const std::shared_ptr<Strand> strand_ = std::make_shared<Strand>();
  const std::shared_ptr<Recorder> seen_ = std::make_shared<Recorder>();
};

TEST_F(GenerationTest, StreamsTextAndEndsOnce) {
  Start(Spec());
  ASSERT_EQ(fleet_.routes.size(), 1u);
  EXPECT_EQ(fleet_.routes[0].request.block_hashes_size(), 2);  // 34 tokens, blocks of 16
  fleet_.Place(0, "w1", 77);
  EXPECT_EQ(fleet_.calls.at(0).request.lease(), 77u);
  fleet_.Accept(0, 5);
  fleet_.Tokens(0, 0, BytesOf("Hello "));
  fleet_.Tokens(0, 0, BytesOf("world"), Length());
  EXPECT_THAT(seen_->texts, ElementsAre("Hello world"));
  EXPECT_EQ(seen_->ends[0]->reason, EndReason::kLength);
  EXPECT_EQ(seen_->started, 1);
  EXPECT_EQ(seen_->terminals, 1);
  EXPECT_EQ(metrics_.active_generations.Value(), 1);  // the fake still holds the listener
  fleet_.calls.clear();
  fleet_.routes.clear();
  EXPECT_EQ(metrics_.active_generations.Value(), 0);
}

TEST_F(GenerationTest, AStopTokenIsCountedAndNotShown) {
  GenerationSpec spec = Spec();
  spec.skip_special_tokens = false;
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 5);
  std::vector<TokenId> ids = BytesOf("hi");
  ids.push_back(kByteEos);
  fleet_.Tokens(0, 0, ids, ScriptedWorkers::End(0, v1::FINISH_REASON_STOP, kByteEos));
  EXPECT_THAT(seen_->texts, ElementsAre("hi"));
  EXPECT_THAT(seen_->tokens, ElementsAre(3u));
  EXPECT_EQ(seen_->ends[0]->stop.index(), 0u);
}

TEST_F(GenerationTest, ARequestedStopTokenIsNamed) {
  GenerationSpec spec = Spec();
  spec.sampling.add_stop_token_ids('!');
  spec.stop_text = StopText::kInclude;
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 5);
  fleet_.Tokens(0, 0, BytesOf("hi!"), ScriptedWorkers::End(0, v1::FINISH_REASON_STOP, '!'));
  EXPECT_THAT(seen_->texts, ElementsAre("hi!"));
  EXPECT_EQ(std::get<TokenId>(seen_->ends[0]->stop), static_cast<TokenId>('!'));
}

TEST_F(GenerationTest, TheModelsOwnEndIsNamedWhereItIsNoEndByItself) {
  GenerationSpec spec = Spec();
  spec.sampling.add_stop_token_ids(kByteEos);
  spec.sampling.set_ignore_eos(true);
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 5);
  fleet_.Tokens(0, 0, {kByteEos}, ScriptedWorkers::End(0, v1::FINISH_REASON_STOP, kByteEos));
  EXPECT_EQ(std::get<TokenId>(seen_->ends[0]->stop), kByteEos);
}

TEST_F(GenerationTest, AChoiceThatRepeatsItselfEndsThere) {
  GenerationSpec spec = Spec();
  spec.repetition = {.pattern_min = 2, .pattern_max = 3, .count_min = 3};
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 5);
  fleet_.Tokens(0, 0, BytesOf("aaa, bcbc"));
  EXPECT_THAT(seen_->texts, ElementsAre("aaa, bcbc"));
  EXPECT_EQ(seen_->terminals, 0);
  fleet_.Tokens(0, 0, BytesOf("bcbcbc"));
  EXPECT_THAT(seen_->texts, ElementsAre("aaa, bcbcbc"));
  EXPECT_THAT(seen_->tokens, ElementsAre(11u));
  EXPECT_EQ(seen_->ends[0]->reason, EndReason::kRepetition);
  EXPECT_EQ(std::get<std::string>(seen_->ends[0]->stop), "repetition_detected");
  EXPECT_TRUE(*fleet_.calls[0].cancelled);
}

TEST_F(GenerationTest, AMinimumAndTheWorkersOwnEndGoBeforeARepetition) {
  GenerationSpec spec = Spec();
  spec.repetition = {.pattern_min = 1, .pattern_max = 1, .count_min = 3};
  spec.sampling.set_min_tokens(5);
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 5);
  fleet_.Tokens(0, 0, BytesOf("aaaa"));
  EXPECT_EQ(seen_->terminals, 0);
  fleet_.Tokens(0, 0, BytesOf("a"), ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH));
  EXPECT_EQ(seen_->ends[0]->reason, EndReason::kLength);
}

TEST_F(GenerationTest, AStopStringEndsTheCallAtTheWorker) {
  GenerationSpec spec = Spec();
  spec.stop_strings = {"END"};
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 5);
  fleet_.Tokens(0, 0, BytesOf("text E"));
  EXPECT_THAT(seen_->texts, ElementsAre("text "));
  fleet_.Tokens(0, 0, BytesOf("NDmore"));
  EXPECT_THAT(seen_->texts, ElementsAre("text "));
  EXPECT_EQ(std::get<std::string>(seen_->ends[0]->stop), "END");
  EXPECT_THAT(seen_->tokens, ElementsAre(8u));  // up to the token that completed it
  EXPECT_TRUE(*fleet_.calls[0].cancelled);
  EXPECT_EQ(seen_->terminals, 1);
}

TEST_F(GenerationTest, ACutEndsItsChoiceAtWhatItHas) {
  const auto generation = Start(Spec(2));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 1);
  fleet_.Tokens(0, 1, BytesOf("abc"));
  generation->Cut(1);
  fleet_.Tokens(0, 1, BytesOf("d"));  // was on its way
  fleet_.Tokens(0, 0, BytesOf("xyz"));
  EXPECT_THAT(*fleet_.calls[0].cancelled_choices, ElementsAre(1));
  fleet_.Finish(0, 0, v1::FINISH_REASON_STOP);
  EXPECT_THAT(seen_->texts, ElementsAre("xyz", "abc"));
  EXPECT_EQ(seen_->ends[1]->reason, EndReason::kLength);
  EXPECT_EQ(seen_->ends[0]->reason, EndReason::kStop);
  EXPECT_EQ(seen_->terminals, 1);
  generation->Cut(0);  // over: nothing
}

TEST_F(GenerationTest, AQuietStopTokenEndsTheTextAndIsNotNamed) {
  GenerationSpec spec = Spec();
  spec.quiet_stop_ids = {kByteExtra};
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  EXPECT_THAT(fleet_.calls[0].request.sampling().stop_token_ids(), ElementsAre(kByteExtra));
  fleet_.Accept(0, 5);
  std::vector<TokenId> ids = BytesOf("hi");
  ids.push_back(kByteExtra);
  fleet_.Tokens(0, 0, ids, ScriptedWorkers::End(0, v1::FINISH_REASON_STOP, kByteExtra));
  EXPECT_THAT(seen_->texts, ElementsAre("hi"));
  EXPECT_EQ(seen_->ends[0]->stop.index(), 0u);
}

TEST_F(GenerationTest, AStopStringEndsItsOwnChoiceAlone) {
  GenerationSpec spec = Spec(2);
  spec.stop_strings = {"END"};
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 5);
  fleet_.Tokens(0, 0, BytesOf("other"));
  fleet_.Tokens(0, 1, BytesOf("text END"));
  EXPECT_THAT(*fleet_.calls[0].cancelled_choices, ElementsAre(1u));
  EXPECT_FALSE(*fleet_.calls[0].cancelled);
  fleet_.Tokens(0, 1, BytesOf("late"));
  fleet_.Finish(0, 1, v1::FINISH_REASON_CANCELLED);
  fleet_.Tokens(0, 0, BytesOf(" goes on"), Length(0));
  EXPECT_THAT(seen_->texts, ElementsAre("other goes on", "text "));
  EXPECT_EQ(seen_->terminals, 1);
}

TEST_F(GenerationTest, CharactersAreNeverSplit) {
  Start(Spec());
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 5);
  fleet_.Tokens(0, 0, {0xC3});
  EXPECT_EQ(seen_->texts.at(0), "");
  fleet_.Tokens(0, 0, {0xA9});
  EXPECT_EQ(seen_->texts.at(0), "\xC3\xA9");
  fleet_.Tokens(0, 0, {0xE2}, Length());
  EXPECT_EQ(seen_->texts.at(0), "\xC3\xA9\xEF\xBF\xBD");
}

TEST_F(GenerationTest, BeforeTheFirstTokenAnAttemptIsRepeatedElsewhere) {
  Start(Spec());
  fleet_.Place(0, "w1");
  fleet_.Fail(0, Unavailable("gone"));
  ASSERT_EQ(fleet_.routes.size(), 2u);
  EXPECT_THAT(fleet_.routes[1].request.excluded_workers(), ElementsAre("w1"));
  fleet_.Place(1, "w2");
  EXPECT_EQ(fleet_.calls.at(1).request.resumed_tokens(), 0u);
  fleet_.Accept(1, 5);
  fleet_.Tokens(1, 0, BytesOf("ok"), Length());
  EXPECT_THAT(seen_->texts, ElementsAre("ok"));
  EXPECT_EQ(metrics_.retries_total.Value(), 1);
  EXPECT_EQ(metrics_.migrations_total.Value(), 0);
}

TEST_F(GenerationTest, AStaleEpochDoesNotExcludeTheWorker) {
  Start(Spec());
  fleet_.Place(0, "w1");
  fleet_.Fail(0, Aborted("stale epoch"));
  EXPECT_EQ(fleet_.routes.at(1).request.excluded_workers_size(), 0);
}

TEST_F(GenerationTest, RetriesAreBounded) {
  Start(Spec());
  for (size_t i = 0; i <= Generation::kRetriesMax; ++i) {
    fleet_.Place(i, "w" + std::to_string(i));
    fleet_.Fail(i, Unavailable("gone"));
  }
  EXPECT_EQ(seen_->terminals, 1);
  EXPECT_TRUE(absl::IsUnavailable(seen_->error));
  EXPECT_EQ(fleet_.calls.size(), static_cast<size_t>(Generation::kRetriesMax) + 1);
}

TEST_F(GenerationTest, BadInputIsNotRetried) {
  Start(Spec());
  fleet_.Place(0, "w1");
  fleet_.Fail(0, InvalidArgument("no"));
  EXPECT_EQ(seen_->terminals, 1);
  EXPECT_TRUE(absl::IsInvalidArgument(seen_->error));
}

TEST_F(GenerationTest, AStreamMigratesWithItsTextAndSeed) {
  GenerationSpec spec = Spec();
  spec.stop_strings = {"xyz"};
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 99);
  fleet_.Tokens(0, 0, BytesOf("half x"));
  fleet_.Fail(0, Unavailable("stream reset"));

  const v1::RouteRequest& route = fleet_.routes.at(1).request;
  EXPECT_THAT(route.excluded_workers(), ElementsAre("w1"));
  EXPECT_EQ(route.prompt_tokens(), 34u + 6u);
  EXPECT_EQ(route.max_new_tokens(), 94u);
  fleet_.Place(1, "w2");
  const v1::GenerateRequest& resumed = fleet_.calls.at(1).request;
  EXPECT_EQ(resumed.resumed_tokens(), 6u);
  EXPECT_EQ(resumed.sampling().seed(), 99u);
  EXPECT_EQ(resumed.sampling().max_tokens(), 100u);
  EXPECT_EQ(resumed.tokens().ids_size(), 40);
  fleet_.Accept(1, 1234);
  fleet_.Tokens(1, 0, BytesOf("yz tail"));  // a stop string that began at the first worker
  EXPECT_THAT(seen_->texts, ElementsAre("half "));
  EXPECT_EQ(std::get<std::string>(seen_->ends[0]->stop), "xyz");
  EXPECT_EQ(seen_->terminals, 1);
  EXPECT_EQ(seen_->started, 1);
  EXPECT_EQ(metrics_.migrated_tokens_total.Value(), 6);
}

TEST_F(GenerationTest, ASamplersStateMigratesToo) {
  GenerationSpec spec = Spec();
  spec.sampling.mutable_mirostat()->set_version(2);
  spec.sampling.set_prompt_logprobs(0);
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 99);
  v1::Tokens scored;
  scored.set_prompt_begin(1);
  for (int i = 1; i < 34; ++i) scored.mutable_prompt_logprobs()->add_sampled(-1);
  fleet_.calls[0].listener->OnTokens(v1::Tokens(scored), std::nullopt);
  for (const char* state : {"first", "second"}) {
    v1::Tokens tokens;
    tokens.add_ids('a');
    tokens.set_sampler_state(state);
    fleet_.calls[0].listener->OnTokens(std::move(tokens), std::nullopt);
  }
  fleet_.Fail(0, Unavailable("stream reset"));
  fleet_.Place(1, "w2");
  const v1::GenerateRequest& resumed = fleet_.calls.at(1).request;
  EXPECT_EQ(resumed.sampler_state(), "second");
  EXPECT_EQ(resumed.resumed_tokens(), 2u);
  EXPECT_FALSE(resumed.sampling().has_prompt_logprobs()) << "they have all come";
}

TEST_F(GenerationTest, MigrationSplitsTheChoicesThatAreNotOver) {
  Start(Spec(3));
  fleet_.Place(0, "w1");
  EXPECT_EQ(fleet_.calls[0].request.n(), 3u);
  fleet_.Accept(0, 7);
  fleet_.Tokens(0, 0, BytesOf("a"), Length(0));
  fleet_.Tokens(0, 1, BytesOf("bb"));
  fleet_.Fail(0, Unavailable("gone"));
  ASSERT_EQ(fleet_.routes.size(), 3u);
  fleet_.Place(1, "w2");
  fleet_.Place(2, "w3");
  EXPECT_EQ(fleet_.calls[1].request.choice_offset(), 1u);
  EXPECT_EQ(fleet_.calls[1].request.resumed_tokens(), 2u);
  EXPECT_EQ(fleet_.calls[2].request.choice_offset(), 2u);
  EXPECT_EQ(fleet_.calls[2].request.resumed_tokens(), 0u);
  fleet_.Tokens(2, 2, BytesOf("c"), Length(2));
  EXPECT_EQ(seen_->terminals, 0);
  fleet_.Tokens(1, 1, BytesOf("B"), Length(1));
  EXPECT_THAT(seen_->texts, ElementsAre("a", "bbB", "c"));
  EXPECT_EQ(seen_->terminals, 1);
}

TEST_F(GenerationTest, LostAfterTheLastTokenNeedsNoMigration) {
  GenerationSpec spec = Spec();
  spec.sampling.set_max_tokens(2);
  Start(std::move(spec));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 7);
  fleet_.Tokens(0, 0, BytesOf("ab"));
  fleet_.Fail(0, Unavailable("gone"));
  EXPECT_EQ(fleet_.routes.size(), 1u);
  EXPECT_EQ(seen_->ends[0]->reason, EndReason::kLength);
  EXPECT_EQ(seen_->terminals, 1);
}

TEST_F(GenerationTest, MigrationsAreBounded) {
  Start(Spec());
  for (size_t i = 0; i <= Generation::kMigrationsMax; ++i) {
    fleet_.Place(i, "w" + std::to_string(i));
    fleet_.Tokens(i, 0, BytesOf("t"));
    fleet_.Fail(i, Unavailable("gone"));
  }
  EXPECT_EQ(seen_->texts[0], "tttt");
  EXPECT_EQ(seen_->terminals, 1);
  EXPECT_FALSE(seen_->error.ok());
}

TEST_F(GenerationTest, AWorkerThatGivesUpIsLeft) {
  Start(Spec());
  fleet_.Place(0, "w1");
  fleet_.Tokens(0, 0, BytesOf("a"));
  fleet_.Finish(0, 0, v1::FINISH_REASON_CANCELLED);
  EXPECT_EQ(fleet_.routes.size(), 2u);
  EXPECT_EQ(seen_->terminals, 0);
}

TEST_F(GenerationTest, AWorkerThatGivesUpOneChoiceIsStoppedForTheOthers) {
  Start(Spec(2));
  fleet_.Place(0, "w1");
  fleet_.Accept(0, 7);
  fleet_.Tokens(0, 0, BytesOf("a"));
  fleet_.Tokens(0, 1, BytesOf("b"));
  fleet_.Finish(0, 0, v1::FINISH_REASON_CANCELLED);
  EXPECT_TRUE(*fleet_.calls[0].cancelled);
  EXPECT_EQ(fleet_.routes.size(), 3u);  // both choices go on elsewhere
  EXPECT_EQ(seen_->terminals, 0);
}

TEST_F(GenerationTest, ARefusedRequestGivesItsPlacementBack) {
  Start(Spec());
  fleet_.Place(0, "w1", 55);
  fleet_.Fail(0, InvalidArgument("no"));
  EXPECT_THAT(fleet_.abandoned, ElementsAre(55u));
}

TEST_F(GenerationTest, AnAcceptedRequestKeepsItsPlacement) {
  Start(Spec());
  fleet_.Place(0, "w1", 55);
  fleet_.Accept(0, 7);
  fleet_.Fail(0, Unavailable("gone"));
  EXPECT_TRUE(fleet_.abandoned.empty());
}

TEST_F(GenerationTest, CancelStopsTheWorkerAndTheObserver) {
  const auto generation = Start(Spec());
  fleet_.Place(0, "w1");
  fleet_.Tokens(0, 0, BytesOf("a"));
  generation->Cancel();
  EXPECT_TRUE(*fleet_.calls[0].cancelled);
  fleet_.Tokens(0, 0, BytesOf("b"), Length());
  EXPECT_EQ(seen_->texts[0], "a");
  EXPECT_EQ(seen_->terminals, 0);
}

TEST_F(GenerationTest, APlacementThatComesTooLateIsGivenBack) {
  const auto generation = Start(Spec());
  generation->Cancel();
  fleet_.Place(0, "w1", 55);
  EXPECT_THAT(fleet_.abandoned, ElementsAre(55u));
  EXPECT_TRUE(fleet_.calls.empty());
}

TEST_F(GenerationTest, RejectsBecomeTheirErrors) {
  Start(Spec());
  fleet_.Reject(0, v1::RouteReply::Reject::CODE_NO_CAPACITY, 2500);
  EXPECT_TRUE(absl::IsUnavailable(seen_->error));
  EXPECT_EQ(RetryAfter(seen_->error), std::chrono::milliseconds(2500));
}

TEST_F(GenerationTest, AModelWhoseWorkersAreLostIsUnavailableNotUnknown) {
  Start(Spec());
  fleet_.Reject(0, v1::RouteReply::Reject::CODE_MODEL_NOT_FOUND);
  EXPECT_TRUE(absl::IsUnavailable(seen_->error));
  EXPECT_TRUE(RetryAfter(seen_->error).has_value());
}

}  // namespace
}  // namespace baton::frontend
