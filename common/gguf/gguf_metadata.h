// The key-value section of a GGUF file, as views into bytes that somebody else keeps alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton {

// Values are those on disk.
enum class GgufValueType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

std::string_view NameOf(GgufValueType type);

// An array of strings, walked front to back without a copy: a vocabulary of 150,000 tokens costs
// nothing until it is read. The lengths were checked against the file when it was parsed.
//
// Threading: immutable. Ownership: a view into the file's bytes.
class GgufStringArray {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using pointer = const std::string_view*;
    using reference = std::string_view;

    explicit Iterator(const char* at) : at_(at) {}
    std::string_view operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const char* at_;  // the 8-byte length in front of the string
  };

  GgufStringArray(std::string_view payload, size_t count) : payload_(payload), count_(count) {}
  size_t size() const { return count_; }
  Iterator begin() const { return Iterator(payload_.data()); }
  Iterator end() const { return Iterator(payload_.data() + payload_.size()); }

 private:
  std::string_view payload_;
  size_t count_;
};

// One value, undecoded. `payload` is the scalar, the string's characters, or the array's elements.
struct GgufValue {
  GgufValueType type = GgufValueType::kUint8;
  GgufValueType element_type = GgufValueType::kUint8;  // of an array
  uint64_t count = 1;                                  // elements of an array
  std::string_view payload;
};

struct GgufEntry {
  std::string_view key;
  GgufValue value;
};

// Typed access to the keys. Integers of every width and sign convert where the value fits; a float
// is never taken from an integer or the other way round, because a file that has them confused is
// wrong.
//
//   ASSIGN_OR_RETURN(uint64_t layers, metadata.GetUint("llama.block_count"));
//   ASSIGN_OR_RETURN(double base, metadata.GetFloatOr("llama.rope.freq_base", 10000.0));
//   ASSIGN_OR_RETURN(GgufStringArray tokens, metadata.GetStrings("tokenizer.ggml.tokens"));
//
// Threading: immutable after construction.
// Ownership: keys and values are views; the GgufFile that made this keeps the bytes.
// Errors:    NOT_FOUND when a Get key is absent; INVALID_ARGUMENT, naming file, key and both types,
//            when it has another type (also from the Or forms) or does not fit.
class GgufMetadata {
 public:
  GgufMetadata() = default;

  // `source` names the file in errors.
  explicit GgufMetadata(std::string source) : source_(std::move(source)) {}

  // Appends a parsed entry. INVALID_ARGUMENT when the key is there already.
  absl::Status Add(std::string_view key, const GgufValue& value);

  const std::string& source() const { return source_; }
  const std::vector<GgufEntry>& entries() const { return entries_; }  // in file order
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  const GgufValue* Find(std::string_view key) const;

  absl::StatusOr<uint64_t> GetUint(std::string_view key) const;
  absl::StatusOr<int64_t> GetInt(std::string_view key) const;
  absl::StatusOr<double> GetFloat(std::string_view key) const;
  absl::StatusOr<bool> GetBool(std::string_view key) const;
  absl::StatusOr<std::string_view> GetString(std::string_view key) const;
  absl::StatusOr<GgufStringArray> GetStrings(std::string_view key) const;
  absl::StatusOr<std::vector<int64_t>> GetInts(std::string_view key) const;
  absl::StatusOr<std::vector<double>> GetFloats(std::string_view key) const;

  // The same for keys that may be absent.
  absl::StatusOr<uint64_t> GetUintOr(std::string_view key, uint64_t fallback) const;
  absl::StatusOr<double> GetFloatOr(std::string_view key, double fallback) const;
  absl::StatusOr<bool> GetBoolOr(std::string_view key, bool fallback) const;
  absl::StatusOr<std::string_view> GetStringOr(std::string_view key,
                                               std::string_view fallback) const;

 private:
  absl::StatusOr<const GgufValue*> Require(std::string_view key) const;
  absl::StatusOr<const GgufValue*> RequireArray(std::string_view key) const;
  absl::Status WrongType(std::string_view key, const GgufValue& value,
                         std::string_view expected) const;

  std::string source_;
  std::vector<GgufEntry> entries_;
  std::unordered_map<std::string_view, size_t> index_;  // key -> position in entries_
};

}  // namespace baton
