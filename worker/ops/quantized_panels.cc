#include "worker/ops/quantized_panels.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "common/base/status_macros.h"
#include "worker/ops/group_quantizer.h"
#include "worker/ops/panel_columns.h"
#include "worker/tensor/float_conversions.h"

namespace baton::worker {
namespace {

constexpr int64_t kPanel = PackedLinear::kPanelCols;
constexpr int64_t kGroup = QuantizedPanels::kGroup;
constexpr int64_t kQuadBytes = kPanel * 4;
constexpr size_t kHalvesBytes = kPanel * 2;
constexpr int kByteZero = 128;

// The largest scale of a panel lies in here, so that f16 keeps what matters of all of them.
constexpr float kScaleMin = 0x1p-16f;
constexpr float kHalfMax = 65504.0f;

// How a panel writes its weights.
struct Form {
  int bits = 0;
  bool has_least = false;
  bool half_groups = false;
  const int8_t* table = nullptr;

  int planes() const { return bits == 8 ? 0 : bits - 4; }
  int zero() const { return has_least ? 0 : table != nullptr ? kByteZero : 1 << (bits - 1); }
  size_t least_at() const { return (half_groups ? 2 : 1) * kHalvesBytes; }
  size_t planes_at() const { return least_at() + (has_least ? kHalvesBytes : 0); }
  size_t codes_at() const { return planes_at() + static_cast<size_t>(planes() * kQuadBytes); }
  size_t group_bytes() const {
    return codes_at() + static_cast<size_t>((bits == 8 ? 8 : 4) * kQuadBytes);
  }
  friend bool operator==(const Form&, const Form&) = default;
};

// How the weights of a part are written when no other part shares their panel; empty: as floats.
std::optional<Form> FormOf(const LinearPart& part, Quantization quantization) {
  const QuantTraits& traits = InfoOf(part.format).quant;
  const int bits_max = quantization == Quantization::kInt4 ? 4 : 8;
  if (traits.bits != 0 && traits.bits <= bits_max) {
    return Form{traits.bits, traits.has_least, traits.group_elements == 16, traits.table};
  }
  if (quantization == Quantization::kAsCheckpoint) return std::nullopt;
  return Form{bits_max, bits_max == 4, false, nullptr};
}

// A form that holds the weights of both.
std::optional<Form> Join(const Form& a, const Form& b) {
  if (a == b) return a;
  Form both{std::max(a.bits, b.bits), a.has_least || b.has_least, a.half_groups || b.half_groups,
            nullptr};
  if (a.table != nullptr || b.table != nullptr) both.bits = 8;
  if (!both.half_groups) return both;
  if (both.has_least || both.bits > 6) return std::nullopt;  // no kernel takes it
  both.bits = 6;
  return both;
}

// Some groups of a column: integers with scales, as the form of their part has them.
struct ColumnGroups {
  static constexpr int64_t kInputs = QuantBlock::kElementsMax;
  int8_t quants[kInputs];
  float scale[kInputs / 16];
  float least[kInputs / 16];
};

// Packs the panels of one linear layer; one use.
class PanelPacker {
 public:
  PanelPacker(absl::Span<const LinearPart> parts, LinearKind kind, Quantization quantization)
      : parts_(parts), kind_(kind), quantization_(quantization) {}

  // False if some panel has no form.
  bool ChooseForms(int64_t panel_count) {
    for (const LinearPart& part : parts_) {
      const std::optional<Form> form = FormOf(part, quantization_);
      if (!form.has_value()) return false;
      part_forms_.push_back(*form);
    }
    for (int64_t panel = 0; panel < panel_count; ++panel) {
      std::optional<Form> form;
      for (int64_t c = 0; c < kPanel; ++c) {
        const int part = PanelColumnOf(parts_, kind_, panel * kPanel + c).part;
        if (part < 0) continue;
        const Form& of_part = part_forms_[static_cast<size_t>(part)];
        form = form.has_value() ? Join(*form, of_part) : of_part;
        if (!form.has_value()) return false;
      }
      forms_.push_back(*form);
    }
    return true;
  }

  const std::vector<Form>& forms() const { return forms_; }

  // False if its scales do not fit. Any thread, for panels of its own.
  bool PackPanel(int64_t panel, std::byte* to) {
    const Form& form = forms_[static_cast<size_t>(panel)];
    const int64_t inputs = parts_[0].cols;
    float largest_scale = 0;
    float largest_least = 0;
    auto groups = std::make_unique<ColumnGroups>();
    for (int64_t c = 0; c < kPanel; ++c) {
      const PanelColumn source = PanelColumnOf(parts_, kind_, panel * kPanel + c);
      for (int64_t begin = 0; begin < inputs; begin += ColumnGroups::kInputs) {
        const int64_t count = std::min(ColumnGroups::kInputs, inputs - begin);
        ReadGroups(source, begin, count, *groups);
        Convert(source, form, *groups);
        for (int64_t first = 0; first < count; first += kGroup) {
          std::byte* group =
              to + static_cast<size_t>((begin + first) / kGroup) * form.group_bytes();
          WriteGroup(form, *groups, first, c, group);
          for (const int64_t i : {first / 16, first / 16 + 1}) {
            largest_scale = std::max(largest_scale, std::abs(groups->scale[i]));
            largest_least = std::max(largest_least, std::abs(groups->least[i]));
          }
        }
      }
    }
    // A NaN fails, too.
    return (largest_scale == 0 || (largest_scale >= kScaleMin && largest_scale <= kHalfMax)) &&
           largest_least <= kHalfMax;
  }

 private:
  // In 16-element steps, whatever the groups of the format.
  void ReadGroups(const PanelColumn& source, int64_t begin, int64_t count, ColumnGroups& out) {
    std::memset(&out, 0, sizeof(out));
    if (source.part < 0) return;
    const LinearPart& part = parts_[static_cast<size_t>(source.part)];
    const WeightFormatInfo& info = InfoOf(part.format);
    const Form& form = part_forms_[static_cast<size_t>(source.part)];
    const std::byte* row = RowOf(part, source.output);
    if (info.quant.bits == 0 || info.quant.bits > form.bits) {
      float values[ColumnGroups::kInputs] = {};
      DecodeElements(part.format, row, part.col_begin + begin, count, values);
      for (int64_t first = 0; first < count; first += kGroup) {
        const QuantizedGroup group = form.bits == 4 ? QuantizeToFourBits(values + first)
                                                    : QuantizeToEightBits(values + first);
        std::copy_n(group.quants.begin(), kGroup, out.quants + first);
        SetGroup(out, first, kGroup, group.scale, group.least);
      }
      return;
    }
    QuantBlock block;
    for (int64_t first = 0; first < count; first += info.block_elements) {
      SplitBlock(part.format, row + RowBytes(part.format, part.col_begin + begin + first), block);
      std::copy_n(block.quants, info.block_elements, out.quants + first);
      const int group = info.quant.group_elements;
      for (int i = 0; i < info.block_elements / group; ++i) {
        SetGroup(out, first + i * group, group, block.scale[i],
                 info.quant.has_least ? block.least[i] : 0.0f);
      }
    }
  }

  static void SetGroup(ColumnGroups& out, int64_t first, int64_t count, float scale, float least) {
    for (int64_t i = first / 16; i < (first + count) / 16; ++i) {
      out.scale[i] = scale;
      out.least[i] = least;
    }
  }

  // Quants of a part to the codes of the panel.
  void Convert(const PanelColumn& source, const Form& form, ColumnGroups& groups) {
    if (form.table != nullptr) {
      for (int8_t& quant : groups.quants) {
        const auto code = std::find(form.table, form.table + 16, quant) - form.table;
        quant = static_cast<int8_t>(code % 16);  // fill has a scale of 0
      }
      return;
    }
    int shift = form.zero();
    if (source.part >= 0) {
      const Form& from = part_forms_[static_cast<size_t>(source.part)];
      if (from.has_least) {
        shift = 0;
      } else if (form.has_least) {
        shift = from.zero();
        for (int64_t i = 0; i < ColumnGroups::kInputs / 16; ++i) {
          groups.least[i] = -static_cast<float>(shift) * groups.scale[i];
        }
      }
    }
    for (int8_t& quant : groups.quants) quant = static_cast<int8_t>(quant + shift);
  }

  static void WriteGroup(const Form& form, const ColumnGroups& groups, int64_t first,
                         int64_t column, std::byte* group) {
    const auto put_half = [&](size_t at, float value) {
      const F16 half = ToF16(value);
      std::memcpy(group + at + 2 * static_cast<size_t>(column), &half, sizeof(half));
    };
    put_half(0, groups.scale[first / 16]);
    if (form.half_groups) put_half(kHalvesBytes, groups.scale[first / 16 + 1]);
    if (form.has_least) put_half(form.least_at(), groups.least[first / 16]);
    for (int64_t i = 0; i < kGroup; ++i) {
      const auto code = static_cast<uint8_t>(groups.quants[first + i]);
      const int64_t quad = i / 4;
      const int64_t lane = column * 4 + i % 4;
      std::byte* codes = group + form.codes_at();
      if (form.bits == 8) {
        codes[quad * kQuadBytes + lane] = static_cast<std::byte>(code);
        continue;
      }
      codes[quad / 2 * kQuadBytes + lane] |= static_cast<std::byte>((code & 15) << 4 * (quad % 2));
      for (int plane = 0; plane < form.planes(); ++plane) {
        const int64_t bit = (plane * 8 + quad) * kQuadBytes + lane;
        group[form.planes_at() + static_cast<size_t>(bit / 8)] |=
            static_cast<std::byte>((code >> (4 + plane) & 1) << bit % 8);
      }
    }
  }

  const absl::Span<const LinearPart> parts_;
  const LinearKind kind_;
  const Quantization quantization_;
  std::vector<Form> part_forms_;
  std::vector<Form> forms_;  // of each panel
};

// The numbers of a table as kernels look them up: without sign.
const unsigned char* KernelTableOf(const int8_t* table) {
  static const auto* tables = new std::array<std::array<unsigned char, 16>, 2>([] {
    std::array<std::array<unsigned char, 16>, 2> made{};
    const WeightFormat formats[2] = {WeightFormat::kIQ4_NL, WeightFormat::kMXFP4};
    for (size_t t = 0; t < 2; ++t) {
      for (size_t i = 0; i < 16; ++i) {
        made[t][i] = static_cast<unsigned char>(InfoOf(formats[t]).quant.table[i] + kByteZero);
      }
    }
    return made;
  }());
  if (table == nullptr) return nullptr;
  return (*tables)[table == InfoOf(WeightFormat::kIQ4_NL).quant.table ? 0 : 1].data();
}

float HalfAt(const unsigned char* from) {
  F16 half;
  std::memcpy(&half, from, sizeof(half));
  return ToFloat(half);
}

// The code of input `i` of a group in a column.
int CodeAt(const cpu::QuantPanel& panel, const unsigned char* planes, int64_t i, int64_t column) {
  const int plane_count = panel.bits == 8 ? 0 : panel.bits - 4;
  const unsigned char* codes = planes + plane_count * kQuadBytes;
  const int64_t quad = i / 4;
  const int64_t lane = column * 4 + i % 4;
  if (panel.bits == 8) return codes[quad * kQuadBytes + lane];
  int code = codes[quad / 2 * kQuadBytes + lane] >> 4 * (quad % 2) & 15;
  if (panel.table != nullptr) code = panel.table[code];
  for (int plane = 0; plane < plane_count; ++plane) {
    const int64_t bit = (plane * 8 + quad) * kQuadBytes + lane;
    code |= (planes[bit / 8] >> bit % 8 & 1) << (4 + plane);
  }
  return code;
}

}  // namespace

absl::StatusOr<std::optional<QuantizedPanels>> QuantizedPanels::Pack(
    absl::Span<const LinearPart> parts, LinearKind kind, Quantization quantization,
    ComputeThreads& threads) {
  int64_t columns = 0;
  for (const LinearPart& part : parts) columns += part.rows;
  if (kind != LinearKind::kPlain) columns = (parts[0].rows + 31) / 32 * kPanel;
  const int64_t panel_count = (columns + kPanel - 1) / kPanel;
  PanelPacker packer(parts, kind, quantization);
  if (!packer.ChooseForms(panel_count)) return std::optional<QuantizedPanels>();

  QuantizedPanels packed;
  packed.group_count_ = (parts[0].cols + kGroup - 1) / kGroup;
  size_t total = 0;
  std::vector<size_t> offsets;
  for (const Form& form : packer.forms()) {
    offsets.push_back(total);
    total += form.group_bytes() * static_cast<size_t>(packed.group_count_);
  }
  ASSIGN_OR_RETURN(packed.bytes_, Buffer::Allocate(total));
  std::memset(packed.bytes_.data(), 0, total);
  for (size_t i = 0; i < offsets.size(); ++i) {
    const Form& form = packer.forms()[i];
    packed.panels_.push_back(
        {.groups = reinterpret_cast<const unsigned char*>(packed.bytes_.data()) + offsets[i],
         .group_bytes = static_cast<int64_t>(form.group_bytes()),
         .table = KernelTableOf(form.table),
         .bits = form.bits,
         .zero = form.zero(),
         .has_least = form.has_least,
         .half_groups = form.half_groups});
  }
  std::atomic<bool> fits{true};
  threads.Run([&](const ComputeSlice& slice) {
    const ComputeSlice::Range share = slice.Share(panel_count);
    for (int64_t panel = share.begin; panel < share.end; ++panel) {
      std::byte* to = packed.bytes_.data() + offsets[static_cast<size_t>(panel)];
      if (!packer.PackPanel(panel, to)) fits.store(false, std::memory_order_relaxed);
    }
  });
  if (!fits.load()) return std::optional<QuantizedPanels>();
  return std::optional<QuantizedPanels>(std::move(packed));
}

void QuantizedPanels::Column(int64_t column, int64_t inputs, float* out) const {
  const cpu::QuantPanel& panel = panels_[static_cast<size_t>(column / kPanel)];
  column %= kPanel;
  for (int64_t i = 0; i < inputs; ++i) {
    const unsigned char* group = panel.groups + i / kGroup * panel.group_bytes;
    const unsigned char* scales = group + 2 * column;
    const unsigned char* least = scales + (panel.half_groups ? 2 : 1) * kHalvesBytes;
    const unsigned char* planes = least - 2 * column + (panel.has_least ? kHalvesBytes : 0);
    if (panel.half_groups && i % kGroup >= 16) scales += kHalvesBytes;
    const int quant = CodeAt(panel, planes, i % kGroup, column) - panel.zero;
    out[i] = HalfAt(scales) * static_cast<float>(quant);
    if (panel.has_least) out[i] += HalfAt(least);
  }
}

}  // namespace baton::worker
