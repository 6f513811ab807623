#include "common/gguf/gguf_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/unit/common/gguf/gguf_builder.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint32_t kU8 = 0, kI32 = 5, kU32 = 4, kF32 = 6, kBool = 7, kString = 8, kArray = 9,
                   kU64 = 10;
constexpr uint32_t kTypeF32 = 0, kTypeQ4_1 = 3, kTypeQ8_0 = 8;

std::string IntArray(const std::vector<int32_t>& values) {
  std::string raw = GgufBuilder::Raw(kI32) + GgufBuilder::Raw<uint64_t>(values.size());
  for (const int32_t value : values) raw += GgufBuilder::Raw(value);
  return raw;
}

GgufBuilder Sample() {
  GgufBuilder builder;
  builder.Key("general.architecture", kString, GgufBuilder::Str("llama"))
      .Key("llama.block_count", kU32, GgufBuilder::Raw<uint32_t>(30))
      .Key("llama.rope.freq_base", kF32, GgufBuilder::Raw(1e5f))
      .Key("negative", kI32, GgufBuilder::Raw<int32_t>(-3))
      .Key("flag", kBool, GgufBuilder::Raw<uint8_t>(1))
      .Key("huge", kU64, GgufBuilder::Raw<uint64_t>(~uint64_t{0}))
      .Key("ints", kArray, IntArray({3, -1, 7}))
      .Key("tokens", kArray, GgufBuilder::StringArray({"a", "", "<|im_end|>"}))
      .Tensor("token_embd.weight", {64, 2}, kTypeQ8_0, 0)
      .Tensor("norm.weight", {5}, kTypeF32, 160);
  return builder;
}

std::string ErrorOf(const std::string& bytes) {
  const absl::StatusOr<GgufFile> file = GgufFile::Parse(bytes, "m.gguf");
  return file.ok() ? "accepted" : std::string(file.status().message());
}

TEST(GgufFile, ReadsTypedKeys) {
  const absl::StatusOr<GgufFile> file = GgufFile::Parse(Sample().Build(180), "m.gguf");
  ASSERT_TRUE(file.ok()) << file.status();
  const GgufMetadata& metadata = file->metadata();
  EXPECT_EQ(metadata.GetString("general.architecture").value(), "llama");
  EXPECT_EQ(metadata.GetUint("llama.block_count").value(), 30u);
  EXPECT_EQ(metadata.GetInt("negative").value(), -3);
  EXPECT_DOUBLE_EQ(metadata.GetFloat("llama.rope.freq_base").value(), 1e5);
  EXPECT_TRUE(metadata.GetBool("flag").value());
  EXPECT_EQ(metadata.GetUint("huge").value(), ~uint64_t{0});
  EXPECT_THAT(metadata.GetInts("ints").value(), ElementsAre(3, -1, 7));
  const GgufStringArray tokens = metadata.GetStrings("tokens").value();
  EXPECT_EQ(tokens.size(), 3u);
  EXPECT_THAT(std::vector<std::string>(tokens.begin(), tokens.end()),
              ElementsAre("a", "", "<|im_end|>"));
  EXPECT_EQ(metadata.GetUintOr("absent", 7).value(), 7u);
  EXPECT_EQ(metadata.entries().size(), 8u);
}

TEST(GgufFile, NamesKeyAndTypesWhenAccessIsWrong) {
  const absl::StatusOr<GgufFile> file = GgufFile::Parse(Sample().Build(180), "m.gguf");
  ASSERT_TRUE(file.ok()) << file.status();
  const GgufMetadata& metadata = file->metadata();
  EXPECT_EQ(metadata.GetUint("absent").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(metadata.GetUint("negative").status().ToString(), HasSubstr("key=negative"));
  EXPECT_THAT(metadata.GetInt("huge").status().ToString(), HasSubstr("got uint64"));
  EXPECT_THAT(metadata.GetFloat("llama.block_count").status().ToString(),
              HasSubstr("got uint32, expected float"));
  EXPECT_THAT(metadata.GetUintOr("flag", 1).status().ToString(), HasSubstr("got bool"));
  EXPECT_THAT(metadata.GetStrings("ints").status().ToString(), HasSubstr("got array of int32"));
  EXPECT_THAT(metadata.GetInts("tokens").status().ToString(), HasSubstr("got array of string"));
}

TEST(GgufFile, PlacesTensors) {
  const std::string bytes = Sample().Build(180);
  const absl::StatusOr<GgufFile> file = GgufFile::Parse(bytes, "m.gguf");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->tensors().size(), 2u);
  const GgufTensor* embedding = file->FindTensor("token_embd.weight");
  ASSERT_NE(embedding, nullptr);
  EXPECT_EQ(embedding->size_bytes, 4u * 34u);
  EXPECT_EQ(embedding->element_count, 128u);
  EXPECT_EQ(embedding->offset_bytes, file->data_offset_bytes());
  EXPECT_EQ(file->data_offset_bytes() % 32, 0u);
  const GgufTensor* norm = file->FindTensor("norm.weight");
  ASSERT_NE(norm, nullptr);
  EXPECT_EQ(file->TensorBytes(*norm), bytes.substr(file->data_offset_bytes() + 160, 20));
  EXPECT_EQ(file->FindTensor("absent"), nullptr);
}

TEST(GgufFile, MetadataSectionParsesAlone) {
  absl::StatusOr<GgufFile> whole = GgufFile::Parse(Sample().Build(180), "m.gguf");
  ASSERT_TRUE(whole.ok()) << whole.status();
  const GgufFile moved = *std::move(whole);
  EXPECT_EQ(moved.MetadataSection().size(), moved.metadata_bytes());
  const absl::StatusOr<GgufFile> part =
      GgufFile::Parse(std::string(moved.MetadataSection()), "card");
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_EQ(part->metadata().GetString("general.architecture").value(), "llama");
  EXPECT_EQ(part->metadata().entries().size(), moved.metadata().entries().size());
  EXPECT_TRUE(part->tensors().empty());
}

TEST(GgufFile, HonoursAlignment) {
  GgufBuilder builder;
  builder.Key("general.alignment", kU32, GgufBuilder::Raw<uint32_t>(128))
      .Tensor("a", {4}, kTypeF32, 0)
      .Tensor("b", {4}, kTypeF32, 128);
  const absl::StatusOr<GgufFile> file = GgufFile::Parse(builder.Build(144, 128), "m.gguf");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->alignment_bytes(), 128u);
  EXPECT_EQ(file->FindTensor("b")->offset_bytes, file->data_offset_bytes() + 128);
  for (const uint32_t bad : {0u, 3u, 1u << 31}) {
    GgufBuilder other;
    other.Key("general.alignment", kU32, GgufBuilder::Raw(bad));
    EXPECT_THAT(ErrorOf(other.Build()), HasSubstr("general.alignment="));
  }
}

TEST(GgufFile, RefusesWhatItCannotRead) {
  EXPECT_THAT(ErrorOf("GGML...."), HasSubstr("not a GGUF file"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("not a GGUF file: file=m.gguf"));
  EXPECT_THAT(ErrorOf(GgufBuilder().Version(1).Build()), HasSubstr("version 1, expected 2 or 3"));
  EXPECT_THAT(ErrorOf(GgufBuilder().Version(3u << 24).Build()), HasSubstr("big-endian"));
  EXPECT_EQ(ErrorOf(GgufBuilder().Version(2).Build()), "accepted");
  EXPECT_THAT(ErrorOf(GgufBuilder().Key("k", 13, "x").Build()),
              HasSubstr("value type 13: file=m.gguf key=k"));
  const std::string nested = GgufBuilder::Raw(kArray) + GgufBuilder::Raw<uint64_t>(1);
  EXPECT_THAT(ErrorOf(GgufBuilder().Key("k", kArray, nested).Build()),
              HasSubstr("array of value type 9"));
  EXPECT_THAT(ErrorOf(GgufBuilder().Tensor("t", {4}, 4, 0).Build(16)),
              HasSubstr("tensor type 4: file=m.gguf tensor=t"));
}

TEST(GgufFile, RefusesClaimsThatCannotBeTrue) {
  constexpr uint64_t kHuge = uint64_t{1} << 62;
  EXPECT_THAT(ErrorOf(GgufBuilder().Counts(0, kHuge).Build()), HasSubstr("keys cannot fit"));
  EXPECT_THAT(ErrorOf(GgufBuilder().Counts(kHuge, 0).Build(64)), HasSubstr("tensors cannot fit"));
  EXPECT_THAT(ErrorOf(GgufBuilder().Key("k", kString, GgufBuilder::Raw(kHuge)).Build()),
              HasSubstr("truncated: file=m.gguf key=k"));
  for (const uint32_t type : {kU8, kString, kU64}) {
    const std::string raw = GgufBuilder::Raw(type) + GgufBuilder::Raw(kHuge);
    EXPECT_THAT(ErrorOf(GgufBuilder().Key("k", kArray, raw).Build()),
                HasSubstr("array cannot fit"));
  }
  EXPECT_THAT(ErrorOf(GgufBuilder()
                          .Key("k", kBool, GgufBuilder::Raw<uint8_t>(0))
                          .Key("k", kBool, GgufBuilder::Raw<uint8_t>(0))
                          .Build()),
              HasSubstr("duplicate key: file=m.gguf key=k"));
}

TEST(GgufFile, RefusesImpossibleTensors) {
  constexpr uint64_t kHuge = uint64_t{1} << 40;
  const auto error = [](const std::vector<uint64_t>& dims, uint32_t type, uint64_t offset) {
    return ErrorOf(GgufBuilder().Tensor("t", dims, type, offset).Build(64));
  };
  EXPECT_THAT(error({kHuge, kHuge}, kTypeF32, 0), HasSubstr("shape overflows"));
  EXPECT_THAT(error({kHuge, uint64_t{1} << 23}, kTypeF32, 0), HasSubstr("size overflows"));
  EXPECT_THAT(error({1, 1, 1, 1, 1}, kTypeF32, 0), HasSubstr("5 dimensions"));
  EXPECT_THAT(error({33}, kTypeQ4_1, 0), HasSubstr("whole Q4_1 blocks of 32"));
  EXPECT_THAT(error({4}, kTypeF32, 4), HasSubstr("not aligned"));
  EXPECT_THAT(error({17}, kTypeF32, 0), HasSubstr("outside the file: file=m.gguf tensor=t"));
  EXPECT_THAT(error({4}, kTypeF32, 96), HasSubstr("outside the file"));
  EXPECT_THAT(error({4}, kTypeF32, ~uint64_t{31}), HasSubstr("outside the file"));
  EXPECT_EQ(error({16}, kTypeF32, 0), "accepted");
  EXPECT_EQ(error({}, kTypeF32, 0), "accepted");
  EXPECT_EQ(error({0, 5}, kTypeF32, 64), "accepted");
  EXPECT_THAT(
      ErrorOf(GgufBuilder().Tensor("a", {9}, kTypeF32, 0).Tensor("b", {4}, kTypeF32, 32).Build(64)),
      HasSubstr("tensors overlap: file=m.gguf tensor=a tensor=b"));
  EXPECT_THAT(
      ErrorOf(GgufBuilder().Tensor("a", {4}, kTypeF32, 0).Tensor("a", {4}, kTypeF32, 32).Build(64)),
      HasSubstr("duplicate tensor: file=m.gguf tensor=a"));
}

TEST(GgufFile, EveryTruncationFailsOrIsTheMetadataSection) {
  const std::string bytes = Sample().Build(180);
  const uint64_t metadata_bytes = GgufFile::Parse(bytes, "m").value().metadata_bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const absl::StatusOr<GgufFile> file = GgufFile::Parse(bytes.substr(0, size), "m.gguf");
    EXPECT_EQ(file.ok(), size == metadata_bytes) << size;
  }
}

// Sanitizers watch: no mutation may read outside the buffer or allocate wildly.
TEST(GgufFile, SurvivesMutations) {
  const std::string original = Sample().Build(180);
  std::mt19937_64 random(20240607);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = original;
    for (uint64_t flips = random() % 4 + 1; flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const absl::StatusOr<GgufFile> file = GgufFile::Parse(bytes, "m.gguf");
    if (!file.ok()) continue;
    for (const GgufTensor& tensor : file->tensors()) {
      EXPECT_EQ(file->TensorBytes(tensor).size(), tensor.size_bytes);
    }
    for (const GgufEntry& entry : file->metadata().entries()) {
      static_cast<void>(file->metadata().GetInts(entry.key));
      static_cast<void>(file->metadata().GetFloats(entry.key));
      if (const auto strings = file->metadata().GetStrings(entry.key); strings.ok()) {
        EXPECT_EQ(static_cast<size_t>(std::distance(strings->begin(), strings->end())),
                  strings->size());
      }
    }
  }
}

TEST(GgufFile, OpenMapsAFileAndWantsAllOfIt) {
  const std::string path = testing::TempDir() + "/gguf_file_test.gguf";
  const std::string bytes = Sample().Build(180);
  std::ofstream(path, std::ios::binary) << bytes;
  absl::StatusOr<GgufFile> file = GgufFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const uint64_t metadata_bytes = file->metadata_bytes();
  EXPECT_EQ(file->TensorBytes(file->tensors()[1]).size(), 20u);

  std::filesystem::resize_file(path, metadata_bytes);
  EXPECT_THAT(GgufFile::Open(path).status().ToString(), HasSubstr("tensors cannot fit"));
  std::filesystem::resize_file(path, 0);
  EXPECT_THAT(GgufFile::Open(path).status().ToString(), HasSubstr(path));
  std::filesystem::remove(path);
  EXPECT_EQ(GgufFile::Open(path).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(GgufFile::Open(testing::TempDir()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace baton
