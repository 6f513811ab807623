#include "worker/loader/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/loader/bounded_json.h"

namespace baton::worker {
namespace {

using nlohmann::json;

constexpr uint64_t kHeaderBytesMax = 100'000'000;  // the format's own limit
constexpr size_t kLengthBytes = 8;

struct DtypeSize {
  std::string_view name;
  uint64_t bytes;
};
constexpr std::array kDtypes = {
    DtypeSize{"F64", 8},     DtypeSize{"F32", 4},     DtypeSize{"F16", 2}, DtypeSize{"BF16", 2},
    DtypeSize{"F8_E4M3", 1}, DtypeSize{"F8_E5M2", 1}, DtypeSize{"I64", 8}, DtypeSize{"I32", 4},
    DtypeSize{"I16", 2},     DtypeSize{"I8", 1},      DtypeSize{"U64", 8}, DtypeSize{"U32", 4},
    DtypeSize{"U16", 2},     DtypeSize{"U8", 1},      DtypeSize{"BOOL", 1}};

// Reads the entries of one header. `data` is what follows it.
class HeaderReader {
 public:
  HeaderReader(std::string_view source, std::string_view data) : source_(source), data_(data) {}

  absl::StatusOr<SafetensorsEntry> Read(const std::string& name, const json& value) const {
    SafetensorsEntry entry;
    entry.name = name;
    if (!value.is_object()) return Wrong(name, "entry is not an object");
    ASSIGN_OR_RETURN(const DtypeSize dtype, ReadDtype(name, value));
    entry.dtype = dtype.name;
    ASSIGN_OR_RETURN(entry.shape, ReadShape(name, value));
    ASSIGN_OR_RETURN(entry.bytes, ReadBytes(name, value));
    ASSIGN_OR_RETURN(const uint64_t expected, ByteCount(name, entry.shape, dtype.bytes));
    if (entry.bytes.size() != expected) {
      return Wrong(name, absl::StrCat("data_offsets span ", entry.bytes.size(), "/", expected,
                                      " bytes of shape and dtype"));
    }
    return entry;
  }

  absl::Status Wrong(std::string_view tensor, std::string_view what) const {
    return InvalidArgument(
        absl::StrCat("load ", ToAbsl(source_), ": tensor=", ToAbsl(tensor), " ", ToAbsl(what)));
  }

 private:
  absl::StatusOr<DtypeSize> ReadDtype(const std::string& name, const json& value) const {
    const auto at = value.find("dtype");
    if (at == value.end() || !at->is_string()) return Wrong(name, "has no dtype");
    const auto& text = at->get_ref<const std::string&>();
    const auto* known = std::find_if(kDtypes.begin(), kDtypes.end(),
                                     [&](const DtypeSize& d) { return d.name == text; });
    if (known == kDtypes.end()) return Wrong(name, absl::StrCat("dtype=", text, " is unknown"));
    return *known;
  }

  absl::StatusOr<std::vector<int64_t>> ReadShape(const std::string& name, const json& value) const {
    const auto at = value.find("shape");
    if (at == value.end() || !at->is_array()) return Wrong(name, "has no shape");
    std::vector<int64_t> shape;
    for (const json& dim : *at) {
      if (!dim.is_number_unsigned() || dim.get<uint64_t>() > uint64_t{INT64_MAX}) {
        return Wrong(name, "shape has a dimension that is no size");
      }
      shape.push_back(dim.get<int64_t>());
    }
    return shape;
  }

  absl::StatusOr<std::string_view> ReadBytes(const std::string& name, const json& value) const {
    const auto at = value.find("data_offsets");
    const bool pair = at != value.end() && at->is_array() && at->size() == 2 &&
                      (*at)[0].is_number_unsigned() && (*at)[1].is_number_unsigned();
    if (!pair) return Wrong(name, "has no data_offsets");
    const uint64_t begin = (*at)[0].get<uint64_t>();
    const uint64_t end = (*at)[1].get<uint64_t>();
    if (begin > end) return Wrong(name, "data_offsets run backwards");
    if (end > data_.size()) {
      return Wrong(name, absl::StrCat("is truncated: it ends at data byte ", end, ", the file at ",
                                      data_.size()));
    }
    return data_.substr(begin, end - begin);
  }

  absl::StatusOr<uint64_t> ByteCount(const std::string& name, const std::vector<int64_t>& shape,
                                     uint64_t element_bytes) const {
    uint64_t count = element_bytes;
    for (const int64_t dim : shape) {
      if (__builtin_mul_overflow(count, static_cast<uint64_t>(dim), &count)) {
        return Wrong(name, "shape overflows");
      }
    }
    return count;
  }

  std::string_view source_;
  std::string_view data_;
};

// Tensors must follow one another from the first byte of `data` to the last.
absl::Status CheckCoverage(const std::vector<SafetensorsEntry>& entries, std::string_view data,
                           const HeaderReader& reader) {
  const char* at = data.data();
  for (const SafetensorsEntry& entry : entries) {
    const int64_t gap = entry.bytes.data() - at;
    if (gap < 0) return reader.Wrong(entry.name, absl::StrCat("overlaps by ", -gap, " bytes"));
    if (gap > 0) return reader.Wrong(entry.name, absl::StrCat("follows a gap of ", gap, " bytes"));
    at += entry.bytes.size();
  }
  const size_t rest = static_cast<size_t>(data.data() + data.size() - at);
  if (rest == 0) return absl::OkStatus();
  return reader.Wrong(entries.empty() ? "(none)" : std::string_view(entries.back().name),
                      absl::StrCat("is the last one, and ", rest, " bytes follow it"));
}

}  // namespace

absl::StatusOr<std::vector<SafetensorsEntry>> ParseSafetensors(std::string_view file,
                                                               std::string_view source) {
  uint64_t header_bytes = 0;
  if (file.size() < kLengthBytes) {
    return InvalidArgument(
        absl::StrCat("load ", ToAbsl(source), ": ", file.size(), " bytes are no safetensors file"));
  }
  std::memcpy(&header_bytes, file.data(), kLengthBytes);
  if (header_bytes > kHeaderBytesMax || header_bytes > file.size() - kLengthBytes) {
    return InvalidArgument(absl::StrCat("load ", ToAbsl(source), ": header of ", header_bytes,
                                        " bytes in a file of ", file.size()));
  }
  ASSIGN_OR_RETURN(const json header,
                   ParseJsonObject(file.substr(kLengthBytes, header_bytes), source));
  const std::string_view data = file.substr(kLengthBytes + header_bytes);
  const HeaderReader reader(source, data);
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") continue;
    ASSIGN_OR_RETURN(SafetensorsEntry entry, reader.Read(name, value));
    entries.push_back(std::move(entry));
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
                     return std::pair(a.bytes.data(), a.bytes.size()) <
                            std::pair(b.bytes.data(), b.bytes.size());
                   });
  RETURN_IF_ERROR(CheckCoverage(entries, data, reader));
  return entries;
}

}  // namespace baton::worker
