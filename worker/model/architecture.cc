#include "worker/model/architecture.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {
namespace {

bool Holds(const Architecture& architecture, const TensorSource& source, WeightSlot slot) {
  for (const WeightPattern& pattern : architecture.names.All()) {
    if (pattern.slot != slot) continue;
    return source.Find(absl::StrReplaceAll(ToAbsl(pattern.gguf_name), {{"#", "0"}})) != nullptr;
  }
  return false;
}

// What a GGUF file says by the tensors that it holds.
void ReadTensors(const Architecture& architecture, const TensorSource& source, DecoderSpec& spec) {
  const auto holds = [&](WeightSlot slot) { return Holds(architecture, source, slot); };
  spec.tied_embeddings = !holds(WeightSlot::kHead);
  spec.qkv_bias = holds(WeightSlot::kQueryBias);
  spec.attention_out_bias = holds(WeightSlot::kAttentionOutBias);
  spec.mlp_bias = holds(WeightSlot::kDownBias);
  const bool factors = holds(WeightSlot::kRopeShortFactors) && holds(WeightSlot::kRopeLongFactors);
  for (RopeConfig& rope : spec.ropes) {
    const auto* lists = std::get_if<LongRopeScaling>(&rope.scaling);
    if (lists != nullptr && lists->long_factors.empty() && !factors) rope.scaling = RopeScaling();
  }
}

const SourceTensor* FindHf(const Architecture& architecture, const TensorSource& source,
                           WeightSlot slot) {
  for (const WeightPattern& pattern : architecture.names.All()) {
    if (pattern.slot == slot) return source.Find(pattern.safetensors_name);
  }
  return nullptr;
}

// Whether a head lies beside the embedding and is another one: then a configuration that ties them
// is wrong, as transformers has it.
bool HoldsHeadOfItsOwn(const Architecture& architecture, const TensorSource& source) {
  const SourceTensor* head = FindHf(architecture, source, WeightSlot::kHead);
  const SourceTensor* embedding = FindHf(architecture, source, WeightSlot::kEmbedding);
  return head != nullptr && embedding != nullptr && head->dtype == embedding->dtype &&
         head->bytes != embedding->bytes;
}

// Configurations of models that take more than text say of two places whether the head is the
// embedding, and not the same; what the checkpoint holds decides.
bool HoldsTextHead(const WeightNames& names, const TensorSource& source) {
  return std::any_of(names.text_parts.begin(), names.text_parts.end(), [&](const TextPart& part) {
    return source.Find(absl::StrCat(ToAbsl(part.head), "weight")) != nullptr;
  });
}

}  // namespace

absl::Status ArchitectureRegistry::Add(const Architecture& architecture) {
  for (const Architecture& known : architectures_) {
    const bool taken = (!known.hf_name.empty() && known.hf_name == architecture.hf_name) ||
                       (!known.gguf_name.empty() && known.gguf_name == architecture.gguf_name);
    if (taken) {
      return absl::AlreadyExistsError(
          absl::StrCat("register architecture: name=", ToAbsl(architecture.hf_name), " is taken"));
    }
  }
  architectures_.push_back(architecture);
  return absl::OkStatus();
}

absl::StatusOr<const Architecture*> ArchitectureRegistry::Find(const Checkpoint& checkpoint) const {
  const bool hf = checkpoint.hf_config() != nullptr;
  std::vector<std::string> names;
  for (const Architecture& known : architectures_) {
    const std::string_view name = hf ? known.hf_name : known.gguf_name;
    if (name.empty()) continue;
    if (name == checkpoint.architecture()) return &known;
    names.emplace_back(name);
  }
  return Unimplemented(absl::StrCat("load model: architecture=", checkpoint.architecture(),
                                    " is not supported; known: ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<DecoderSpec> ReadSpec(const Architecture& architecture,
                                     const Checkpoint& checkpoint) {
  absl::StatusOr<DecoderSpec> spec =
      checkpoint.hf_config() != nullptr
          ? architecture.spec_from_hf(
                checkpoint.hf_config()->WithDefaults(architecture.hf_defaults))
          : architecture.spec_from_gguf(*checkpoint.gguf_metadata());
  RETURN_IF_ERROR(spec.status());
  spec->architecture = checkpoint.architecture();
  if (checkpoint.gguf_metadata() != nullptr) {
    ReadTensors(architecture, checkpoint.tensors(), *spec);
  }
  if (!architecture.names.text_parts.empty()) {
    spec->tied_embeddings = !HoldsTextHead(architecture.names, checkpoint.tensors());
  } else if (HoldsHeadOfItsOwn(architecture, checkpoint.tensors())) {
    spec->tied_embeddings = false;
  }
  RETURN_IF_ERROR(CheckSizes(*spec));
  RETURN_IF_ERROR(CheckSupported(*spec));
  return spec;
}

}  // namespace baton::worker
