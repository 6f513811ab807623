// A model that says random things, under constraints, through the engine and the executor: every
// output is complete and valid or says `length`; preemption, choices, migration and neighbours do
// not change it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "common/json/json.h"
#include "common/kv/block_hash.h"
#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_llama.h"
#include "tests/unit/common/constraint/constraint_rig.h"
#include "worker/constraint/constraint_compiler.h"
#include "worker/engine/engine_loop.h"
#include "worker/executor/load_model.h"

namespace baton::worker {
namespace {

constexpr int32_t kBlock = 16;

class Collector final : public EnginePeer {
 public:
  struct Choice {
    std::vector<TokenId> tokens;
    std::optional<FinishReason> reason;
  };
  struct Call {
    std::map<int32_t, Choice> choices;
    absl::Status failure;
    bool ended = false;
  };

  void OnStep(StepEvents& events) override {
    std::lock_guard lock(mutex_);
    for (auto& e : events.tokens) {
      calls_[e.request->call].choices[e.choice].tokens.push_back(e.sampled.token);
    }
    for (auto& e : events.finished) calls_[e.request->call].choices[e.choice].reason = e.reason;
    for (auto& e : events.failed) calls_[e.request->call].failure = e.status;
    for (const auto* request : events.ended) calls_[request->call].ended = true;
    changed_.notify_all();
  }

  Call Wait(uint64_t call) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls_[call].ended; });
    return calls_[call];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, Call> calls_;
};

class Counters final : public EngineObserver {
 public:
  void OnStep(const StepReport& report) override {
    std::lock_guard lock(mutex_);
    counters_ = report.counters;
  }
  void OnKvEvents(const KvEventBatch&) override {}
  void OnKvSnapshot(const KvSnapshot&) override {}
  EngineCounters Take() {
    std::lock_guard lock(mutex_);
    return counters_;
  }

 private:
  std::mutex mutex_;
  EngineCounters counters_;
};

// A worker without its services.
class TinyWorker {
 public:
  explicit TinyWorker(int32_t max_num_seqs = 8, int32_t block_count = 400) {
    WriteTinyLlama(dir_.path(), {});
    LoadOptions load;
    load.path = dir_.path();
    load.dtype = ComputeType::kFloat32;
    load.threads = 2;
    load.max_num_seqs = max_num_seqs;
    load.block_size = kBlock;
    auto loaded = LoadModel(load);
    BATON_CHECK(loaded.ok()) << loaded.status().ToString();
    loaded_ = *std::move(loaded);
    const ExecutorInfo& info = loaded_.executor->info();
    SchedulerRegistry registry;
    BATON_CHECK(RegisterBuiltinSchedulers(registry).ok());
    SchedulerConfig config;
    config.policy = *registry.Find("fcfs");
    config.block_size = info.block_size;
    config.block_count = std::min(block_count, info.block_count);
    config.max_model_len = std::min(160, config.block_count * kBlock);
    config.max_num_seqs = max_num_seqs;
    config.max_num_batched_tokens = 64;
    config.end_token_ids = {kByteEos};
    compiler_.emplace(
        rig_.tokenizer(),
        ConstraintCompiler::Options{
            .vocabulary = {.size = static_cast<uint32_t>(info.vocab_size), .end_ids = {kByteEos}}});
    engine_.emplace(
        EngineLoop::Config{.scheduler = config,
                           .limits = {.max_requests = 200, .max_prompt_tokens = 20'000}},
        *loaded_.executor, RealClock(), std::vector<EngineObserver*>{&counters_});
  }

  ~TinyWorker() {
    compiler_->Stop();
    engine_->Stop();
  }

  struct Ask {
    std::vector<TokenId> prompt = {'h', 'i', ' ', 't', 'h', 'e', 'r', 'e'};
    std::optional<ConstraintSpec> spec = {};
    uint64_t seed = 1;
    int32_t choices = 1;
    int32_t max_tokens = 60;
    std::vector<TokenId> resumed = {};
  };

  uint64_t Submit(const Ask& ask) {
    GenerationRequest request;
    request.key = engine_->NewKey();
    request.prompt = ask.prompt;
    request.prompt.insert(request.prompt.end(), ask.resumed.begin(), ask.resumed.end());
    request.resumed_tokens = static_cast<int32_t>(ask.resumed.size());
    request.chain_root = BlockHash(1);
    request.block_hashes = HashBlocks(request.chain_root, request.prompt, kBlock);
    request.params.temperature = 1.7f;
    request.params.seed = ask.seed;
    request.params.max_tokens = ask.max_tokens;
    request.choices = ask.choices;
    request.peer = collector_;
    request.call = ++calls_;
    const RequestKey key = request.key;
    if (ask.spec.has_value()) {
      request.constraint = std::make_shared<RequestConstraint>(*ask.spec, ask.choices);
    }
    const auto constraint = request.constraint;
    request.held =
        constraint != nullptr && (!ask.resumed.empty() || !compiler_->TryPrepare(*constraint));
    const bool held = request.held;
    const absl::Status status = engine_->Submit(std::move(request));
    BATON_CHECK(status.ok()) << status.ToString();
    if (held) {
      compiler_->Prepare(constraint, ask.resumed, [this, key](const absl::Status& done) {
        if (done.ok()) return engine_->Release(key);
        engine_->Cancel(key, done);
      });
    }
    return calls_;
  }

  Collector::Call Run(const Ask& ask) { return collector_->Wait(Submit(ask)); }
  Collector::Call Wait(uint64_t call) { return collector_->Wait(call); }
  ConstraintRig& rig() { return rig_; }
  EngineCounters counters() { return counters_.Take(); }

 private:
  ScratchDir dir_{"constrained-output"};
  ConstraintRig rig_;
  Counters counters_;
  LoadedModel loaded_;
  std::optional<ConstraintCompiler> compiler_;
  std::shared_ptr<Collector> collector_ = std::make_shared<Collector>();
  std::optional<EngineLoop> engine_;
  uint64_t calls_ = 0;
};

std::vector<ConstraintSpec> Specs() {
  return {
      ConstraintSpec::JsonSchema(
          R"({"type":"object","properties":{"name":{"type":"string","maxLength":6},"age":
              {"type":"integer","minimum":0,"maximum":130},"tags":{"type":"array","items":
              {"enum":["a","b"]},"maxItems":3}},"required":["name","age"],
              "additionalProperties":false})"),
      ConstraintSpec::JsonObject(),
      ConstraintSpec::JsonSchema(R"({"anyOf":[{"type":"integer"},{"type":"null"}]})"),
      ConstraintSpec::JsonSchema(R"({"type":"array","items":{"type":"boolean"},"maxItems":9})"),
  };
}

std::string TextOf(std::vector<TokenId> tokens) {
  if (!tokens.empty() && tokens.back() == kByteEos) tokens.pop_back();
  return std::string(tokens.begin(), tokens.end());
}

TEST(ConstrainedOutputTest, RandomTokensEndInValidJsonOrSayLength) {
  TinyWorker worker;
  int complete = 0;
  int cut = 0;
  for (const ConstraintSpec& spec : Specs()) {
    const auto grammar = worker.rig().Compile(spec);
    ASSERT_TRUE(grammar.ok());
    std::vector<uint64_t> calls;
    for (uint64_t seed = 1; seed <= 12; ++seed) {
      calls.push_back(worker.Submit({.spec = spec, .seed = seed, .choices = 2}));
    }
    for (const uint64_t call : calls) {
      const Collector::Call result = worker.Wait(call);
      EXPECT_TRUE(result.failure.ok()) << result.failure;
      for (const auto& [index, choice] : result.choices) {
        const std::string text = TextOf(choice.tokens);
        if (choice.reason == FinishReason::kStop) {
          ++complete;
          EXPECT_EQ(choice.tokens.back(), kByteEos);
          EXPECT_TRUE(ParseJson(text).ok()) << text;
          EXPECT_TRUE(ConstraintRig::AdmitsText(**grammar, text)) << text;
        } else {
          ++cut;
          EXPECT_EQ(choice.reason, FinishReason::kLength);
          EXPECT_EQ(choice.tokens.size(), 60u);
          EXPECT_EQ(*(*grammar)->NewMatcher().CountFitting(choice.tokens), 60u) << text;
        }
      }
    }
  }
  EXPECT_GT(complete, 20);
  std::printf("complete %d, cut at the length %d\n", complete, cut);
}

TEST(ConstrainedOutputTest, PreemptionAndNeighboursDoNotChangeIt) {
  std::map<std::pair<size_t, uint64_t>, std::map<int32_t, std::vector<TokenId>>> alone;
  const std::vector<ConstraintSpec> specs = Specs();
  const auto ask = [&specs](size_t which, uint64_t seed) {
    TinyWorker::Ask ask{.seed = seed, .choices = 2};
    if (which < specs.size()) ask.spec = specs[which];
    return ask;
  };
  {
    TinyWorker roomy;
    for (size_t which = 0; which <= specs.size(); ++which) {
      for (uint64_t seed = 1; seed <= 3; ++seed) {
        for (auto& [index, choice] : roomy.Run(ask(which, seed)).choices) {
          alone[{which, seed}][index] = choice.tokens;
        }
      }
    }
  }
  TinyWorker tight(8, 14);
  std::map<uint64_t, std::pair<size_t, uint64_t>> calls;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    for (size_t which = 0; which <= specs.size(); ++which) {
      calls[tight.Submit(ask(which, seed))] = {which, seed};
    }
  }
  for (const auto& [call, key] : calls) {
    for (auto& [index, choice] : tight.Wait(call).choices) {
      EXPECT_EQ(choice.tokens, alone[key][index]) << key.first << "/" << key.second;
    }
  }
  EXPECT_GT(tight.counters().preemptions, 0u);
}

TEST(ConstrainedOutputTest, AnotherWorkerGoesOnWithTheSameText) {
  TinyWorker worker;
  const TinyWorker::Ask whole{.spec = Specs()[1], .seed = 5};
  const std::vector<TokenId> tokens = worker.Run(whole).choices[0].tokens;
  ASSERT_GT(tokens.size(), 4u);
  for (const size_t cut : {size_t{1}, tokens.size() / 2, tokens.size() - 1}) {
    TinyWorker::Ask rest = whole;
    rest.resumed.assign(tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(cut));
    const std::vector<TokenId> expected(tokens.begin() + static_cast<ptrdiff_t>(cut), tokens.end());
    EXPECT_EQ(worker.Run(rest).choices[0].tokens, expected) << cut;
  }
  TinyWorker::Ask wrong = whole;
  wrong.resumed = {'x'};
  EXPECT_TRUE(absl::IsInvalidArgument(worker.Run(wrong).failure));
}

TEST(ConstrainedOutputTest, ItBeginsBehindTheMarker) {
  TinyWorker worker;
  ConstraintSpec spec = ConstraintSpec::Choice({"yes", "no"});
  spec.start_after = {{'e'}};
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    auto choice = worker.Run({.spec = spec, .seed = seed, .max_tokens = 140}).choices[0];
    const auto marker = std::find(choice.tokens.begin(), choice.tokens.end(), TokenId{'e'});
    if (marker == choice.tokens.end()) {
      EXPECT_EQ(choice.reason, FinishReason::kLength);
    } else if (choice.reason == FinishReason::kStop) {
      EXPECT_THAT(TextOf({marker + 1, choice.tokens.end()}), testing::AnyOf("yes", "no"));
    }
  }
}

TEST(ConstrainedOutputTest, WhatCannotBeEnforcedFailsItsRequestOnly) {
  TinyWorker worker;
  const uint64_t bad = worker.Submit({.spec = ConstraintSpec::JsonSchema(R"({"not":{}})")});
  const uint64_t good = worker.Submit({.spec = ConstraintSpec::Choice({"yes", "no"})});
  EXPECT_TRUE(absl::IsInvalidArgument(worker.Wait(bad).failure));
  EXPECT_THAT(TextOf(worker.Wait(good).choices[0].tokens), testing::AnyOf("yes", "no"));
}

}  // namespace
}  // namespace baton::worker
