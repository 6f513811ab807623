// GGUF models that are split into parts.

#include "worker/loader/gguf_source.h"

#include <gtest/gtest.h>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_llama.h"
#include "worker/loader/checkpoint.h"

namespace baton::worker {
namespace {

// The tiny Llama in three parts, the first without tensors, as llama-gguf-split can write it.
class SplitGgufTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kParts = 3;

  SplitGgufTest() {
    for (uint32_t part = 0; part < kParts; ++part) WritePart(part);
  }

  void WritePart(uint32_t part, uint32_t stated = UINT32_MAX) {
    std::string keys = part == 0 ? TinyLlamaGgufKeys() : "";
    tiny::AppendKey(keys, "split.no", stated == UINT32_MAX ? part : stated);
    tiny::AppendKey(keys, "split.count", kParts);
    tiny::AppendKey(keys, "split.tensors.count", static_cast<uint32_t>(tensors_.size()));
    const auto middle = tensors_.begin() + 5;
    const std::vector<TinyTensor> of_part[] = {
        {}, {tensors_.begin(), middle}, {middle, tensors_.end()}};
    tiny::WriteFile(PathOf(part), TinyGgufFile(3 + (part == 0 ? kTinyLlamaGgufKeyCount : 0), keys,
                                               of_part[part]));
  }
  std::filesystem::path PathOf(uint32_t part) const {
    return dir_.path() / ("tiny-0000" + std::to_string(part + 1) + "-of-00003.gguf");
  }
  void ExpectFault(uint32_t part, absl::StatusCode code, const std::string& message) const {
    const absl::Status status = GgufSource::Open(PathOf(part).string()).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  }

  const ScratchDir dir_{"split-gguf"};
  const std::vector<TinyTensor> tensors_ = TinyLlamaGgufTensors();
};

TEST_F(SplitGgufTest, PartsAreOneModel) {
  for (const std::string& path : {PathOf(0).string(), dir_.string()}) {
    const auto checkpoint = Checkpoint::Open(path);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_EQ(checkpoint->architecture(), "llama");
    EXPECT_EQ(checkpoint->tensors().tensors().size(), tensors_.size());
    for (const TinyTensor& tensor : tensors_) {
      const SourceTensor* found = checkpoint->tensors().Find(tensor.name);
      ASSERT_NE(found, nullptr) << tensor.name;
      EXPECT_EQ(found->bytes, tiny::Encode(tensor, TinyDtype::kF32));
    }
    EXPECT_EQ(checkpoint->tensors().Find("output.weight")->file, "tiny-00003-of-00003.gguf");
  }
}

TEST_F(SplitGgufTest, TheFirstPartIsTheOneToName) {
  ExpectFault(1, absl::StatusCode::kInvalidArgument, "is part 2 of 3; name the first");
}

TEST_F(SplitGgufTest, APartThatIsMissingOrAnothersIsNamed) {
  WritePart(2, 1);
  ExpectFault(0, absl::StatusCode::kInvalidArgument, "tiny-00003-of-00003.gguf holds part 2 of 3");
  std::filesystem::remove(PathOf(2));
  ExpectFault(0, absl::StatusCode::kNotFound, "tiny-00003-of-00003.gguf");
}

TEST_F(SplitGgufTest, APartUnderAnotherNameFindsNoOthers) {
  std::filesystem::rename(PathOf(0), dir_.path() / "tiny.gguf");
  EXPECT_NE(GgufSource::Open((dir_.path() / "tiny.gguf").string())
                .status()
                .message()
                .find("is the first of 3 parts, but its name does not end in -00001-of-00003.gguf"),
            absl::string_view::npos);
}

TEST_F(SplitGgufTest, ATensorInTwoPartsOrInNoneIsNoticed) {
  std::string keys;
  tiny::AppendKey(keys, "split.no", uint32_t{2});
  tiny::AppendKey(keys, "split.count", kParts);
  tiny::WriteFile(PathOf(2), TinyGgufFile(2, keys, {tensors_.front()}));
  ExpectFault(0, absl::StatusCode::kInvalidArgument,
              "tensor=token_embd.weight is also in tiny-00002-of-00003.gguf");
  tiny::WriteFile(PathOf(2), TinyGgufFile(2, keys, {tensors_.back()}));
  ExpectFault(0, absl::StatusCode::kInvalidArgument, "hold 6/22 tensors");
}

TEST(GgufSource, KnowsLaterPartsByName) {
  EXPECT_TRUE(GgufSource::IsLaterPart("m-00002-of-00003.gguf"));
  EXPECT_FALSE(GgufSource::IsLaterPart("m-00001-of-00003.gguf"));
  EXPECT_FALSE(GgufSource::IsLaterPart("m.gguf"));
  EXPECT_FALSE(GgufSource::IsLaterPart("a-fairly-long-name-of-a.gguf"));
}

}  // namespace
}  // namespace baton::worker
