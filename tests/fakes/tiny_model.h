// Writes the tiny random models of tests/golden/model as checkpoints: weights by the generator of
// tiny_llama.h, everything else as the golden file says it.
//
//   const TinyModel model = TinyModel::Read("gemma3.json");
//   model.WriteDirectory(dir);             // config.json and model.safetensors
//   model.WriteGguf(dir / "tiny.gguf");    // as llama.cpp's converter would have made it
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/tiny_checkpoint.h"
#include "tests/fakes/tiny_llama.h"

namespace baton {

class TinyModel {
 public:
  static TinyModel Read(const std::filesystem::path& path) {
    std::ifstream file(path);
    EXPECT_TRUE(file.good()) << path;
    return TinyModel(nlohmann::json::parse(file));
  }

  const nlohmann::json& golden() const { return golden_; }
  bool has_gguf() const { return golden_.contains("gguf"); }

  void WriteDirectory(const std::filesystem::path& dir, const char* config = "config",
                      TinyDtype dtype = TinyDtype::kF32) const {
    tiny::WriteFile(dir / "config.json", golden_[config].dump());
    TinyFile file;
    for (const auto& [name, shape] : golden_["tensors"].items()) {
      const bool packed = name.ends_with("_blocks") || name.ends_with("_scales");  // MXFP4
      file.Add(packed ? TinyFromName(name, shape.get<std::vector<int64_t>>())
                      : TinyFloats(Make(name), dtype));
    }
    tiny::WriteFile(dir / "model.safetensors", file.Safetensors());
  }

  // REQUIRES: has_gguf().
  void WriteGguf(const std::filesystem::path& path) const {
    const nlohmann::json& gguf = golden_["gguf"];
    std::string keys;
    for (const auto& [key, value] : gguf["keys"].items()) AppendValue(keys, key, value);
    std::string infos;
    std::string data;
    for (const auto& [name, row] : gguf["tensors"].items()) {
      const TinyTensor tensor = MakeGguf(row);
      tiny::AppendString(infos, name);
      tiny::Append(infos, static_cast<uint32_t>(tensor.shape.size()));
      for (size_t i = tensor.shape.size(); i-- > 0;) {
        tiny::Append<uint64_t>(infos, static_cast<uint64_t>(tensor.shape[i]));
      }
      tiny::Append<uint32_t>(infos, 0);
      tiny::Append<uint64_t>(infos, data.size());
      data += tiny::Encode(tensor, TinyDtype::kF32);
      data.resize((data.size() + 31) / 32 * 32);
    }
    std::string file = "GGUF";
    tiny::Append<uint32_t>(file, 3);
    tiny::Append<uint64_t>(file, gguf["tensors"].size());
    tiny::Append<uint64_t>(file, gguf["keys"].size());
    file += keys + infos;
    file.resize((file.size() + 31) / 32 * 32);
    tiny::WriteFile(path, file + data);
  }

 private:
  explicit TinyModel(nlohmann::json golden) : golden_(std::move(golden)) {}

  bool NormsMinusOne() const { return golden_.value("norms_minus_one", false); }

  static bool IsNorm(const std::string& name) { return name.ends_with("norm.weight"); }

  TinyTensor Make(const std::string& name) const {
    TinyTensor tensor = tiny::Make(name, golden_["tensors"][name].get<std::vector<int64_t>>());
    if (NormsMinusOne() && IsNorm(name)) {
      for (float& value : tensor.values) value -= 1.0f;
    }
    return tensor;
  }

  // What the converter makes of a tensor, or of the configuration.
  TinyTensor MakeGguf(const nlohmann::json& row) const {
    if (row.contains("values")) {
      TinyTensor tensor{"", {}, row["values"].get<std::vector<float>>()};
      tensor.shape = {static_cast<int64_t>(tensor.values.size())};
      return tensor;
    }
    const std::string name = row["from"].get<std::string>();
    TinyTensor tensor = Make(name);
    if (NormsMinusOne() && IsNorm(name)) {
      for (float& value : tensor.values) value += 1.0f;
    }
    if (row.contains("paired_heads")) Pair(row["paired_heads"].get<int64_t>(), tensor);
    return tensor;
  }

  // The two halves of each head's rows interleaved.
  static void Pair(int64_t heads, TinyTensor& tensor) {
    const std::vector<float> from = tensor.values;
    const int64_t cols = tensor.shape.size() == 1 ? 1 : tensor.shape[1];
    const int64_t head_dim = tensor.shape[0] / heads;
    for (int64_t row = 0; row < tensor.shape[0]; ++row) {
      const int64_t dim = row % head_dim;
      const int64_t source = row - dim + dim % 2 * (head_dim / 2) + dim / 2;
      std::copy_n(from.begin() + source * cols, cols, tensor.values.begin() + row * cols);
    }
  }

  // A [type, value] pair.
  static void AppendValue(std::string& to, const std::string& key, const nlohmann::json& typed) {
    const std::string type = typed[0].get<std::string>();
    if (type == "uint32") {
      tiny::AppendKey(to, key, typed[1].get<uint32_t>());
    } else if (type == "float32") {
      tiny::AppendKey(to, key, typed[1].get<float>());
    } else {
      ASSERT_EQ(type, "string") << key;
      tiny::AppendKey(to, key, std::string_view(typed[1].get_ref<const std::string&>()));
    }
  }

  const nlohmann::json golden_;
};

}  // namespace baton
