#include "common/gguf/gguf_file.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr uint64_t kDefaultAlignmentBytes = 32;
constexpr uint32_t kDimCountMax = 4;
constexpr uint64_t kNameBytesMax = 65535;

// The smallest a key-value (length, empty key, type, one byte) and a tensor entry (length, empty
// name, dimension count, type, offset) can be: they bound a claimed count before any loop.
constexpr uint64_t kEntryBytesMin = 8 + 4 + 1;
constexpr uint64_t kTensorBytesMin = 8 + 4 + 4 + 8;

// Bytes of a fixed-size value, or 0 for strings, arrays and numbers that are no type.
uint64_t FixedSize(uint32_t type) {
  constexpr uint8_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return type < std::size(kSizes) ? kSizes[type] : 0;
}

}  // namespace

// Walks the file once, front to back; every read is checked against what is left.
//
// Threading: used by one call of Open or Parse.
class GgufParser {
 public:
  GgufParser(GgufFile& file, std::string source)
      : file_(file), bytes_(file.bytes_), source_(std::move(source)) {}

  absl::Status RunMetadata() {
    RETURN_IF_ERROR(ReadHeader());
    return ReadMetadata();
  }

  bool AtEnd() const { return at_ == bytes_.size(); }

  // After RunMetadata.
  absl::Status RunTensors() {
    RETURN_IF_ERROR(ReadTensors());
    return CheckOverlap();
  }

 private:
  // "file=… key=…" or "file=… tensor=…": what the parser was reading.
  absl::Status Malformed(std::string_view what) const {
    return InvalidArgument(absl::StrCat("parse GGUF: ", ToAbsl(what), ": ", Where()));
  }
  absl::Status Unknown(std::string_view what) const {
    return Unimplemented(absl::StrCat("parse GGUF: ", ToAbsl(what), ": ", Where()));
  }
  std::string Where() const {
    return absl::StrCat("file=", source_, subject_.empty() ? "" : " ", subject_, " at byte ", at_);
  }

  uint64_t Left() const { return bytes_.size() - at_; }

  template <typename T>
  absl::StatusOr<T> ReadNumber() {
    if (Left() < sizeof(T)) return Malformed("truncated");
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  absl::StatusOr<std::string_view> ReadBytes(uint64_t count) {
    if (count > Left()) return Malformed("truncated");
    const std::string_view result = bytes_.substr(at_, count);
    at_ += count;
    return result;
  }

  absl::StatusOr<std::string_view> ReadString() {
    ASSIGN_OR_RETURN(const uint64_t length, ReadNumber<uint64_t>());
    return ReadBytes(length);
  }

  // A key's or tensor's name, which errors then mention.
  absl::StatusOr<std::string_view> ReadName(std::string_view kind, uint64_t index) {
    subject_ = absl::StrCat(ToAbsl(kind), "#", index);
    ASSIGN_OR_RETURN(const std::string_view name, ReadString());
    if (name.size() > kNameBytesMax) return Malformed("name is too long");
    subject_ = absl::StrCat(ToAbsl(kind), "=", ToAbsl(name));
    return name;
  }

  absl::Status ReadHeader();
  absl::Status ReadMetadata();
  absl::StatusOr<GgufValue> ReadValue();
  absl::Status ReadArray(GgufValue& value);
  absl::Status ReadAlignment();
  absl::Status ReadTensors();
  absl::StatusOr<GgufTensor> ReadTensor(uint64_t index);
  absl::Status MeasureTensor(GgufTensor& tensor) const;
  absl::Status PlaceTensors();
  absl::Status CheckOverlap() const;

  GgufFile& file_;
  const std::string_view bytes_;
  const std::string source_;
  uint64_t at_ = 0;
  uint64_t tensor_count_ = 0;
  uint64_t entry_count_ = 0;
  std::string subject_;  // the key or tensor being read
};

absl::Status GgufParser::ReadHeader() {
  if (bytes_.substr(0, kMagic.size()) != kMagic) return Malformed("not a GGUF file");
  at_ = kMagic.size();
  ASSIGN_OR_RETURN(file_.version_, ReadNumber<uint32_t>());
  if (file_.version_ != 2 && file_.version_ != 3) {
    const bool swapped = file_.version_ != 0 && (file_.version_ & 0xFFFF) == 0;
    if (swapped) return Unknown("big-endian files are not supported");
    return Unknown(absl::StrCat("version ", file_.version_, ", expected 2 or 3"));
  }
  ASSIGN_OR_RETURN(tensor_count_, ReadNumber<uint64_t>());
  ASSIGN_OR_RETURN(entry_count_, ReadNumber<uint64_t>());
  if (entry_count_ > Left() / kEntryBytesMin) {
    return Malformed(absl::StrCat(entry_count_, " keys cannot fit"));
  }
  return absl::OkStatus();
}

absl::Status GgufParser::ReadMetadata() {
  for (uint64_t i = 0; i < entry_count_; ++i) {
    ASSIGN_OR_RETURN(const std::string_view key, ReadName("key", i));
    ASSIGN_OR_RETURN(const GgufValue value, ReadValue());
    RETURN_IF_ERROR(file_.metadata_.Add(key, value));
  }
  subject_.clear();
  file_.metadata_bytes_ = at_;
  return ReadAlignment();
}

absl::StatusOr<GgufValue> GgufParser::ReadValue() {
  ASSIGN_OR_RETURN(const uint32_t type, ReadNumber<uint32_t>());
  GgufValue value;
  value.type = static_cast<GgufValueType>(type);
  if (value.type == GgufValueType::kArray) {
    RETURN_IF_ERROR(ReadArray(value));
  } else if (value.type == GgufValueType::kString) {
    ASSIGN_OR_RETURN(value.payload, ReadString());
  } else if (const uint64_t size = FixedSize(type); size != 0) {
    ASSIGN_OR_RETURN(value.payload, ReadBytes(size));
  } else {
    return Unknown(absl::StrCat("value type ", type));
  }
  return value;
}

absl::Status GgufParser::ReadArray(GgufValue& value) {
  ASSIGN_OR_RETURN(const uint32_t type, ReadNumber<uint32_t>());
  ASSIGN_OR_RETURN(value.count, ReadNumber<uint64_t>());
  value.element_type = static_cast<GgufValueType>(type);
  if (value.element_type == GgufValueType::kString) {
    const uint64_t begin = at_;
    if (value.count > Left() / sizeof(uint64_t)) return Malformed("array cannot fit");
    for (uint64_t i = 0; i < value.count; ++i) RETURN_IF_ERROR(ReadString().status());
    value.payload = bytes_.substr(begin, at_ - begin);
    return absl::OkStatus();
  }
  const uint64_t size = FixedSize(type);
  if (size == 0) return Unknown(absl::StrCat("array of value type ", type));
  if (value.count > Left() / size) return Malformed("array cannot fit");
  ASSIGN_OR_RETURN(value.payload, ReadBytes(value.count * size));
  return absl::OkStatus();
}

absl::Status GgufParser::ReadAlignment() {
  const absl::StatusOr<uint64_t> alignment =
      file_.metadata_.GetUintOr(kAlignmentKey, kDefaultAlignmentBytes);
  if (!alignment.ok()) return alignment.status();
  if (*alignment == 0 || (*alignment & (*alignment - 1)) != 0 || *alignment > (1u << 30)) {
    return Malformed(
        absl::StrCat(ToAbsl(kAlignmentKey), "=", *alignment, " is no usable power of two"));
  }
  file_.alignment_bytes_ = *alignment;
  file_.data_offset_bytes_ = (at_ + *alignment - 1) & ~(*alignment - 1);
  return absl::OkStatus();
}

absl::Status GgufParser::ReadTensors() {
  if (tensor_count_ > Left() / kTensorBytesMin) {
    return Malformed(absl::StrCat(tensor_count_, " tensors cannot fit"));
  }
  for (uint64_t i = 0; i < tensor_count_; ++i) {
    ASSIGN_OR_RETURN(GgufTensor tensor, ReadTensor(i));
    if (!file_.tensor_index_.emplace(tensor.name, file_.tensors_.size()).second) {
      return Malformed("duplicate tensor");
    }
    file_.tensors_.push_back(std::move(tensor));
  }
  subject_.clear();
  return PlaceTensors();
}

absl::StatusOr<GgufTensor> GgufParser::ReadTensor(uint64_t index) {
  GgufTensor tensor;
  ASSIGN_OR_RETURN(tensor.name, ReadName("tensor", index));
  ASSIGN_OR_RETURN(const uint32_t dim_count, ReadNumber<uint32_t>());
  if (dim_count > kDimCountMax) {
    return Malformed(absl::StrCat(dim_count, " dimensions, expected up to ", kDimCountMax));
  }
  for (uint32_t i = 0; i < dim_count; ++i) {
    ASSIGN_OR_RETURN(const uint64_t dim, ReadNumber<uint64_t>());
    tensor.dims.push_back(dim);
  }
  if (tensor.dims.empty()) tensor.dims.push_back(1);  // a scalar
  ASSIGN_OR_RETURN(const uint32_t type, ReadNumber<uint32_t>());
  const GgmlTypeInfo* info = FindGgmlType(type);
  if (info == nullptr) return Unknown(absl::StrCat("tensor type ", type));
  tensor.type = info->type;
  ASSIGN_OR_RETURN(tensor.offset_bytes, ReadNumber<uint64_t>());
  if (tensor.offset_bytes % file_.alignment_bytes_ != 0) {
    return Malformed(absl::StrCat("offset ", tensor.offset_bytes, " is not aligned to ",
                                  file_.alignment_bytes_));
  }
  RETURN_IF_ERROR(MeasureTensor(tensor));
  return tensor;
}

// Fills in the element count and the size; neither may overflow.
absl::Status GgufParser::MeasureTensor(GgufTensor& tensor) const {
  const GgmlTypeInfo& info = InfoOf(tensor.type);
  if (tensor.dims[0] % info.block_elements != 0) {
    return Malformed(absl::StrCat("row of ", tensor.dims[0], " elements, expected whole ",
                                  ToAbsl(info.name), " blocks of ", info.block_elements));
  }
  uint64_t count = 1;
  for (const uint64_t dim : tensor.dims) {
    if (__builtin_mul_overflow(count, dim, &count)) return Malformed("shape overflows");
  }
  tensor.element_count = count;
  if (__builtin_mul_overflow(count / info.block_elements, uint64_t{info.block_bytes},
                             &tensor.size_bytes)) {
    return Malformed("size overflows");
  }
  return absl::OkStatus();
}

// Turns offsets into the data section into offsets into the file, and checks that all lie inside.
absl::Status GgufParser::PlaceTensors() {
  const uint64_t alignment = file_.alignment_bytes_;
  const uint64_t data_offset = (at_ + alignment - 1) & ~(alignment - 1);
  file_.data_offset_bytes_ = data_offset;
  const uint64_t data_bytes = bytes_.size() > data_offset ? bytes_.size() - data_offset : 0;
  for (GgufTensor& tensor : file_.tensors_) {
    if (tensor.offset_bytes > data_bytes || tensor.size_bytes > data_bytes - tensor.offset_bytes) {
      return InvalidArgument(absl::StrCat(
          "parse GGUF: tensor lies outside the file: file=", source_,
          " tensor=", ToAbsl(tensor.name), " offset ", tensor.offset_bytes, " size ",
          tensor.size_bytes, ", data section has ", data_bytes, " bytes (truncated download?)"));
    }
    tensor.offset_bytes += data_offset;
  }
  return absl::OkStatus();
}

absl::Status GgufParser::CheckOverlap() const {
  std::vector<const GgufTensor*> order;
  for (const GgufTensor& tensor : file_.tensors_) {
    if (tensor.size_bytes > 0) order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](const GgufTensor* a, const GgufTensor* b) {
    return a->offset_bytes < b->offset_bytes;
  });
  for (size_t i = 1; i < order.size(); ++i) {
    const GgufTensor& before = *order[i - 1];
    if (before.offset_bytes + before.size_bytes > order[i]->offset_bytes) {
      return InvalidArgument(absl::StrCat("parse GGUF: tensors overlap: file=", source_, " tensor=",
                                          ToAbsl(before.name), " tensor=", ToAbsl(order[i]->name)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<GgufFile> GgufFile::Open(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  GgufFile file;
  file.mapping_ = std::make_unique<const MappedFile>(std::move(mapped));
  file.bytes_ = file.mapping_->bytes();
  file.metadata_ = GgufMetadata(path);
  GgufParser parser(file, path);
  RETURN_IF_ERROR(parser.RunMetadata());
  RETURN_IF_ERROR(parser.RunTensors());
  return file;
}

absl::StatusOr<GgufFile> GgufFile::Parse(std::string bytes, std::string source) {
  GgufFile file;
  file.buffer_ = std::make_unique<const std::string>(std::move(bytes));
  file.bytes_ = *file.buffer_;
  file.metadata_ = GgufMetadata(source);
  GgufParser parser(file, std::move(source));
  RETURN_IF_ERROR(parser.RunMetadata());
  if (!parser.AtEnd()) RETURN_IF_ERROR(parser.RunTensors());
  return file;
}

const GgufTensor* GgufFile::FindTensor(std::string_view name) const {
  const auto it = tensor_index_.find(name);
  return it == tensor_index_.end() ? nullptr : &tensors_[it->second];
}

std::string_view GgufFile::TensorBytes(const GgufTensor& tensor) const {
  BATON_CHECK(tensor.offset_bytes <= bytes_.size() &&
              tensor.size_bytes <= bytes_.size() - tensor.offset_bytes)
      << "tensor of another file: " << tensor.name;
  return bytes_.substr(tensor.offset_bytes, tensor.size_bytes);
}

}  // namespace baton
