#include "worker/model/architecture.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {
namespace {

bool HoldsHead(const Architecture& architecture, const TensorSource& source) {
  for (const WeightPattern& pattern : architecture.names.patterns) {
    if (pattern.slot == WeightSlot::kHead) return source.Find(pattern.gguf_name) != nullptr;
  }
  return false;
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
  absl::StatusOr<DecoderSpec> spec = checkpoint.hf_config() != nullptr
                                         ? architecture.spec_from_hf(*checkpoint.hf_config())
                                         : architecture.spec_from_gguf(*checkpoint.gguf_metadata());
  RETURN_IF_ERROR(spec.status());
  spec->architecture = checkpoint.architecture();
  if (checkpoint.gguf_metadata() != nullptr) {  // only the tensors tell
    spec->tied_embeddings = !HoldsHead(architecture, checkpoint.tensors());
  }
  RETURN_IF_ERROR(CheckSizes(*spec));
  RETURN_IF_ERROR(CheckSupported(*spec));
  return spec;
}

}  // namespace baton::worker
