// Writes GGUF bytes for tests, including wrong ones on purpose.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace baton {

// Counts, types and sizes are whatever the test says; nothing is checked.
class GgufBuilder {
 public:
  template <typename T>
  static std::string Raw(T value) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
  }
  static std::string Str(std::string_view text) {
    return Raw<uint64_t>(text.size()) + std::string(text);
  }
  static std::string StringArray(const std::vector<std::string>& values) {
    std::string bytes = Raw<uint32_t>(8) + Raw<uint64_t>(values.size());
    for (const std::string& value : values) bytes += Str(value);
    return bytes;
  }

  GgufBuilder& Key(std::string_view key, uint32_t type, std::string_view raw) {
    keys_ += Str(key) + Raw(type) + std::string(raw);
    ++key_count_;
    return *this;
  }
  GgufBuilder& Tensor(std::string_view name, const std::vector<uint64_t>& dims, uint32_t type,
                      uint64_t offset) {
    tensors_ += Str(name) + Raw(static_cast<uint32_t>(dims.size()));
    for (const uint64_t dim : dims) tensors_ += Raw(dim);
    tensors_ += Raw(type) + Raw(offset);
    ++tensor_count_;
    return *this;
  }
  GgufBuilder& Version(uint32_t version) {
    version_ = version;
    return *this;
  }
  GgufBuilder& Counts(uint64_t tensors, uint64_t keys) {
    tensor_count_ = tensors;
    key_count_ = keys;
    return *this;
  }

  std::string Head() const {
    return "GGUF" + Raw(version_) + Raw(tensor_count_) + Raw(key_count_) + keys_;
  }
  std::string Build(uint64_t data_bytes = 0, uint64_t alignment = 32) const {
    std::string bytes = Head() + tensors_;
    if (data_bytes > 0) bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
    for (uint64_t i = 0; i < data_bytes; ++i) bytes += static_cast<char>(i * 7);
    return bytes;
  }

 private:
  uint32_t version_ = 3;
  uint64_t tensor_count_ = 0;
  uint64_t key_count_ = 0;
  std::string keys_;
  std::string tensors_;
};

}  // namespace baton
