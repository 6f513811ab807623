#include "frontend/request/sampler_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "common/base/status.h"
#include "frontend/request/request_parser.h"
#include "tests/fakes/byte_model.h"

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SamplerRulesTest : public ::testing::Test {
 protected:
  v1::SamplingParams Added(const std::string& fields, ApiPreset preset = ApiPreset::kOpenAi) {
    const auto parsed = ParseGenerationBody(R"({"prompt":"p",)" + fields + "}",
                                            GenerationEndpoint::kCompletion, ExtraFields::kRefuse);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    v1::SamplingParams sampling;
    const absl::Status status = AddSamplers(parsed->request, preset, *tokenizer_, sampling);
    EXPECT_TRUE(status.ok()) << status;
    return sampling;
  }
  absl::Status Checked(const std::string& fields) {
    const auto parsed = ParseGenerationBody(R"({"prompt":"p",)" + fields + "}",
                                            GenerationEndpoint::kCompletion, ExtraFields::kRefuse);
    return parsed.ok() ? CheckSamplers(parsed->request, {.vocab_size = 259}) : parsed.status();
  }

  std::unique_ptr<const Tokenizer> tokenizer_ =
      *Tokenizer::FromJson(ByteTokenizerJson(), TokenizerConfig());
};

TEST_F(SamplerRulesTest, NothingIsAddedForNothing) {
  EXPECT_EQ(Added(R"("n":1)").SerializeAsString(), "");
}

TEST_F(SamplerRulesTest, LlamaCppsNamesReachTheWorker) {
  const v1::SamplingParams sampling = Added(
      R"("typical_p":0.9,"mirostat":2,"mirostat_tau":3,"xtc_probability":0.5,"top_n_sigma":1.5,
         "dynatemp_range":0.25,"min_keep":3,"repeat_penalty":1.25,"samplers":["top_k","temp","foo"],
         "dry_multiplier":0.5,"dry_sequence_breakers":["a"],"dry_penalty_last_n":-1)");
  EXPECT_EQ(sampling.typical_p(), 0.9f);
  EXPECT_EQ(sampling.mirostat().version(), 2u);
  EXPECT_EQ(sampling.mirostat().tau(), 3);
  EXPECT_EQ(sampling.xtc_probability(), 0.5f);
  EXPECT_EQ(sampling.top_n_sigma(), 1.5f);
  EXPECT_EQ(sampling.dynatemp_range(), 0.25f);
  EXPECT_EQ(sampling.min_keep(), 3u);
  EXPECT_EQ(sampling.repetition_penalty(), 1.25f);
  EXPECT_EQ(sampling.penalty_last_n(), 64u);
  EXPECT_THAT(sampling.samplers(), ElementsAre("top_k", "temperature"));
  EXPECT_EQ(sampling.dry().base(), 1.75f);
  EXPECT_EQ(sampling.dry().penalty_last_n(), std::numeric_limits<uint32_t>::max());
  EXPECT_THAT(sampling.dry().sequence_breakers(), ElementsAre("a"));
}

TEST_F(SamplerRulesTest, ThePresetBringsDefaultsAndOrder) {
  const v1::SamplingParams sampling = Added(R"("top_k":7)", ApiPreset::kLlamaCpp);
  EXPECT_EQ(sampling.temperature(), 0.8f);
  EXPECT_EQ(sampling.top_p(), 0.95f);
  EXPECT_EQ(sampling.min_p(), 0.05f);
  EXPECT_FALSE(sampling.has_repetition_penalty());
  EXPECT_EQ(sampling.penalty_last_n(), 64u);
  EXPECT_THAT(sampling.samplers(), ElementsAre("penalties", "dry", "top_n_sigma", "top_k", "typ_p",
                                               "top_p", "min_p", "xtc", "temperature"));
}

TEST_F(SamplerRulesTest, LettersNameSamplersToo) {
  EXPECT_THAT(SamplersOfLetters("kpti?"), ElementsAre("top_k", "top_p", "temperature", "infill"));
  EXPECT_THAT(SamplersOfNames({"typical_p", "InFill", ""}), ElementsAre("typ_p", "infill"));
  EXPECT_THAT(SamplersOfNames({"Top-K", "nucleus", "typ", "temp", "topn_sigma"}),
              ElementsAre("top_k", "top_p", "typ_p", "temperature", "top_n_sigma"));
  EXPECT_THAT(Added(R"("samplers":[])").samplers(), ElementsAre("temperature"));
}

TEST_F(SamplerRulesTest, ATemperatureThatIsNotNamedDoesNotRun) {
  EXPECT_EQ(Added(R"("samplers":["top_k"],"temperature":0,"dynatemp_range":0.5)").temperature(), 1);
  EXPECT_EQ(Added(R"("samplers":["temp"],"temperature":0)").temperature(), 0);
  EXPECT_EQ(Added(R"("samplers":["top_k"],"temperature":0,"mirostat":1)").temperature(), 0);
}

TEST_F(SamplerRulesTest, BiasesOfTextsAndBans) {
  const v1::SamplingParams sampling = Added(R"("logit_bias":[[65,false],["BC",1.5],[67,0.5]])");
  EXPECT_EQ(sampling.logit_bias().size(), 3u);
  EXPECT_EQ(sampling.logit_bias().at('A'), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(sampling.logit_bias().at('B'), 1.5f);
  EXPECT_EQ(sampling.logit_bias().at('C'), 2.0f);
}

TEST_F(SamplerRulesTest, TokenLists) {
  const v1::SamplingParams sampling =
      Added(R"("bad_words":["ab"," c"],"allowed_token_ids":[1,2],"prompt_logprobs":3)");
  ASSERT_EQ(sampling.bad_words_size(), 2);
  EXPECT_THAT(sampling.bad_words(0).ids(), ElementsAre('a', 'b'));
  EXPECT_THAT(sampling.bad_words(1).ids(), ElementsAre('c'));
  EXPECT_THAT(sampling.allowed_token_ids(), ElementsAre(1, 2));
  EXPECT_EQ(sampling.prompt_logprobs(), 3u);
}

TEST_F(SamplerRulesTest, RefusalsNameTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {"allowed_token_ids", R"("allowed_token_ids":[])"},
      {"allowed_token_ids", R"("allowed_token_ids":[259])"},
      {"bad_words", R"("bad_words":["a",""])"},
      {"logprob_token_ids", R"("logprob_token_ids":[-1])"},
      {"logprob_token_ids", R"("logprob_token_ids":[1],"echo":true,"max_tokens":0)"},
      {"prompt_logprobs", R"("prompt_logprobs":-1)"},
      {"prompt_logprobs", R"("prompt_logprobs":21)"},
      {"prompt_logprobs", R"("prompt_logprobs":1,"stream":true)"},
      {"mirostat", R"("mirostat":3)"},
      {"repeat_last_n", R"("repeat_last_n":-2)"},
      {"min_keep", R"("min_keep":-1)"},
      {"dry_allowed_length", R"("dry_allowed_length":-1)"},
  };
  for (const auto& [field, json] : cases) {
    const absl::Status status = Checked(json);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << json;
    EXPECT_EQ(Field(status).value_or(""), field) << json;
  }
  EXPECT_FALSE(Checked(R"("logit_bias":[[1]])").ok());
  EXPECT_FALSE(Checked(R"("logit_bias":[[1,"x"]])").ok());
}

}  // namespace
}  // namespace baton::frontend
