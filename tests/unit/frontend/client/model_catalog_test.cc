#include "frontend/client/model_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "tests/fakes/byte_model.h"
#include "tests/fakes/fake_clock.h"

namespace baton::frontend {
namespace {

using ::testing::HasSubstr;

class Source : public ModelSource {
 public:
  absl::StatusOr<v1::ListModelsReply> ListModels() override { return list; }
  absl::StatusOr<ModelCard> FetchModelCard(const v1::FetchModelCardRequest&) override {
    ++fetches;
    return card;
  }
  absl::StatusOr<v1::ListModelsReply> list = v1::ListModelsReply();
  absl::StatusOr<ModelCard> card = ByteModelCard();
  int fetches = 0;
};

class ModelCatalogTest : public ::testing::Test {
 protected:
  void Serve(uint32_t ready_workers) {
    v1::ListModelsReply list;
    *list.add_models() = ByteModelEntry();
    list.mutable_models(0)->mutable_model()->add_aliases("alias");
    list.mutable_models(0)->set_ready_workers(ready_workers);
    source_.list = list;
  }

  FakeClock clock_;
  Source source_;
};

TEST_F(ModelCatalogTest, KnowsModelsByEveryName) {
  ModelCatalog catalog(source_, {}, clock_);
  EXPECT_TRUE(absl::IsUnavailable(catalog.Find("").status()));
  EXPECT_TRUE(RetryAfter(catalog.Find("").status()).has_value());
  Serve(1);
  EXPECT_TRUE(catalog.Refresh());
  EXPECT_TRUE(catalog.ready());
  for (const char* name : {"", "byte-model", "alias"}) EXPECT_TRUE(catalog.Find(name).ok()) << name;
  const absl::Status unknown = catalog.Find("x").status();
  EXPECT_TRUE(absl::IsNotFound(unknown));
  EXPECT_EQ(Field(unknown), "model");
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("byte-model, alias"));
  EXPECT_EQ((*catalog.Find(""))->eos_id, kByteEos);
  EXPECT_EQ((*catalog.Find(""))->token_bytes_max, 9u);  // "<|start|>"
}

TEST_F(ModelCatalogTest, TheOnlyModelIsMeantByAnyNameWhereThatIsAskedFor) {
  ModelCatalog catalog(source_, {}, clock_);
  EXPECT_TRUE(absl::IsUnavailable(catalog.FindOrOnly("x").status()));
  Serve(1);
  EXPECT_TRUE(catalog.Refresh());
  EXPECT_EQ(*catalog.FindOrOnly("x"), *catalog.Find(""));
  v1::ListModelsReply::Entry second = ByteModelEntry();
  second.mutable_model()->set_name("second");
  second.mutable_model()->set_card_digest("second");
  *source_.list->add_models() = second;
  EXPECT_TRUE(catalog.Refresh());
  EXPECT_TRUE(catalog.FindOrOnly("second").ok());
  EXPECT_TRUE(absl::IsNotFound(catalog.FindOrOnly("x").status()));
}

TEST_F(ModelCatalogTest, CardsAreFetchedOnce) {
  ModelCatalog catalog(source_, {}, clock_);
  Serve(1);
  catalog.Refresh();
  const auto first = *catalog.Find("");
  catalog.Refresh();
  EXPECT_EQ(source_.fetches, 1);
  EXPECT_EQ(*catalog.Find(""), first);
}

TEST_F(ModelCatalogTest, AFailedFetchIsTriedAgainAndABadCardIsNot) {
  ModelCatalog catalog(source_, {}, clock_);
  Serve(1);
  source_.card = Unavailable("gone");
  catalog.Refresh();
  EXPECT_FALSE(catalog.Find("").ok());
  source_.card = ModelCard();  // no tokenizer
  catalog.Refresh();
  catalog.Refresh();
  EXPECT_EQ(source_.fetches, 2);
  EXPECT_FALSE(catalog.ready());
}

TEST_F(ModelCatalogTest, ReadinessFollowsTheWorkersAndTheRouters) {
  ModelCatalog catalog(source_, {}, clock_);
  Serve(0);
  catalog.Refresh();
  EXPECT_FALSE(catalog.ready());
  EXPECT_TRUE(catalog.Find("").ok());
  Serve(2);
  catalog.Refresh();
  EXPECT_TRUE(catalog.ready());
  source_.list = Unavailable("no router");
  EXPECT_FALSE(catalog.Refresh());
  EXPECT_FALSE(catalog.ready());
  EXPECT_TRUE(catalog.Find("").ok());  // what runs goes on
}

TEST_F(ModelCatalogTest, ModelsAreKeptWhileAllWorkersAreLost) {
  ModelCatalog catalog(source_, {}, clock_);
  Serve(1);
  catalog.Refresh();
  source_.list = v1::ListModelsReply();
  EXPECT_TRUE(catalog.Refresh());
  EXPECT_FALSE(catalog.ready());
  EXPECT_EQ(catalog.models().size(), 1u);
  EXPECT_TRUE(catalog.Find("alias").ok());
  EXPECT_TRUE(absl::IsNotFound(catalog.Find("x").status()));
  Serve(1);
  catalog.Refresh();
  EXPECT_TRUE(catalog.ready());
  EXPECT_EQ(source_.fetches, 1);
}

TEST_F(ModelCatalogTest, WhatIsNoLongerListedIsForgotten) {
  ModelCatalog catalog(source_, {}, clock_);
  Serve(1);
  catalog.Refresh();
  const std::weak_ptr<const ModelContext> first = *catalog.Find("");
  source_.list->mutable_models(0)->mutable_model()->set_card_digest("another");
  catalog.Refresh();
  EXPECT_EQ(source_.fetches, 2);
  EXPECT_TRUE(first.expired());
}

TEST_F(ModelCatalogTest, OverridesWin) {
  ModelOverrides overrides;
  overrides.served_names = {"mine", "also"};
  overrides.chat_template = "{{ messages[0].content }}";
  overrides.generation_config_json = R"({"temperature":0.25,"top_k":7,"max_new_tokens":3})";
  ModelCatalog catalog(source_, overrides, clock_);
  Serve(1);
  catalog.Refresh();
  EXPECT_FALSE(catalog.Find("byte-model").ok());
  const auto model = *catalog.Find("also");
  EXPECT_EQ(model->served_names.front(), "mine");
  EXPECT_EQ(model->routed_name, "byte-model");
  EXPECT_THAT(model->tokenizer_config_json, HasSubstr("{{ messages[0].content }}"));
  EXPECT_EQ(model->defaults.temperature, 0.25);
  EXPECT_EQ(model->defaults.top_k, 7);
  EXPECT_EQ(model->defaults.max_new_tokens, 3);
}

TEST(ModelContextTest, TheOperatorsDefaultsWinAndTheirLengthIsALimit) {
  ModelCard card = ByteModelCard();
  card.files["generation_config.json"] = R"({"temperature":0.5,"top_k":9,"max_new_tokens":50})";
  ModelOverrides overrides;
  overrides.override_generation_config_json = R"({"temperature":0.7,"max_new_tokens":20})";
  const auto model = *LoadModelContext(card, ByteModelEntry(), overrides, 0);
  EXPECT_EQ(model->defaults.temperature, 0.7);
  EXPECT_EQ(model->defaults.top_k, 9);
  EXPECT_EQ(model->defaults.max_new_tokens, 50);
  EXPECT_EQ(model->defaults.max_new_tokens_cap, 20);
}

TEST(ModelContextTest, TemplatesAreChosenAsTransformersDoes) {
  ModelCard card = ByteModelCard();
  card.files["additional_chat_templates/tool_use.jinja"] = "tools";
  card.files["additional_chat_templates/rag.jinja"] = "rag";
  card.files["tokenizer_config.json"] = R"({"eos_token":"<|end|>","chat_template":"old"})";
  auto model = *LoadModelContext(card, ByteModelEntry(), {}, 0);
  EXPECT_EQ(model->named_templates.size(), 2u);
  EXPECT_EQ(model->TemplateFor(false), model->chat_template.get());
  EXPECT_EQ(model->TemplateFor(true), &model->named_templates.at("tool_use"));

  // The list form of tokenizer_config.json, without a default.
  card.files.clear();
  card.files["tokenizer.json"] = ByteTokenizerJson();
  card.files["tokenizer_config.json"] =
      R"({"chat_template":[{"name":"tool_use","template":"t"},{"name":"rag","template":"r"}]})";
  model = *LoadModelContext(card, ByteModelEntry(), {}, 0);
  EXPECT_EQ(model->TemplateFor(false), nullptr);
  EXPECT_NE(model->TemplateFor(true), nullptr);

  card.files["chat_template.json"] = R"({"chat_template":"legacy"})";
  model = *LoadModelContext(card, ByteModelEntry(), {}, 0);
  EXPECT_NE(model->TemplateFor(false), nullptr);
  EXPECT_TRUE(model->named_templates.empty());
  card.files["additional_chat_templates/rag.jinja"] = "{% if %}";
  EXPECT_FALSE(LoadModelContext(card, ByteModelEntry(), {}, 0).ok());
}

TEST(ModelContextTest, TheCardsGenerationConfigCanBeIgnored) {
  ModelCard card = ByteModelCard();
  card.files["generation_config.json"] = R"({"temperature":0.5})";
  EXPECT_EQ((*LoadModelContext(card, ByteModelEntry(), {}, 0))->defaults.temperature, 0.5);
  ModelOverrides ignore;
  ignore.ignore_generation_config = true;
  EXPECT_FALSE(
      (*LoadModelContext(card, ByteModelEntry(), ignore, 0))->defaults.temperature.has_value());
  card.files["generation_config.json"] = "{";
  EXPECT_FALSE(LoadModelContext(card, ByteModelEntry(), {}, 0).ok());
}

}  // namespace
}  // namespace baton::frontend
