// Every GGUF type against what the `gguf` Python package decodes, bit for bit.
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "worker/tensor/weight_format.h"

namespace baton::worker {
namespace {

std::vector<std::byte> Bytes(const std::string& hex) {
  std::vector<std::byte> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

TEST(WeightFormatGoldenTest, DecodesAsTheGgufPackageDoes) {
  std::ifstream file(std::string(BATON_SOURCE_DIR) + "/tests/golden/tensor/gguf_blocks.tsv");
  std::set<WeightFormat> seen;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name, blocks_hex, values_hex;
    fields >> name >> blocks_hex >> values_hex;
    const std::optional<WeightFormat> format = FindWeightFormat(name);
    if (!format.has_value()) continue;  // the file is ahead of the decoders
    seen.insert(*format);
    const std::vector<std::byte> blocks = Bytes(blocks_hex);
    const std::vector<std::byte> expected = Bytes(values_hex);
    const auto count = static_cast<int64_t>(expected.size() / sizeof(float));
    ASSERT_EQ(RowBytes(*format, count), blocks.size()) << name;
    std::vector<float> values(static_cast<size_t>(count));
    DecodeElements(*format, blocks.data(), 0, count, values.data());
    EXPECT_EQ(std::memcmp(values.data(), expected.data(), expected.size()), 0) << name;
    // A later part of the row alone gives the same.
    const int64_t block = InfoOf(*format).block_elements;
    DecodeElements(*format, blocks.data(), block, count - block, values.data());
    EXPECT_EQ(std::memcmp(values.data(), expected.data() + block * int64_t{sizeof(float)},
                          expected.size() - static_cast<size_t>(block) * sizeof(float)),
              0)
        << name;
  }
  EXPECT_EQ(seen.size(), 13u);
}

}  // namespace
}  // namespace baton::worker
