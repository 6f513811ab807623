// What a worker is told of a budget for reasoning: marks as tokens, and what the prompt has spent.
#include "frontend/generation/thinking_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frontend/request/request_parser.h"
#include "tests/fakes/byte_model.h"

namespace baton::frontend {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const ModelContext> ModelThatReasons(const std::string& format,
                                                     const std::string& special = {}) {
  ModelCard card = ByteModelCard();
  if (!special.empty()) {
    std::string& tokenizer = card.files["tokenizer.json"];
    tokenizer.replace(tokenizer.find("<|extra|>"), std::string("<|extra|>").size(), special);
  }
  ModelOverrides overrides;
  overrides.reasoning_format = FindReasoningFormat(format);
  return *LoadModelContext(card, ByteModelEntry(), overrides, 0);
}

GenerationRequest RequestOf(const std::string& budget) {
  auto parsed = ParseGenerationBody(R"({"prompt":"p","thinking_token_budget":)" + budget + "}",
                                    GenerationEndpoint::kCompletion, ExtraFields::kIgnore);
  BATON_CHECK(parsed.ok()) << std::string(parsed.status().message());
  return parsed->request;
}

v1::ThinkingBudget Added(const ModelContext& model, std::string_view prompt,
                         const ChatReply* reply = nullptr) {
  v1::SamplingParams sampling;
  const absl::Status status = AddThinkingBudget(RequestOf("7"), model, reply,
                                                *model.tokenizer->Encode(prompt, {}), sampling);
  EXPECT_TRUE(status.ok()) << status;
  return sampling.thinking_budget();
}

std::vector<TokenId> IdsOf(const v1::TokenIds& message) {
  return {message.ids().begin(), message.ids().end()};
}

TEST(ThinkingBudget, MarksAreTokensOrTexts) {
  const auto model = ModelThatReasons("qwen3", "</think>");
  const v1::ThinkingBudget budget = Added(*model, "p");
  EXPECT_EQ(budget.tokens(), 7u);
  ASSERT_EQ(budget.openers_size(), 1);
  EXPECT_EQ(IdsOf(budget.openers(0)), BytesOf("<think>"));
  ASSERT_EQ(budget.closers_size(), 2) << "a call's mark ends reasoning, too";
  EXPECT_EQ(IdsOf(budget.closers(0)),
            std::vector<TokenId>{*model->tokenizer->FindToken("</think>")});
  EXPECT_EQ(IdsOf(budget.closers(1)), BytesOf("<tool_call>"));
  EXPECT_EQ(IdsOf(budget.forced_end()), IdsOf(budget.closers(0)));
}

TEST(ThinkingBudget, ForcesTheMarkThatTheModelHas) {
  const auto model = ModelThatReasons("mistral", "</think>");
  EXPECT_EQ(IdsOf(Added(*model, "p").forced_end()),
            std::vector<TokenId>{*model->tokenizer->FindToken("</think>")});
  EXPECT_EQ(IdsOf(Added(*ModelThatReasons("mistral"), "p").forced_end()), BytesOf("[/THINK]"));
}

TEST(ThinkingBudget, APromptSpeaksForItself) {
  const auto model = ModelThatReasons("qwen3");
  EXPECT_FALSE(Added(*model, "no mark").has_spent_in_prompt());
  EXPECT_FALSE(Added(*model, "<think>a</think>b").has_spent_in_prompt());
  EXPECT_EQ(Added(*model, "x<think>").spent_in_prompt(), 0u);
  EXPECT_TRUE(Added(*model, "x<think>").has_spent_in_prompt());
  EXPECT_EQ(Added(*model, "<think>a</think>b<think>four").spent_in_prompt(), 4u);
}

TEST(ThinkingBudget, MarksInAChatsMessagesAreTheirs) {
  const auto model = ModelThatReasons("qwen3");
  ChatReply reply;
  reply.parse.reasoning = model->reasoning_format;
  reply.parse.reasoning_start = ReasoningStart::kByText;
  EXPECT_FALSE(Added(*model, "what is <think>? assistant:", &reply).has_spent_in_prompt());
  reply.parse.reasoning_start = ReasoningStart::kInside;
  EXPECT_EQ(Added(*model, "assistant:<think>\n", &reply).spent_in_prompt(), 1u);
  EXPECT_EQ(Added(*model, "<think>a</think>b assistant:", &reply).spent_in_prompt(), 0u);
  EXPECT_TRUE(Added(*model, "assistant:", &reply).has_spent_in_prompt());
}

TEST(ThinkingBudget, AModelWithoutKnownMarksIsRefused) {
  for (const auto& model : {MakeByteModel(), ModelThatReasons("openai_gptoss")}) {
    v1::SamplingParams sampling;
    const absl::Status status = AddThinkingBudget(RequestOf("0"), *model, nullptr, {}, sampling);
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr("thinking_token_budget is set"));
    EXPECT_TRUE(AddThinkingBudget(RequestOf("-1"), *model, nullptr, {}, sampling).ok());
    EXPECT_TRUE(AddThinkingBudget(RequestOf("null"), *model, nullptr, {}, sampling).ok());
    EXPECT_FALSE(sampling.has_thinking_budget());
  }
}

}  // namespace
}  // namespace baton::frontend
