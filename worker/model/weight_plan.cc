#include "worker/model/weight_plan.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/model/slot_shapes.h"

namespace baton::worker {
namespace {

constexpr size_t kNamesInErrorMax = 3;

// Endings of tensors that a checkpoint may hold and nobody needs: buffers of older releases.
constexpr std::string_view kIgnoredSuffixes[] = {".rotary_emb.inv_freq", ".rotary_emb.cos_cached",
                                                 ".rotary_emb.sin_cached"};

// The first of `parts` whose embedding `source` holds, or the first.
std::optional<TextPart> FindTextPart(absl::Span<const TextPart> parts, const TensorSource& source) {
  for (const TextPart& part : parts) {
    const std::string name = absl::StrCat(ToAbsl(part.model), "embed_tokens.weight");
    if (source.Find(name) != nullptr) return part;
  }
  return parts.empty() ? std::nullopt : std::optional<TextPart>(parts.front());
}

}  // namespace

std::vector<WeightPattern> WeightNames::All() const {
  std::vector<WeightPattern> all(patterns.begin(), patterns.end());
  for (const WeightPattern& pattern : base) {
    const bool replaced =
        std::any_of(patterns.begin(), patterns.end(),
                    [&](const WeightPattern& own) { return own.slot == pattern.slot; });
    if (!replaced) all.push_back(pattern);
  }
  return all;
}

WeightPlan::WeightPlan(const DecoderSpec& spec, const WeightNames& names,
                       const Checkpoint& checkpoint)
    : gguf_(checkpoint.gguf_metadata() != nullptr), other_parts_(names.other_parts) {
  const TensorSource& source = checkpoint.tensors();
  if (!gguf_) text_part_ = FindTextPart(names.text_parts, source);
  const std::vector<WeightPattern> patterns = names.All();
  for (const WeightPattern& pattern : patterns) {
    const int32_t first = OfLayer(pattern.slot) ? 0 : -1;
    const int32_t end = OfLayer(pattern.slot) ? spec.layer_count : 0;
    for (int32_t layer = first; layer < end; ++layer) {
      if (Counts(patterns, pattern, layer, source)) AddRows(spec, pattern, layer);
    }
  }
  for (int32_t i = 0; i < spec.unused_layer_count; ++i) {
    ignored_prefixes_.push_back(absl::StrCat("model.layers.", spec.layer_count + i, "."));
  }
}

std::string_view WeightPlan::NameIn(const WeightPattern& pattern) const {
  return gguf_ ? pattern.gguf_name : pattern.safetensors_name;
}

std::string WeightPlan::NameOf(const WeightPattern& pattern, int32_t layer, int32_t item) const {
  std::string name = absl::StrReplaceAll(ToAbsl(NameIn(pattern)),
                                         {{"#", absl::StrCat(layer)}, {"@", absl::StrCat(item)}});
  if (!text_part_.has_value()) return name;
  for (const auto& [plain, nested] :
       {std::pair("model.", text_part_->model), std::pair("lm_head.", text_part_->head)}) {
    if (!name.starts_with(plain)) continue;
    return absl::StrCat(ToAbsl(nested), name.substr(std::string_view(plain).size()));
  }
  return name;
}

// Whether `pattern` is the one of its slot's that counts.
bool WeightPlan::Counts(absl::Span<const WeightPattern> patterns, const WeightPattern& pattern,
                        int32_t layer, const TensorSource& source) const {
  const WeightPattern* first = nullptr;
  for (const WeightPattern& other : patterns) {
    if (other.slot != pattern.slot || NameIn(other).empty()) continue;
    if (first == nullptr) first = &other;
    if (source.Find(NameOf(other, layer, 0)) != nullptr) return &other == &pattern;
  }
  return first == &pattern;
}

// The rows of one pattern in one layer: one, or one for each item that has a tensor of its own.
void WeightPlan::AddRows(const DecoderSpec& spec, const WeightPattern& pattern, int32_t layer) {
  const SlotShape slot = ShapeOf(pattern.slot, spec, layer);
  if (!slot.present) return;
  WeightRow row;
  row.slot = pattern.slot;
  row.layer = layer;
  row.shape = slot.shape;
  row.axis = slot.axis;
  row.transform = gguf_ ? pattern.gguf_rows : RowTransform::kNone;
  row.turning = TurningOf(pattern.slot, spec);
  row.plus_one = !gguf_ && spec.norm == NormKind::kRmsPlusOne && IsNorm(pattern.slot);
  row.required = slot.required;
  if (!gguf_ && spec.rope_layout == RopeLayout::kInterleaved && row.turning.dims > 0) {
    row.transform = RowTransform::kPairsToHalves;
  }
  PlaceInTensor(pattern, spec, row);
  const bool each = absl::StrContains(ToAbsl(NameIn(pattern)), "@");
  const int32_t count = each ? ItemCountOf(pattern.slot, spec) : 1;
  for (int32_t i = 0; i < count; ++i) {
    WeightRow& added = rows_.emplace_back(row);
    if (each) added.item = i;
    added.name = NameOf(pattern, layer, i);
    if (row.stacking == Stacking::kMxfp4) {
      added.scales_name = absl::StrReplaceAll(added.name, {{"_blocks", "_scales"}});
    }
    index_.emplace(std::tuple(layer, added.slot, added.item), rows_.size() - 1);
  }
}

const WeightRow* WeightPlan::Find(WeightSlot slot, int32_t layer, int32_t item) const {
  auto at = index_.find(std::tuple(layer, slot, item));
  if (at == index_.end()) at = index_.find(std::tuple(layer, slot, -1));
  return at == index_.end() ? nullptr : &rows_[at->second];
}

absl::Status WeightPlan::CheckAgainst(const TensorSource& source) const {
  for (const WeightRow& row : rows_) RETURN_IF_ERROR(CheckRow(row, source));
  return CheckNoneUnused(source);
}

absl::Status WeightPlan::CheckRow(const WeightRow& row, const TensorSource& source) const {
  const SourceTensor* tensor = source.Find(row.name);
  if (tensor == nullptr) {
    if (!row.required) return absl::OkStatus();
    return InvalidArgument(
        absl::StrCat("load ", ToAbsl(source.description()), ": tensor=", row.name, " is missing"));
  }
  if (!(tensor->shape == row.tensor_shape)) {
    return InvalidArgument(absl::StrCat("load ", ToAbsl(tensor->file), ": tensor=", row.name,
                                        " has shape ", tensor->shape.ToString(), "/",
                                        row.tensor_shape.ToString()));
  }
  if (row.stacking == Stacking::kMxfp4) return CheckScales(row, *tensor, source);
  if (!tensor->format.has_value()) {
    return Unimplemented(absl::StrCat("load ", ToAbsl(tensor->file), ": tensor=", row.name,
                                      " has type ", ToAbsl(tensor->dtype),
                                      ", which is not supported"));
  }
  return absl::OkStatus();
}

// Blocks of MXFP4 are bytes, and so are the scales, one for each 32 elements.
absl::Status WeightPlan::CheckScales(const WeightRow& row, const SourceTensor& blocks,
                                     const TensorSource& source) const {
  const SourceTensor* scales = source.Find(row.scales_name);
  if (scales == nullptr) {
    return InvalidArgument(absl::StrCat("load ", ToAbsl(source.description()),
                                        ": tensor=", row.scales_name, " is missing"));
  }
  const Shape expected({row.tensor_shape.dim(0), row.tensor_shape.dim(1), row.tensor_shape.dim(2)});
  if (!(scales->shape == expected)) {
    return InvalidArgument(absl::StrCat("load ", ToAbsl(scales->file), ": tensor=", row.scales_name,
                                        " has shape ", scales->shape.ToString(), "/",
                                        expected.ToString()));
  }
  if (blocks.dtype == "U8" && scales->dtype == "U8") return absl::OkStatus();
  return Unimplemented(absl::StrCat("load ", ToAbsl(blocks.file), ": tensor=", row.name,
                                    " and its scales have types ", ToAbsl(blocks.dtype), " and ",
                                    ToAbsl(scales->dtype), "/U8"));
}

bool WeightPlan::Ignores(std::string_view name) const {
  return std::any_of(std::begin(kIgnoredSuffixes), std::end(kIgnoredSuffixes),
                     [&](std::string_view suffix) { return name.ends_with(suffix); }) ||
         std::any_of(ignored_prefixes_.begin(), ignored_prefixes_.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool WeightPlan::LeavesAside(std::string_view name) const {
  return std::any_of(other_parts_.begin(), other_parts_.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

int64_t WeightPlan::CountLeftAside(const TensorSource& source) const {
  return std::count_if(source.tensors().begin(), source.tensors().end(),
                       [&](const SourceTensor& tensor) { return LeavesAside(tensor.name); });
}

absl::Status WeightPlan::CheckNoneUnused(const TensorSource& source) const {
  absl::flat_hash_set<std::string> used;
  for (const WeightRow& row : rows_) {
    used.insert(row.name);
    if (!row.scales_name.empty()) used.insert(row.scales_name);
  }
  size_t unused_count = 0;
  std::string names;
  for (const SourceTensor& tensor : source.tensors()) {
    if (Ignores(tensor.name) || LeavesAside(tensor.name)) continue;
    if (used.contains(ToAbsl(tensor.name))) continue;
    if (++unused_count > kNamesInErrorMax) continue;
    absl::StrAppend(&names, names.empty() ? "" : ", ", ToAbsl(tensor.name));
  }
  if (unused_count == 0) return absl::OkStatus();
  return InvalidArgument(absl::StrCat("load ", ToAbsl(source.description()), ": ", unused_count,
                                      " tensors belong to no weight of this architecture: ", names,
                                      unused_count > kNamesInErrorMax ? ", ..." : ""));
}

}  // namespace baton::worker
