#include "worker/model/moe_keys.h"

#include <gtest/gtest.h>

#include <map>

#include "common/gguf/gguf_file.h"
#include "tests/fakes/tiny_checkpoint.h"

namespace baton::worker {
namespace {

absl::StatusOr<DecoderSpec> FromHf(const std::string& text) {
  const absl::StatusOr<JsonConfig> config = JsonConfig::Parse(text, "config.json");
  EXPECT_TRUE(config.ok()) << config.status();
  DecoderSpec spec;
  const absl::Status status = ReadHfExperts(*config, spec);
  if (!status.ok()) return status;
  return spec;
}

TEST(MoeKeys, FamiliesNameTheNumberOfExpertsInThreeWays) {
  for (const char* key : {"num_experts", "num_local_experts", "n_routed_experts"}) {
    const auto spec = FromHf("{\"" + std::string(key) + R"(": 12, "num_experts_per_tok": 3})");
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(spec->moe.routing.expert_count, 12);
    EXPECT_EQ(spec->moe.routing.experts_per_token, 3);
  }
}

TEST(MoeKeys, WhatIsMissingOrNoSizeIsNamed) {
  const auto expect = [](const std::string& text, const std::string& message) {
    const absl::Status status = FromHf(text).status();
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  };
  expect(R"({"num_experts_per_tok": 3})", "key=num_experts is missing");
  expect(R"({"num_experts": 8})", "key=num_experts_per_tok is missing");
  expect(R"({"num_experts": -8, "num_experts_per_tok": 3})", "key=num_experts is -8");
}

// What `keys` say of a model of four layers whose dense feed-forward is 100 wide.
absl::StatusOr<DecoderSpec> FromGguf(const std::map<std::string, uint32_t>& keys) {
  TinyFile file;
  file.AddKey("general.architecture", std::string_view("some"));
  for (const auto& [key, value] : keys) file.AddKey("some." + key, value);
  absl::StatusOr<GgufFile> parsed = GgufFile::Parse(file.Gguf(), "tiny.gguf");
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  DecoderSpec spec;
  spec.intermediate_size = 100;
  EXPECT_TRUE(SetLayerCount(4, spec).ok());
  const absl::Status status = ReadGgufExperts(parsed->metadata(), "some", spec);
  if (!status.ok()) return status;
  return spec;
}

TEST(MoeKeys, GgufSaysWhichLayersAreDense) {
  const auto spec = FromGguf({{"expert_count", 8},
                              {"expert_used_count", 2},
                              {"expert_feed_forward_length", 44},
                              {"leading_dense_block_count", 3}});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->moe.expert_size, 44);
  for (size_t layer = 0; layer < 4; ++layer) {
    EXPECT_EQ(spec->layers[layer].feed_forward,
              layer < 3 ? FeedForwardKind::kDense : FeedForwardKind::kExperts);
  }
}

TEST(MoeKeys, GgufOfMixtralSaysLess) {
  const auto spec = FromGguf({{"expert_count", 8}, {"expert_used_count", 2}});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->moe.expert_size, 100);
  EXPECT_EQ(spec->layers[0].feed_forward, FeedForwardKind::kExperts);
  const absl::Status status = FromGguf({{"expert_count", 8}}).status();
  EXPECT_NE(status.message().find("some.expert_used_count"), absl::string_view::npos) << status;
}

TEST(MoeKeys, MoreDenseLayersThanThereAreLeaveNone) {
  const auto spec =
      FromGguf({{"expert_count", 8}, {"expert_used_count", 2}, {"leading_dense_block_count", 9}});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->layers[3].feed_forward, FeedForwardKind::kDense);
}

}  // namespace
}  // namespace baton::worker
