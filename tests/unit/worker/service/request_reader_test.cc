#include "worker/service/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include "common/base/status.h"
#include "common/kv/block_hash.h"

namespace baton::worker {
namespace {

class RequestReaderTest : public ::testing::Test {
 protected:
  RequestReaderTest() : reader_(model_) {
    model_.names = {"smol", "alias"};
    model_.digest = 77;
    model_.vocab_size = 100;
    model_.block_size = 4;
    model_.max_model_len = 64;
    model_.epoch = Epoch(5);
    for (uint32_t id = 1; id <= 9; ++id) message_.mutable_tokens()->add_ids(id);
  }

  // A change that breaks a request, and the field that is to be named.
  using Break = std::function<void(v1::GenerateRequest&)>;
  using Cases = std::vector<std::pair<std::string, Break>>;

  template <typename Change>
  static Break sampling(Change change) {
    return [change](v1::GenerateRequest& m) { change(*m.mutable_sampling()); };
  }

  void ExpectRefusals(const Cases& cases) {
    for (const auto& [field, make_wrong] : cases) {
      v1::GenerateRequest message = message_;
      make_wrong(message);
      const absl::Status status = reader_.Read(message).status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << field << ": " << status;
      EXPECT_EQ(Field(status).value_or("none"), field) << status;
    }
  }

  ServedModel model_;
  RequestReader reader_;
  v1::GenerateRequest message_;
};

TEST_F(RequestReaderTest, LogprobsAreBoundedByTheOperatorAndThePrompt) {
  ExpectRefusals({
      {"sampling.logprobs", sampling([](auto& s) { s.set_logprobs(129); })},
      {"sampling.prompt_logprobs", sampling([](auto& s) { s.set_prompt_logprobs(129); })},
  });
  model_.logprobs_max = 1 << 20;
  message_.mutable_sampling()->set_logprobs(129);
  EXPECT_TRUE(reader_.Read(message_).ok());
  // 9 tokens of the prompt.
  ExpectRefusals({{"sampling.prompt_logprobs",
                   sampling([](auto& s) { s.set_prompt_logprobs((4 << 20) / 9 + 1); })}});
}

TEST_F(RequestReaderTest, AMissingSeedIsTheWorkersNext) {
  const auto seeds = [&] {
    return std::pair(reader_.Read(message_)->params.seed, reader_.Read(message_)->params.seed);
  };
  EXPECT_NE(seeds(), seeds());
  model_.seeds = std::make_shared<SeedSource>(7);
  const auto first = seeds();
  EXPECT_NE(first.first, first.second);
  model_.seeds = std::make_shared<SeedSource>(7);
  EXPECT_EQ(seeds(), first);
  model_.seeds = std::make_shared<SeedSource>(8);
  EXPECT_NE(seeds(), first);
}

TEST_F(RequestReaderTest, FillsDefaultsAndHashes) {
  const auto request = reader_.Read(message_);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->choices, 1);
  EXPECT_EQ(request->params.temperature, 1.0f);
  EXPECT_EQ(request->params.top_p, 1.0f);
  EXPECT_EQ(request->params.repetition_penalty, 1.0f);
  EXPECT_FALSE(request->params.logprobs.has_value());
  EXPECT_EQ(request->prompt.size(), 9u);
  EXPECT_EQ(request->block_hashes,
            HashBlocks(BlockChainRoot({.model_digest = 77, .block_size = 4}), request->prompt, 4));
}

TEST_F(RequestReaderTest, SaltsAreDifferentChains) {
  const auto plain = reader_.Read(message_);
  message_.set_cache_salt("tenant");
  const auto salted = reader_.Read(message_);
  EXPECT_NE(plain->block_hashes.front(), salted->block_hashes.front());
}

TEST_F(RequestReaderTest, AMissingSeedIsDrawn) {
  EXPECT_NE(reader_.Read(message_)->params.seed, reader_.Read(message_)->params.seed);
  message_.mutable_sampling()->set_seed(9);
  EXPECT_EQ(reader_.Read(message_)->params.seed, 9u);
}

TEST_F(RequestReaderTest, ReadsEveryField) {
  v1::SamplingParams& sampling = *message_.mutable_sampling();
  sampling.set_temperature(0);
  sampling.set_top_k(5);
  sampling.set_min_p(0.5f);
  (*sampling.mutable_logit_bias())[3] = -2;
  sampling.add_stop_token_ids(4);
  sampling.set_max_tokens(20);
  sampling.set_min_tokens(2);
  sampling.set_ignore_eos(true);
  sampling.set_logprobs(0);
  sampling.set_seed(1);
  message_.set_priority(-3);
  message_.set_lease(8);
  message_.set_choice_offset(2);
  message_.set_resumed_tokens(3);
  message_.set_model("alias");
  message_.set_epoch(5);
  const auto request = reader_.Read(message_);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_TRUE(request->params.greedy());
  EXPECT_EQ(request->params.top_k, 5);
  EXPECT_EQ(request->params.logit_bias.front(), std::make_pair(TokenId{3}, -2.0f));
  EXPECT_EQ(request->params.stop_token_ids, std::vector<TokenId>{4});
  EXPECT_EQ(request->params.logprobs, 0);
  EXPECT_EQ(request->priority, -3);
  EXPECT_EQ(request->lease, 8u);
  EXPECT_EQ(request->choice_offset, 2);
  EXPECT_EQ(request->resumed_tokens, 3);
}

TEST_F(RequestReaderTest, EveryTokenMayHaveABias) {
  auto& biases = *message_.mutable_sampling()->mutable_logit_bias();
  for (uint32_t token = 0; token < 100; ++token) biases[token] = 1;
  const auto request = reader_.Read(message_);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->params.logit_bias.size(), 100u);
}

TEST_F(RequestReaderTest, NamesTheFieldAtFault) {
  const Cases cases = {
      {"prompt", [](auto& m) { m.clear_tokens(); }},
      {"prompt", [](auto& m) { m.mutable_tokens()->clear_ids(); }},
      {"text", [](auto& m) { m.set_text("no tokenizer"); }},
      {"tokens.ids[4]", [](auto& m) { m.mutable_tokens()->set_ids(4, 100); }},
      {"n", [](auto& m) { m.set_n(1u << 20); }},
      {"request_id", [](auto& m) { m.set_request_id(std::string(600, 'x')); }},
      {"cache_salt", [](auto& m) { m.set_cache_salt(std::string(600, 'x')); }},
      {"choice_offset", [](auto& m) { m.set_choice_offset(~0u); }},
      {"sampler_state", [](auto& m) { m.set_sampler_state("mu"); }},
      {"sampler_state",
       [](auto& m) {
         m.set_resumed_tokens(2);
         m.mutable_sampling()->set_seed(1);
         m.mutable_sampling()->mutable_mirostat()->set_version(2);
         m.set_sampler_state("mu");
       }},
      {"resumed_tokens",
       [](auto& m) {
         m.set_resumed_tokens(9);
         m.mutable_sampling()->set_seed(1);
       }},
      {"sampling.seed", [](auto& m) { m.set_resumed_tokens(2); }},
      {"n",
       [](auto& m) {
         m.set_resumed_tokens(2);
         m.set_n(2);
       }},
      {"sampling.temperature", sampling([](auto& s) { s.set_temperature(-0.1f); })},
      {"sampling.temperature", sampling([](auto& s) { s.set_temperature(NAN); })},
      {"sampling.temperature", sampling([](auto& s) { s.set_temperature(INFINITY); })},
      {"sampling.top_p", sampling([](auto& s) { s.set_top_p(0); })},
      {"sampling.top_p", sampling([](auto& s) { s.set_top_p(1.1f); })},
      {"sampling.min_p", sampling([](auto& s) { s.set_min_p(2); })},
      {"sampling.repetition_penalty", sampling([](auto& s) { s.set_repetition_penalty(0); })},
      {"sampling.presence_penalty", sampling([](auto& s) { s.set_presence_penalty(1e4f); })},
      {"sampling.frequency_penalty", sampling([](auto& s) { s.set_frequency_penalty(-1e4f); })},
      {"sampling.top_k", sampling([](auto& s) { s.set_top_k(~0u); })},
      {"sampling.max_tokens", sampling([](auto& s) { s.set_max_tokens(~0u); })},
      {"sampling.min_tokens", sampling([](auto& s) {
         s.set_max_tokens(2);
         s.set_min_tokens(3);
       })},
      {"sampling.logprobs", sampling([](auto& s) { s.set_logprobs(1000); })},
      {"sampling.logit_bias", sampling([](auto& s) { (*s.mutable_logit_bias())[100] = 1; })},
      {"sampling.logit_bias", sampling([](auto& s) { (*s.mutable_logit_bias())[1] = NAN; })},
      {"sampling.logit_bias", sampling([](auto& s) { (*s.mutable_logit_bias())[1] = INFINITY; })},
      {"sampling.stop_token_ids", sampling([](auto& s) { s.add_stop_token_ids(100); })},
  };
  ExpectRefusals(cases);
}

TEST_F(RequestReaderTest, NamesTheSamplerFieldAtFault) {
  const Cases cases = {
      {"sampling.allowed_token_ids", sampling([](auto& s) { s.add_allowed_token_ids(100); })},
      {"sampling.bad_words", sampling([](auto& s) { s.add_bad_words(); })},
      {"sampling.thinking_budget.forced_end",
       sampling([](auto& s) { s.mutable_thinking_budget()->set_tokens(1); })},
      {"sampling.thinking_budget.openers", sampling([](auto& s) {
         s.mutable_thinking_budget()->mutable_forced_end()->add_ids(1);
         s.mutable_thinking_budget()->add_openers();
       })},
      {"sampling.thinking_budget.closers", sampling([](auto& s) {
         s.mutable_thinking_budget()->mutable_forced_end()->add_ids(1);
         s.mutable_thinking_budget()->add_closers()->add_ids(100);
       })},
      {"sampling.thinking_budget.tokens",
       sampling([](auto& s) { s.mutable_thinking_budget()->set_tokens(~0u); })},
      {"sampling.thinking_budget", sampling([](auto& s) {
         for (int i = 0; i < 17; ++i) s.mutable_thinking_budget()->add_closers()->add_ids(1);
       })},
      {"sampling.bad_words", sampling([](auto& s) { s.add_bad_words()->add_ids(100); })},
      {"sampling.prompt_logprobs", sampling([](auto& s) { s.set_prompt_logprobs(1000); })},
      {"sampling.logprob_token_ids", sampling([](auto& s) { s.add_logprob_token_ids(1); })},
      {"sampling.typical_p", sampling([](auto& s) { s.set_typical_p(0); })},
      {"sampling.dynatemp_range", sampling([](auto& s) { s.set_dynatemp_range(-1); })},
      {"sampling.dynatemp_exponent", sampling([](auto& s) { s.set_dynatemp_exponent(NAN); })},
      {"sampling.top_n_sigma", sampling([](auto& s) { s.set_top_n_sigma(NAN); })},
      {"sampling.xtc_probability", sampling([](auto& s) { s.set_xtc_probability(2); })},
      {"sampling.xtc_threshold", sampling([](auto& s) { s.set_xtc_threshold(-1); })},
      {"sampling.min_keep", sampling([](auto& s) { s.set_min_keep(~0u); })},
      {"sampling.samplers", sampling([](auto& s) { s.add_samplers("top_q"); })},
      {"sampling.samplers", sampling([](auto& s) { s.add_samplers("mirostat"); })},
      {"sampling.samplers", sampling([](auto& s) { s.add_samplers("infill"); })},
      {"sampling.dry.multiplier", sampling([](auto& s) { s.mutable_dry()->set_multiplier(-1); })},
      {"sampling.dry.base", sampling([](auto& s) { s.mutable_dry()->set_base(0.5f); })},
      {"sampling.mirostat.version",
       sampling([](auto& s) { s.mutable_mirostat()->set_version(3); })},
      {"sampling.mirostat.tau", sampling([](auto& s) { s.mutable_mirostat()->set_tau(NAN); })},
      {"sampling.mirostat.eta", sampling([](auto& s) { s.mutable_mirostat()->set_eta(-1); })},
  };
  ExpectRefusals(cases);
}

TEST_F(RequestReaderTest, AnotherModelOrEpochIsNotInvalid) {
  message_.set_model("gpt");
  EXPECT_TRUE(absl::IsNotFound(reader_.Read(message_).status()));
  message_.set_model("smol");
  message_.set_epoch(6);
  EXPECT_TRUE(absl::IsAborted(reader_.Read(message_).status()));
}

}  // namespace
}  // namespace baton::worker
