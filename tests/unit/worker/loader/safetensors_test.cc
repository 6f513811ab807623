#include <gtest/gtest.h>

#include <cstring>

#include "tests/fakes/scratch_dir.h"
#include "tests/fakes/tiny_llama.h"
#include "worker/loader/safetensors_header.h"
#include "worker/loader/safetensors_source.h"

namespace baton::worker {
namespace {

std::string File(const std::string& header, size_t data_bytes) {
  std::string file;
  tiny::Append<uint64_t>(file, header.size());
  return file + header + std::string(data_bytes, 'x');
}

std::string Entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

void ExpectFault(const std::string& file, const std::string& message) {
  const absl::Status status = ParseSafetensors(file, "part.safetensors").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << message;
  EXPECT_NE(status.message().find("part.safetensors"), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
}

TEST(Safetensors, EntriesComeInTheOrderOfTheirBytes) {
  const std::string file = File(
      "{\"a\":" + Entry("F32", "[2]", "[4,12]") + ",\"b\":" + Entry("BF16", "[2,1]", "[0,4]") +
          ",\"c\":" + Entry("I64", "[0,7]", "[12,12]") + ",\"__metadata__\":{\"format\":\"pt\"}}",
      12);
  const auto entries = ParseSafetensors(file, "x");
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].name, "b");
  EXPECT_EQ((*entries)[0].shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ((*entries)[0].bytes.size(), 4u);
  EXPECT_EQ((*entries)[1].name, "a");
  EXPECT_EQ((*entries)[2].dtype, "I64");
}

TEST(Safetensors, AHeaderThatIsCutOrMalformedIsNamed) {
  ExpectFault("", "no safetensors file");
  ExpectFault("1234567", "no safetensors file");
  std::string huge;
  tiny::Append<uint64_t>(huge, uint64_t{1} << 60);
  ExpectFault(huge + "{}", "header of 1152921504606846976 bytes");
  std::string cut = File("{\"a\":1}", 0);
  cut.pop_back();
  ExpectFault(cut, "header of 7 bytes in a file of 14");
  ExpectFault(File("{\"a\":", 0), "malformed JSON");
  ExpectFault(File("[]", 0), "array/object");
  ExpectFault(File(std::string(100'000, '['), 0), "deep");
  std::string deep = "{\"a\":";
  for (int i = 0; i < 100; ++i) deep += "[";
  for (int i = 0; i < 100; ++i) deep += "]";
  ExpectFault(File(deep + "}", 0), "nested deeper");
}

TEST(Safetensors, ATensorThatIsWrongIsNamed) {
  const auto expect = [](const std::string& entry, const std::string& message) {
    ExpectFault(File("{\"model.w\":" + entry + "}", 8), "tensor=model.w " + message);
  };
  expect("3", "entry is not an object");
  expect(Entry("F31", "[2]", "[0,8]"), "dtype=F31 is unknown");
  expect(R"({"shape":[2],"data_offsets":[0,8]})", "has no dtype");
  expect(R"({"dtype":"F32","data_offsets":[0,8]})", "has no shape");
  expect(Entry("F32", "[-2]", "[0,8]"), "shape has a dimension");
  expect(Entry("F32", "[2.5]", "[0,8]"), "shape has a dimension");
  expect(Entry("F32", "[4294967296,4294967296,4294967296]", "[0,8]"), "shape overflows");
  expect(R"({"dtype":"F32","shape":[2]})", "has no data_offsets");
  expect(Entry("F32", "[2]", "[0]"), "has no data_offsets");
  expect(Entry("F32", "[2]", "[8,0]"), "data_offsets run backwards");
  expect(Entry("F32", "[3]", "[0,12]"), "is truncated: it ends at data byte 12, the file at 8");
  expect(Entry("F32", "[3]", "[0,8]"), "data_offsets span 8/12 bytes");
  expect(Entry("F16", "[2]", "[0,4]"), "is the last one, and 4 bytes follow it");
  expect(Entry("F16", "[2]", "[4,8]"), "follows a gap of 4 bytes");
}

TEST(Safetensors, TensorsMustNotOverlapOrAppearTwice) {
  ExpectFault(File("{\"a\":" + Entry("F32", "[2]", "[0,8]") +
                       ",\"b\":" + Entry("F32", "[1]", "[4,8]") + "}",
                   8),
              "tensor=b overlaps by 4 bytes");
  ExpectFault(File("{\"a\":" + Entry("F32", "[2]", "[0,8]") +
                       ",\"a\":" + Entry("F32", "[2]", "[0,8]") + "}",
                   8),
              "key=a appears twice");
}

// Every file that differs from a good one in one byte, or is cut, is read or refused, never worse.
TEST(Safetensors, DamagedFilesAreReadOrRefused) {
  const std::string good = File(
      "{\"a\":" + Entry("F32", "[2]", "[4,12]") + ",\"b\":" + Entry("BF16", "[2,1]", "[0,4]") + "}",
      12);
  int refused = 0;
  for (size_t i = 0; i < good.size(); ++i) {
    refused += ParseSafetensors(good.substr(0, i), "cut").ok() ? 0 : 1;
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      refused += ParseSafetensors(bad, "bad").ok() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, static_cast<int>(good.size()));
}

class SafetensorsSourceTest : public ::testing::Test {
 protected:
  void ExpectFault(absl::StatusCode code, const std::string& message) {
    const absl::Status status = SafetensorsSource::Open(dir_.string()).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_NE(status.message().find(message), absl::string_view::npos) << status;
  }
  void WriteIndex(const std::string& text) {
    tiny::WriteFile(dir_.path() / "model.safetensors.index.json", text);
  }
  const ScratchDir dir_{"safetensors"};
};

TEST_F(SafetensorsSourceTest, ShardsAreOneSource) {
  WriteTinyLlama(dir_.path(), {.dtype = TinyDtype::kBf16, .shard_count = 4});
  const auto source = SafetensorsSource::Open(dir_.string());
  ASSERT_TRUE(source.ok()) << source.status();
  const std::vector<TinyTensor> tensors = TinyLlamaTensors();
  EXPECT_EQ((*source)->tensors().size(), tensors.size());
  for (const TinyTensor& tensor : tensors) {
    const SourceTensor* found = (*source)->Find(tensor.name);
    ASSERT_NE(found, nullptr) << tensor.name;
    EXPECT_EQ(found->format, WeightFormat::kBf16);
    EXPECT_EQ(found->shape, Shape(tensor.shape));
    EXPECT_EQ(found->bytes, tiny::Encode(tensor, TinyDtype::kBf16));
  }
  EXPECT_EQ((*source)->Find("model.nothing"), nullptr);
}

TEST_F(SafetensorsSourceTest, AMissingFileIsNamed) {
  ExpectFault(absl::StatusCode::kNotFound,
              "holds neither model.safetensors nor model.safetensors.index.json");
  WriteTinyLlama(dir_.path(), {.shard_count = 2});
  std::filesystem::remove(dir_.path() / "model-1.safetensors");
  ExpectFault(absl::StatusCode::kNotFound, "model-1.safetensors");
}

TEST_F(SafetensorsSourceTest, OneFileCountsBeforeAnIndexThatIsLeftOver) {
  WriteTinyLlama(dir_.path());
  WriteIndex(R"({"weight_map":{"w":"model-00001-of-00002.safetensors"}})");
  const auto source = SafetensorsSource::Open(dir_.string());
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_NE((*source)->Find("lm_head.weight"), nullptr);
}

TEST_F(SafetensorsSourceTest, AnIndexThatLiesIsNamed) {
  WriteTinyLlama(dir_.path());
  std::filesystem::rename(dir_.path() / "model.safetensors", dir_.path() / "a.safetensors");
  WriteIndex(R"({"weight_map":{"model.nothing":"a.safetensors"}})");
  ExpectFault(absl::StatusCode::kInvalidArgument,
              "load a.safetensors: tensor=model.nothing is not there");
  WriteIndex(R"({"weight_map":{"model.norm.weight":"../../etc/passwd"}})");
  ExpectFault(absl::StatusCode::kInvalidArgument, "which is no file name");
  WriteIndex(R"({"weight_map":3})");
  ExpectFault(absl::StatusCode::kInvalidArgument, "weight_map is number/object");
  WriteIndex("{}");
  ExpectFault(absl::StatusCode::kInvalidArgument, "weight_map is missing");
}

TEST_F(SafetensorsSourceTest, ATensorInTwoShardsIsNamed) {
  const std::string file = TinySafetensors({tiny::Make("w", {2})}, TinyDtype::kF32);
  tiny::WriteFile(dir_.path() / "a.safetensors", file);
  tiny::WriteFile(dir_.path() / "b.safetensors", file);
  WriteIndex(R"({"weight_map":{"w":"a.safetensors","v":"b.safetensors"}})");
  ExpectFault(absl::StatusCode::kInvalidArgument, "tensor=w is also in a.safetensors");
}

}  // namespace
}  // namespace baton::worker
