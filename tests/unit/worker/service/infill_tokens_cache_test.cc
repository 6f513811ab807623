#include "worker/service/infill_tokens_cache.h"

#include <gtest/gtest.h>

#include "tests/unit/common/text/text_test_data.h"

namespace baton::worker {
namespace {

TEST(InfillTokensCache, KnowsWhatBeginsWhat) {
  const std::string model = ModelFileForTest("smollm2-135m", ".gguf");
  if (model.empty()) GTEST_SKIP() << "model smollm2-135m is absent: deploy/models.sh smollm2-135m";
  const auto tokenizer = LoadTokenizerForTest(model);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  InfillTokensCache cache(**tokenizer);
  EXPECT_EQ(cache.Find(), nullptr);
  const auto tokens = cache.Make();
  EXPECT_EQ(cache.Find(), tokens);
  EXPECT_EQ(cache.Make(), tokens) << "once is enough";
  EXPECT_EQ(tokens->end(), (*tokenizer)->eos_id());

  const auto place = [&](std::string_view text) {
    return (*tokens)[(*tokenizer)->FindToken(text).value_or(0)];
  };
  EXPECT_TRUE(place("re").Begins(place("return")));
  EXPECT_TRUE(place("re").Begins(place("re")));
  EXPECT_FALSE(place("return").Begins(place("re")));
  EXPECT_FALSE(place("re").Begins(place("Ġre"))) << "a space is text";
  EXPECT_TRUE(place("Ġ").Begins(place("Ġre")));
  const auto markup = place("<|im_end|>");
  EXPECT_FALSE(markup.Begins(markup)) << "markup has no text";
}

}  // namespace
}  // namespace baton::worker
