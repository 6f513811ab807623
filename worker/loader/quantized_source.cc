#include "worker/loader/quantized_source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "common/base/processor_count.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/device/compute_threads.h"

namespace baton::worker {
namespace {

constexpr std::string_view kMethods[] = {
    "compressed-tensors", "gptq", "awq", "auto-round", "fp8", "fbgemm_fp8", "modelopt"};

// What belongs to a quantised weight, or to the activations that a W8A8 runtime would round.
constexpr std::string_view kAuxiliary[] = {
    ".weight_scale", ".weight_scale_inv", ".weight_shape",   ".weight_zero_point",
    ".weight_g_idx", ".qzeros",           ".scales",         ".g_idx",
    ".input_scale",  ".input_zero_point", ".output_scale",   ".k_scale",
    ".v_scale",      ".q_scale",          ".input_scale_ub", ".activation_scale"};

constexpr int64_t kGroup = 32;  // of the grouped formats

struct Method {
  std::string name;
  int64_t bits = 0;                 // gptq, awq
  bool zero_less_one = false;       // gptq v1
  std::vector<int64_t> block = {};  // rows and columns that one scale serves, if the method says so
};

absl::Status Refuse(std::string_view key, std::string_view value) {
  return Unimplemented(absl::StrCat("read config.json: quantization_config.", ToAbsl(key), "=",
                                    ToAbsl(value), " is not supported"));
}

// block_structure of the first group of compressed-tensors that has one.
absl::StatusOr<std::vector<int64_t>> BlockOfGroups(const JsonConfig& config) {
  ASSIGN_OR_RETURN(const std::optional<JsonConfig> groups, config.GetObject("config_groups"));
  if (!groups.has_value()) return std::vector<int64_t>();
  for (const std::string& key : groups->Keys()) {
    ASSIGN_OR_RETURN(const std::optional<JsonConfig> group, groups->GetObject(key));
    if (!group.has_value()) continue;
    ASSIGN_OR_RETURN(const std::optional<JsonConfig> weights, group->GetObject("weights"));
    if (!weights.has_value()) continue;
    ASSIGN_OR_RETURN(std::vector<int64_t> block, weights->GetInts("block_structure"));
    if (!block.empty()) return block;
  }
  return std::vector<int64_t>();
}

// AutoRound searches codes of its own, but keeps them as GPTQ or AWQ does.
absl::StatusOr<std::string> ReadPacking(const JsonConfig& config) {
  ASSIGN_OR_RETURN(const std::string packing,
                   config.GetStringOr("packing_format", "auto_round:auto_gptq"));
  if (packing == "auto_round:auto_gptq") return std::string("gptq");
  if (packing == "auto_round:auto_awq") return std::string("awq");
  return Refuse("packing_format", packing);
}

absl::StatusOr<Method> ReadMethod(const JsonConfig& config, std::string name) {
  if (name == "auto-round") {
    ASSIGN_OR_RETURN(name, ReadPacking(config));
  }
  Method method{.name = std::move(name)};
  if (method.name == "gptq" || method.name == "awq") {
    // AutoAWQ's own spelling, and everyone's.
    ASSIGN_OR_RETURN(method.bits, config.GetInt(config.Has("w_bit") ? "w_bit" : "bits"));
    if (method.bits != 4 && (method.bits != 8 || method.name == "awq")) {
      return Refuse("bits", std::to_string(method.bits));
    }
  }
  if (method.name == "gptq") {
    ASSIGN_OR_RETURN(const std::string format, config.GetStringOr("checkpoint_format", "gptq"));
    if (format != "gptq" && format != "gptq_v2") return Refuse("checkpoint_format", format);
    method.zero_less_one = format == "gptq";
  }
  if (method.name == "awq") {
    ASSIGN_OR_RETURN(const std::string version, config.GetStringOr("version", "gemm"));
    if (version != "gemm" && version != "GEMM") return Refuse("version", version);
  }
  if (method.name == "compressed-tensors") {
    ASSIGN_OR_RETURN(const std::string format, config.GetStringOr("format", "dense"));
    constexpr std::array<std::string_view, 6> kFormats = {"dense",           "pack-quantized",
                                                          "int-quantized",   "float-quantized",
                                                          "naive-quantized", "mixed-precision"};
    if (std::find(kFormats.begin(), kFormats.end(), format) == kFormats.end()) {
      return Refuse("format", format);
    }
    ASSIGN_OR_RETURN(method.block, BlockOfGroups(config));
  }
  if (method.name == "fp8") {
    ASSIGN_OR_RETURN(method.block, config.GetInts("weight_block_size"));
  }
  if (method.name == "modelopt") {
    ASSIGN_OR_RETURN(const std::string algorithm, config.GetStringOr("quant_algo", "unknown"));
    if (algorithm != "FP8") return Refuse("quant_algo", algorithm);
  }
  return method;
}

// A weight whose codes were found: what it is, element by element.
struct CodedWeight {
  std::string name;
  const SourceTensor* codes = nullptr;
  const SourceTensor* scales = nullptr;
  const SourceTensor* zeros = nullptr;  // or nullptr
  const SourceTensor* g_idx = nullptr;  // or nullptr: the group of each input
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t scale_rows = 1;  // the grid of scales over [rows, cols] ...
  int64_t scale_cols = 1;
  int64_t row_step = 1;  // ... and what one of them serves
  int64_t col_step = 1;
};

uint32_t WordAt(const SourceTensor& tensor, int64_t index) {
  uint32_t word;
  std::memcpy(&word, tensor.bytes.data() + index * int64_t{sizeof(word)}, sizeof(word));
  return word;
}

float FloatAt(const SourceTensor& tensor, int64_t index) {
  float value;
  DecodeElements(*tensor.format, reinterpret_cast<const std::byte*>(tensor.bytes.data()), index, 1,
                 &value);
  return value;
}

// How a method keeps codes, zero points and scales.
class Layout {
 public:
  Layout(const Method& method, const CodedWeight& weight, int64_t bits)
      : method_(method), weight_(weight), bits_(bits), per_word_(bits > 0 ? 32 / bits : 1) {}

  int64_t GroupOf(int64_t col) const {
    if (weight_.g_idx == nullptr) return col / weight_.col_step;
    const auto group = static_cast<int64_t>(static_cast<int32_t>(WordAt(*weight_.g_idx, col)));
    return std::clamp<int64_t>(group, 0, weight_.scale_cols - 1);  // checked when it was found
  }

  float Scale(int64_t row, int64_t group) const {
    const int64_t at = row / weight_.row_step;
    if (method_.bits != 0) return FloatAt(*weight_.scales, group * weight_.scale_rows + at);
    return FloatAt(*weight_.scales, at * weight_.scale_cols + group);
  }

  // Before the zero point is taken off.
  int Code(int64_t row, int64_t col) const {
    const SourceTensor& codes = *weight_.codes;
    if (codes.dtype == "I8") return static_cast<signed char>(codes.bytes[At(row, col)]);
    if (method_.name == "awq") return AwqCode(codes, col, row, weight_.rows);
    if (method_.name == "gptq") {
      return Part(WordAt(codes, col / per_word_ * weight_.rows + row), col % per_word_);
    }
    const int64_t words = (weight_.cols + per_word_ - 1) / per_word_;
    return Part(WordAt(codes, row * words + col / per_word_), col % per_word_);
  }

  int Zero(int64_t row, int64_t group) const {
    if (weight_.zeros == nullptr) return weight_.codes->dtype == "I8" ? 0 : 1 << (bits_ - 1);
    const SourceTensor& zeros = *weight_.zeros;
    if (zeros.dtype == "I8") {
      return static_cast<signed char>(
          zeros.bytes[static_cast<size_t>(row * weight_.scale_cols + group)]);
    }
    if (method_.name == "awq") return AwqCode(zeros, group, row, weight_.rows);
    if (method_.name == "gptq") {
      const int64_t words = weight_.rows / per_word_;
      return Part(WordAt(zeros, group * words + row / per_word_), row % per_word_) +
             (method_.zero_less_one ? 1 : 0);
    }
    return Part(WordAt(zeros, row / per_word_ * weight_.scale_cols + group), row % per_word_);
  }

  // A byte of fp8.
  std::byte Byte(int64_t row, int64_t col) const {
    return static_cast<std::byte>(weight_.codes->bytes[At(row, col)]);
  }

 private:
  size_t At(int64_t row, int64_t col) const {
    return static_cast<size_t>(row * weight_.cols + col);
  }
  int Part(uint32_t word, int64_t part) const {
    return static_cast<int>(word >> part * bits_ & ((1u << bits_) - 1));
  }
  // Eight outputs to a word, in the order 0, 2, 4, 6, 1, 3, 5, 7.
  static int AwqCode(const SourceTensor& tensor, int64_t line, int64_t output, int64_t outputs) {
    const uint32_t word = WordAt(tensor, line * (outputs / 8) + output / 8);
    const int64_t place = output % 8 / 2 + output % 2 * 4;
    return static_cast<int>(word >> 4 * place & 15);
  }

  const Method& method_;
  const CodedWeight& weight_;
  const int64_t bits_;
  const int64_t per_word_;
};

// A source whose tensors are another's, or made of them.
class UnpackedSource : public TensorSource {
 public:
  UnpackedSource(std::unique_ptr<const TensorSource> base, Method method)
      : base_(std::move(base)), method_(std::move(method)) {}

  std::string_view description() const override { return base_->description(); }

  absl::Status Unpack() {
    ComputeThreads threads({.thread_count = UsableProcessorCount(), .name = "unpack"});
    threads_ = &threads;
    const absl::Status status = UnpackAll();
    threads_ = nullptr;
    return status;
  }

 private:
  absl::Status UnpackAll() {
    for (const SourceTensor& tensor : base_->tensors()) {
      ASSIGN_OR_RETURN(const std::string_view module, ModuleOf(tensor));
      if (!module.empty()) {
        RETURN_IF_ERROR(UnpackWeight(module, tensor));
        continue;
      }
      if (IsAuxiliary(tensor.name) || IsEmptyBias(tensor)) continue;
      RETURN_IF_ERROR(AddOnce(tensor));
    }
    return absl::OkStatus();
  }

  static absl::Status Misfit(const SourceTensor& tensor, std::string_view expected) {
    return InvalidArgument(
        absl::StrCat("load ", ToAbsl(tensor.file), ": tensor=", ToAbsl(tensor.name), " is ",
                     ToAbsl(tensor.dtype), tensor.shape.ToString(), "/", ToAbsl(expected)));
  }

  absl::Status AddOnce(const SourceTensor& tensor) {
    if (Add(tensor)) return absl::OkStatus();
    return InvalidArgument(absl::StrCat("load ", ToAbsl(tensor.file),
                                        ": tensor=", ToAbsl(tensor.name), " is there twice"));
  }

  // "model.layers.0.mlp.up_proj" if `tensor` holds the codes of its weight, empty if not.
  absl::StatusOr<std::string_view> ModuleOf(const SourceTensor& tensor) const {
    const auto without = [&](std::string_view suffix) {
      return tensor.name.substr(0, tensor.name.size() - suffix.size());
    };
    for (const std::string_view suffix : {".weight_packed", ".qweight"}) {
      if (!tensor.name.ends_with(suffix)) continue;
      if (tensor.dtype != "I32" || tensor.shape.rank() != 2) return Misfit(tensor, "I32 of rank 2");
      return without(suffix);
    }
    const bool coded = tensor.dtype == "I8" || tensor.dtype == "F8_E4M3";
    if (!coded || !tensor.name.ends_with(".weight")) return std::string_view();
    if (tensor.shape.rank() != 2) return Misfit(tensor, "rank 2");
    return without(".weight");
  }

  static bool IsAuxiliary(std::string_view name) {
    return std::any_of(std::begin(kAuxiliary), std::end(kAuxiliary),
                       [&](std::string_view suffix) { return name.ends_with(suffix); });
  }

  // Older quantisers write a bias of zeros for layers without one.
  bool IsEmptyBias(const SourceTensor& tensor) const {
    constexpr std::string_view kBias = ".bias";
    if (!tensor.name.ends_with(kBias)) return false;
    const std::string module(tensor.name.substr(0, tensor.name.size() - kBias.size()));
    return base_->Find(module + ".qweight") != nullptr &&
           tensor.bytes.find_first_not_of('\0') == std::string_view::npos;
  }

  const SourceTensor* Sibling(std::string_view module, std::string_view suffix) const {
    return base_->Find(absl::StrCat(ToAbsl(module), ToAbsl(suffix)));
  }

  absl::Status UnpackWeight(std::string_view module, const SourceTensor& codes) {
    CodedWeight weight{.name = absl::StrCat(ToAbsl(module), ".weight"), .codes = &codes};
    int64_t bits = 8;
    ASSIGN_OR_RETURN(bits, FindSize(module, weight));
    RETURN_IF_ERROR(FindScales(module, weight));
    RETURN_IF_ERROR(FindZeros(module, weight, bits));
    RETURN_IF_ERROR(FindOrder(module, weight));
    return Convert(weight, Layout(method_, weight, bits), bits);
  }

  // The number of bits.
  absl::StatusOr<int64_t> FindSize(std::string_view module, CodedWeight& weight) const {
    const Shape& shape = weight.codes->shape;
    weight.rows = shape.dim(0);
    weight.cols = shape.dim(1);
    if (weight.codes->dtype != "I32") return int64_t{8};
    if (method_.name == "awq") {
      std::swap(weight.rows, weight.cols);
      weight.rows *= 8;
      return method_.bits;
    }
    if (method_.name == "gptq") {
      std::swap(weight.rows, weight.cols);
      const int64_t bits = GptqBits(module, weight.rows);
      weight.cols *= 32 / bits;
      return bits;
    }
    const SourceTensor* stated = Sibling(module, ".weight_shape");
    const bool wide = stated != nullptr && stated->dtype == "I64";
    if (stated == nullptr || stated->shape.element_count() != 2 ||
        (!wide && stated->dtype != "I32")) {
      return Misfit(*weight.codes, "a weight_shape of 2 integers beside it");
    }
    weight.cols = static_cast<int64_t>(WordAt(*stated, wide ? 2 : 1));
    for (const int64_t bits : {4, 8}) {
      if ((weight.cols + 32 / bits - 1) / (32 / bits) == shape.dim(1)) return bits;
    }
    return Misfit(*weight.codes, "4 or 8 bits for each of the inputs that weight_shape states");
  }

  // A module may have another number of bits than the configuration says of all: its zero points
  // tell, one for each output of a group.
  int64_t GptqBits(std::string_view module, int64_t outputs) const {
    const SourceTensor* zeros = Sibling(module, ".qzeros");
    if (zeros == nullptr || zeros->shape.rank() != 2) return method_.bits;
    for (const int64_t bits : {4, 8}) {
      if (zeros->shape.dim(1) * (32 / bits) == outputs) return bits;
    }
    return method_.bits;
  }

  absl::Status FindScales(std::string_view module, CodedWeight& weight) const {
    for (const std::string_view suffix : {".weight_scale", ".weight_scale_inv", ".scales"}) {
      if (weight.scales == nullptr) weight.scales = Sibling(module, suffix);
    }
    if (weight.scales == nullptr) return Misfit(*weight.codes, "scales beside it");
    const SourceTensor& scales = *weight.scales;
    if (!scales.format.has_value() || InfoOf(*scales.format).block_elements != 1) {
      return Misfit(scales, "floats");
    }
    const Shape& shape = scales.shape;
    weight.scale_rows = shape.rank() > 0 ? shape.dim(0) : 1;
    weight.scale_cols = shape.rank() > 1 ? shape.dim(1) : 1;
    if (method_.bits != 0) std::swap(weight.scale_rows, weight.scale_cols);
    if (shape.rank() > 2 || weight.scale_rows < 1 || weight.scale_cols < 1 ||
        weight.scale_rows > weight.rows || weight.scale_cols > weight.cols) {
      return Misfit(scales, "a grid over the weight");
    }
    // Blocks may hang over the edge.
    const auto step = [](int64_t size, int64_t count, int64_t block) {
      if (block > 0 && (size + block - 1) / block == count) return block;
      return size % count == 0 ? size / count : 0;
    };
    const bool blocks = method_.block.size() == 2 && shape.rank() == 2;
    weight.row_step = step(weight.rows, weight.scale_rows, blocks ? method_.block[0] : 0);
    weight.col_step = step(weight.cols, weight.scale_cols, blocks ? method_.block[1] : 0);
    if (weight.row_step == 0 || weight.col_step == 0) return Misfit(scales, "even blocks");
    return absl::OkStatus();
  }

  absl::Status FindZeros(std::string_view module, CodedWeight& weight, int64_t bits) const {
    weight.zeros = Sibling(module, method_.bits != 0 ? ".qzeros" : ".weight_zero_point");
    if (weight.zeros == nullptr) {
      return method_.bits == 0 ? absl::OkStatus() : Misfit(*weight.codes, "qzeros beside it");
    }
    const SourceTensor& zeros = *weight.zeros;
    const int64_t per_word = 32 / bits;
    const int64_t grid = weight.scale_rows * weight.scale_cols;
    const int64_t words = method_.bits != 0
                              ? weight.scale_cols * (weight.rows / per_word)
                              : (weight.rows + per_word - 1) / per_word * weight.scale_cols;
    // These methods have no word for a part of one.
    if (method_.bits != 0 && weight.rows % per_word != 0) {
      return Misfit(*weight.codes, "outputs that fill words of zero points");
    }
    const bool plain =
        zeros.dtype == "I8" && weight.codes->dtype == "I8" && zeros.shape.element_count() == grid;
    if (plain && weight.row_step == 1) return absl::OkStatus();
    if (zeros.dtype == "I32" && weight.row_step == 1 && zeros.shape.element_count() == words) {
      return absl::OkStatus();
    }
    return Misfit(zeros, "a zero point for each scale");
  }

  absl::Status FindOrder(std::string_view module, CodedWeight& weight) const {
    const SourceTensor* order = Sibling(module, method_.bits != 0 ? ".g_idx" : ".weight_g_idx");
    if (order == nullptr) return absl::OkStatus();
    if (order->dtype != "I32" || order->shape.element_count() != weight.cols) {
      return Misfit(*order, "a group for each input");
    }
    bool in_order = true;
    for (int64_t col = 0; col < weight.cols; ++col) {
      const auto group = static_cast<int32_t>(WordAt(*order, col));
      if (group == -1) continue;  // no order was chosen
      if (group < 0 || group >= weight.scale_cols) return Misfit(*order, "groups that have scales");
      if (group != col / weight.col_step) in_order = false;
    }
    if (!in_order) weight.g_idx = order;
    return absl::OkStatus();
  }

  // The narrowest format that holds every code exactly.
  static WeightFormat FormatFor(const CodedWeight& weight, const Layout& layout, int64_t bits) {
    if (weight.cols % kGroup != 0 || weight.g_idx != nullptr || weight.col_step % kGroup != 0) {
      return WeightFormat::kF32;
    }
    if (weight.codes->dtype == "F8_E4M3") return WeightFormat::kGroupedF8;
    const int middle = weight.codes->dtype == "I8" ? 0 : 1 << (bits - 1);
    bool centred = true;
    for (int64_t row = 0; row < weight.rows && centred; ++row) {
      for (int64_t group = 0; group < weight.scale_cols && centred; ++group) {
        centred = layout.Zero(row, group) == middle;
      }
    }
    if (bits == 4) return centred ? WeightFormat::kGroupedI4 : WeightFormat::kGroupedI5;
    return centred ? WeightFormat::kGroupedI8 : WeightFormat::kF32;
  }

  absl::Status Convert(const CodedWeight& weight, const Layout& layout, int64_t bits) {
    const WeightFormat format = FormatFor(weight, layout, bits);
    const size_t row_bytes = RowBytes(format, weight.cols);
    std::string& bytes = bytes_.emplace_back(row_bytes * static_cast<size_t>(weight.rows), '\0');
    threads_->Run([&](const ComputeSlice& slice) {
      const ComputeSlice::Range share = slice.Share(weight.rows);
      for (int64_t row = share.begin; row < share.end; ++row) {
        char* to = bytes.data() + static_cast<size_t>(row) * row_bytes;
        if (format == WeightFormat::kF32) {
          WriteFloats(weight, layout, row, to);
        } else {
          WriteGroups(format, weight, layout, row, to);
        }
      }
    });
    names_.push_back(weight.name);
    return AddOnce({.name = names_.back(),
                    .file = weight.codes->file,
                    .dtype = InfoOf(format).name,
                    .format = format,
                    .shape = Shape({weight.rows, weight.cols}),
                    .bytes = bytes});
  }

  static float F8(std::byte byte) {
    float value;
    DecodeElements(WeightFormat::kF8_E4M3, &byte, 0, 1, &value);
    return value;
  }

  static void WriteFloats(const CodedWeight& weight, const Layout& layout, int64_t row, char* to) {
    const bool floats = weight.codes->dtype == "F8_E4M3";
    for (int64_t col = 0; col < weight.cols; ++col, to += sizeof(float)) {
      const int64_t group = layout.GroupOf(col);
      const float code = floats
                             ? F8(layout.Byte(row, col))
                             : static_cast<float>(layout.Code(row, col) - layout.Zero(row, group));
      const float value = layout.Scale(row, group) * code;
      std::memcpy(to, &value, sizeof(value));
    }
  }

  static void WriteGroups(WeightFormat format, const CodedWeight& weight, const Layout& layout,
                          int64_t row, char* to) {
    for (int64_t first = 0; first < weight.cols; first += kGroup) {
      const int64_t group = layout.GroupOf(first);
      const float scale = layout.Scale(row, group);
      std::memcpy(to, &scale, sizeof(scale));
      to += sizeof(scale);
      if (format == WeightFormat::kGroupedF8) {
        for (int64_t i = 0; i < kGroup; ++i) {
          *to++ = static_cast<char>(layout.Byte(row, first + i));
        }
        continue;
      }
      const int zero = layout.Zero(row, group);
      const auto code = [&](int64_t i) { return layout.Code(row, first + i) - zero; };
      if (format == WeightFormat::kGroupedI4) {
        for (int64_t i = 0; i < kGroup / 2; ++i) {
          *to++ = static_cast<char>((code(i) + 8) | (code(i + kGroup / 2) + 8) << 4);
        }
      } else {
        for (int64_t i = 0; i < kGroup; ++i) *to++ = static_cast<char>(code(i));
      }
    }
  }

  const std::unique_ptr<const TensorSource> base_;
  const Method method_;
  ComputeThreads* threads_ = nullptr;  // while it unpacks
  // Tensors point into these.
  std::deque<std::string> names_;
  std::deque<std::string> bytes_;
};

}  // namespace

bool IsUnpackedMethod(std::string_view quant_method) {
  return std::find(std::begin(kMethods), std::end(kMethods), quant_method) != std::end(kMethods);
}

absl::StatusOr<std::unique_ptr<const TensorSource>> UnpackQuantized(
    std::unique_ptr<const TensorSource> source, const JsonConfig& config) {
  for (const std::string_view key : {"quantization_config", "compression_config"}) {
    ASSIGN_OR_RETURN(const std::optional<JsonConfig> quantization, config.GetObject(key));
    if (!quantization.has_value()) continue;
    ASSIGN_OR_RETURN(std::string name, quantization->GetStringOr("quant_method", "unknown"));
    if (!IsUnpackedMethod(name)) return source;  // an architecture may know it
    ASSIGN_OR_RETURN(Method method, ReadMethod(*quantization, std::move(name)));
    auto unpacked = std::make_unique<UnpackedSource>(std::move(source), std::move(method));
    RETURN_IF_ERROR(unpacked->Unpack());
    return unpacked;
  }
  return source;
}

}  // namespace baton::worker
