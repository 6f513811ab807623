// Writes the tensors of a small random model as a checkpoint of either kind, for tests that compare
// with what transformers computed for it (tests/golden/model/tiny_*.json). Values come from a
// tensor's name alone, as in tests/golden/model/make_tiny_llama.py.
//
//   TinyFile file;
//   for (const auto& [name, shape] : golden.tensors) file.Add(TinyFromName(name, shape));
//   tiny::WriteFile(dir / "model.safetensors", file.Safetensors());
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fakes/tiny_llama.h"

namespace baton {

struct TinyFileTensor {
  std::string name;
  std::string dtype;  // as safetensors calls it
  uint32_t ggml_type = 0;
  std::vector<int64_t> shape;
  std::string bytes;
};

inline TinyFileTensor TinyFloats(const TinyTensor& tensor, TinyDtype dtype = TinyDtype::kF32) {
  constexpr const char* kNames[] = {"F32", "F16", "BF16"};
  constexpr uint32_t kTypes[] = {0, 1, 30};
  const auto at = static_cast<size_t>(dtype);
  return {tensor.name, kNames[at], kTypes[at], tensor.shape, tiny::Encode(tensor, dtype)};
}

// MXFP4's blocks hold any bytes; its scales are small powers of two.
inline TinyFileTensor TinyFromName(const std::string& name, const std::vector<int64_t>& shape,
                                   TinyDtype dtype = TinyDtype::kF32) {
  const bool scales = name.ends_with("_scales");
  if (!scales && !name.ends_with("_blocks")) return TinyFloats(tiny::Make(name, shape), dtype);
  int64_t count = 1;
  for (const int64_t dim : shape) count *= dim;
  TinyFileTensor tensor{name, "U8", 0, shape, {}};
  for (const int byte : tiny::Bytes(name, count)) {
    tensor.bytes.push_back(static_cast<char>(scales ? 122 + byte % 4 : byte));
  }
  return tensor;
}

// Equal tensors, one behind the other, as one with a dimension more.
inline TinyFileTensor TinyStack(std::string name, const std::vector<TinyFileTensor>& tensors) {
  TinyFileTensor stack = tensors.front();
  stack.name = std::move(name);
  stack.shape.insert(stack.shape.begin(), static_cast<int64_t>(tensors.size()));
  for (size_t i = 1; i < tensors.size(); ++i) stack.bytes += tensors[i].bytes;
  return stack;
}

class TinyFile {
 public:
  void Add(TinyFileTensor tensor) { tensors_.push_back(std::move(tensor)); }
  const std::vector<TinyFileTensor>& tensors() const { return tensors_; }

  std::string Safetensors() const {
    std::string header = R"({"__metadata__":{"format":"pt"})";
    std::string data;
    for (const TinyFileTensor& tensor : tensors_) {
      std::string shape;
      for (const int64_t dim : tensor.shape) {
        shape += (shape.empty() ? "" : ",") + std::to_string(dim);
      }
      const size_t begin = data.size();
      data += tensor.bytes;
      header += ",\"" + tensor.name + "\":{\"dtype\":\"" + tensor.dtype + "\",\"shape\":[" + shape +
                "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(data.size()) +
                "]}";
    }
    header += "}";
    std::string file;
    tiny::Append<uint64_t>(file, header.size());
    return file + header + data;
  }

  template <typename T>
  void AddKey(std::string_view key, T value) {
    tiny::AppendKey(keys_, key, value);
    ++key_count_;
  }
  void AddKey(std::string_view key, bool value) {
    tiny::AppendString(keys_, key);
    tiny::Append<uint32_t>(keys_, 7);
    keys_.push_back(value ? 1 : 0);
    ++key_count_;
  }

  // Those of another GGUF file: what GgufFile::MetadataSection gives.
  void TakeKeys(std::string_view metadata) {
    constexpr size_t kHeader = 24;
    keys_ = metadata.substr(kHeader);
    std::memcpy(&key_count_, metadata.data() + kHeader - sizeof(key_count_), sizeof(key_count_));
  }

  std::string Gguf() const {
    std::string infos;
    std::string data;
    for (const TinyFileTensor& tensor : tensors_) {
      tiny::AppendString(infos, tensor.name);
      tiny::Append(infos, static_cast<uint32_t>(tensor.shape.size()));
      for (size_t i = tensor.shape.size(); i-- > 0;) {
        tiny::Append<uint64_t>(infos, static_cast<uint64_t>(tensor.shape[i]));
      }
      tiny::Append<uint32_t>(infos, tensor.ggml_type);
      tiny::Append<uint64_t>(infos, data.size());
      data += tensor.bytes;
      data.resize((data.size() + 31) / 32 * 32);
    }
    std::string file = "GGUF";
    tiny::Append<uint32_t>(file, 3);
    tiny::Append<uint64_t>(file, tensors_.size());
    tiny::Append<uint64_t>(file, key_count_);
    file += keys_ + infos;
    file.resize((file.size() + 31) / 32 * 32);
    return file + data;
  }

 private:
  std::vector<TinyFileTensor> tensors_;
  std::string keys_;
  uint64_t key_count_ = 0;
};

}  // namespace baton
