#include "common/gguf/gguf_metadata.h"

#include <cstring>
#include <limits>
#include <optional>
#include <variant>

#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

template <typename T>
T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// An integer of any stored width: the sign tells which of the two was read.
using AnyInt = std::variant<uint64_t, int64_t>;

std::optional<AnyInt> LoadInt(GgufValueType type, const char* at) {
  switch (type) {
    case GgufValueType::kUint8:
      return AnyInt(uint64_t{Load<uint8_t>(at)});
    case GgufValueType::kUint16:
      return AnyInt(uint64_t{Load<uint16_t>(at)});
    case GgufValueType::kUint32:
      return AnyInt(uint64_t{Load<uint32_t>(at)});
    case GgufValueType::kUint64:
      return AnyInt(Load<uint64_t>(at));
    case GgufValueType::kInt8:
      return AnyInt(int64_t{Load<int8_t>(at)});
    case GgufValueType::kInt16:
      return AnyInt(int64_t{Load<int16_t>(at)});
    case GgufValueType::kInt32:
      return AnyInt(int64_t{Load<int32_t>(at)});
    case GgufValueType::kInt64:
      return AnyInt(Load<int64_t>(at));
    default:
      return std::nullopt;
  }
}

std::optional<int64_t> ToSigned(const AnyInt& value) {
  if (const int64_t* s = std::get_if<int64_t>(&value)) return *s;
  const uint64_t u = std::get<uint64_t>(value);
  if (u > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  return static_cast<int64_t>(u);
}

std::optional<uint64_t> ToUnsigned(const AnyInt& value) {
  if (const uint64_t* u = std::get_if<uint64_t>(&value)) return *u;
  const int64_t s = std::get<int64_t>(value);
  if (s < 0) return std::nullopt;
  return static_cast<uint64_t>(s);
}

std::optional<double> LoadFloat(GgufValueType type, const char* at) {
  if (type == GgufValueType::kFloat32) return double{Load<float>(at)};
  if (type == GgufValueType::kFloat64) return Load<double>(at);
  return std::nullopt;
}

}  // namespace

std::string_view NameOf(GgufValueType type) {
  constexpr std::string_view kNames[] = {"uint8",  "int8",    "uint16", "int16",  "uint32",
                                         "int32",  "float32", "bool",   "string", "array",
                                         "uint64", "int64",   "float64"};
  const auto index = static_cast<uint32_t>(type);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

std::string_view GgufStringArray::Iterator::operator*() const {
  return {at_ + sizeof(uint64_t), Load<uint64_t>(at_)};
}

GgufStringArray::Iterator& GgufStringArray::Iterator::operator++() {
  at_ += sizeof(uint64_t) + Load<uint64_t>(at_);
  return *this;
}

absl::Status GgufMetadata::Add(std::string_view key, const GgufValue& value) {
  if (!index_.emplace(key, entries_.size()).second) {
    return InvalidArgument("parse GGUF: duplicate key: file=" + source_ +
                           " key=" + std::string(key));
  }
  entries_.push_back({key, value});
  return absl::OkStatus();
}

const GgufValue* GgufMetadata::Find(std::string_view key) const {
  const auto it = index_.find(key);
  return it == index_.end() ? nullptr : &entries_[it->second].value;
}

absl::StatusOr<const GgufValue*> GgufMetadata::Require(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) {
    return NotFound("read GGUF metadata: missing key: file=" + source_ +
                    " key=" + std::string(key));
  }
  return value;
}

absl::StatusOr<const GgufValue*> GgufMetadata::RequireArray(std::string_view key) const {
  ASSIGN_OR_RETURN(const GgufValue* value, Require(key));
  if (value->type != GgufValueType::kArray) return WrongType(key, *value, "array");
  return value;
}

absl::Status GgufMetadata::WrongType(std::string_view key, const GgufValue& value,
                                     std::string_view expected) const {
  std::string got(NameOf(value.type));
  if (value.type == GgufValueType::kArray) got += " of " + std::string(NameOf(value.element_type));
  return InvalidArgument("read GGUF metadata: wrong type: file=" + source_ + " key=" +
                         std::string(key) + " got " + got + ", expected " + std::string(expected));
}

absl::StatusOr<uint64_t> GgufMetadata::GetUint(std::string_view key) const {
  ASSIGN_OR_RETURN(const GgufValue* value, Require(key));
  const std::optional<AnyInt> any = LoadInt(value->type, value->payload.data());
  const std::optional<uint64_t> result = any ? ToUnsigned(*any) : std::nullopt;
  if (!result) return WrongType(key, *value, "non-negative integer");
  return *result;
}

absl::StatusOr<int64_t> GgufMetadata::GetInt(std::string_view key) const {
  ASSIGN_OR_RETURN(const GgufValue* value, Require(key));
  const std::optional<AnyInt> any = LoadInt(value->type, value->payload.data());
  const std::optional<int64_t> result = any ? ToSigned(*any) : std::nullopt;
  if (!result) return WrongType(key, *value, "integer");
  return *result;
}

absl::StatusOr<double> GgufMetadata::GetFloat(std::string_view key) const {
  ASSIGN_OR_RETURN(const GgufValue* value, Require(key));
  const std::optional<double> result = LoadFloat(value->type, value->payload.data());
  if (!result) return WrongType(key, *value, "float");
  return *result;
}

absl::StatusOr<bool> GgufMetadata::GetBool(std::string_view key) const {
  ASSIGN_OR_RETURN(const GgufValue* value, Require(key));
  if (value->type != GgufValueType::kBool) return WrongType(key, *value, "bool");
  return value->payload[0] != 0;
}

absl::StatusOr<std::string_view> GgufMetadata::GetString(std::string_view key) const {
  ASSIGN_OR_RETURN(const GgufValue* value, Require(key));
  if (value->type != GgufValueType::kString) return WrongType(key, *value, "string");
  return value->payload;
}

absl::StatusOr<GgufStringArray> GgufMetadata::GetStrings(std::string_view key) const {
  ASSIGN_OR_RETURN(const GgufValue* value, RequireArray(key));
  if (value->element_type != GgufValueType::kString) {
    return WrongType(key, *value, "array of string");
  }
  return GgufStringArray(value->payload, value->count);
}

absl::StatusOr<std::vector<int64_t>> GgufMetadata::GetInts(std::string_view key) const {
  ASSIGN_OR_RETURN(const GgufValue* value, RequireArray(key));
  std::vector<int64_t> result;
  result.reserve(value->count);
  const size_t stride = value->count == 0 ? 0 : value->payload.size() / value->count;
  for (uint64_t i = 0; i < value->count; ++i) {
    const std::optional<AnyInt> any =
        LoadInt(value->element_type, value->payload.data() + i * stride);
    const std::optional<int64_t> element = any ? ToSigned(*any) : std::nullopt;
    if (!element) return WrongType(key, *value, "array of integers");
    result.push_back(*element);
  }
  return result;
}

absl::StatusOr<std::vector<double>> GgufMetadata::GetFloats(std::string_view key) const {
  ASSIGN_OR_RETURN(const GgufValue* value, RequireArray(key));
  std::vector<double> result;
  result.reserve(value->count);
  const size_t stride = value->count == 0 ? 0 : value->payload.size() / value->count;
  for (uint64_t i = 0; i < value->count; ++i) {
    const std::optional<double> element =
        LoadFloat(value->element_type, value->payload.data() + i * stride);
    if (!element) return WrongType(key, *value, "array of floats");
    result.push_back(*element);
  }
  return result;
}

absl::StatusOr<uint64_t> GgufMetadata::GetUintOr(std::string_view key, uint64_t fallback) const {
  return Has(key) ? GetUint(key) : fallback;
}

absl::StatusOr<double> GgufMetadata::GetFloatOr(std::string_view key, double fallback) const {
  return Has(key) ? GetFloat(key) : fallback;
}

absl::StatusOr<bool> GgufMetadata::GetBoolOr(std::string_view key, bool fallback) const {
  return Has(key) ? GetBool(key) : fallback;
}

absl::StatusOr<std::string_view> GgufMetadata::GetStringOr(std::string_view key,
                                                           std::string_view fallback) const {
  return Has(key) ? GetString(key) : fallback;
}

}  // namespace baton
