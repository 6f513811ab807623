// A model as it lies on disk: a Hugging Face directory or a GGUF file, opened and checked, but with
// no weight read yet.
//
//   ASSIGN_OR_RETURN(Checkpoint checkpoint, Checkpoint::Open(path));
//   checkpoint.architecture();                      // "LlamaForCausalLM" or "llama"
//   checkpoint.tensors().Find("model.norm.weight");
//
// Threading: immutable after Open.
// Ownership: owns mappings and copies of the small files.
// Errors:    from Open: NOT_FOUND when the path holds no checkpoint, INVALID_ARGUMENT or
//            UNIMPLEMENTED for files that are damaged or of a kind we do not know, each naming the
//            file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/gguf/gguf_metadata.h"
#include "worker/loader/bounded_json.h"
#include "worker/loader/tensor_source.h"

namespace baton::worker {

// What a model card carries to frontends: tokenizer, chat template, configurations. A GGUF file
// gives one, its metadata section, under kGgufMetadataName.
struct ModelFile {
  std::string name;
  std::string bytes;
};
inline constexpr std::string_view kGgufMetadataName = "metadata.gguf";

class Checkpoint {
 public:
  // `path` is a directory with config.json, a .gguf file, or a directory that holds one of those.
  static absl::StatusOr<Checkpoint> Open(const std::string& path);

  const TensorSource& tensors() const { return *tensors_; }

  // Exactly one of the two is there.
  const JsonConfig* hf_config() const { return hf_config_ ? &*hf_config_ : nullptr; }
  const GgufMetadata* gguf_metadata() const { return gguf_metadata_; }

  // The first of "architectures" in config.json, or general.architecture.
  const std::string& architecture() const { return architecture_; }

  // The ids that end a reply, from generation_config.json, else config.json; in GGUF the ids of
  // end of sequence, turn and message. Sorted.
  const std::vector<TokenId>& end_token_ids() const { return end_token_ids_; }

  std::vector<ModelFile> TakeModelFiles() { return std::move(model_files_); }

  // Names these weights: a hash of the configuration, of every tensor's name, type, shape and of
  // some of its bytes. Cheap, so a worker's start does not wait for it; equal on every machine.
  uint64_t digest() const { return digest_; }

 private:
  Checkpoint() = default;

  static absl::StatusOr<Checkpoint> OpenDirectory(const std::string& path);
  static absl::StatusOr<Checkpoint> OpenGguf(const std::string& path);
  absl::Status ReadHfFiles(const std::string& directory);
  absl::Status ReadHfEndTokens();
  absl::Status ReadGgufEndTokens();
  absl::Status AddEndToken(int64_t id, std::string_view source);
  void ComputeDigest(std::string_view configuration);

  std::unique_ptr<const TensorSource> tensors_;
  std::optional<JsonConfig> hf_config_;
  const GgufMetadata* gguf_metadata_ = nullptr;  // inside tensors_
  std::string architecture_;
  std::vector<TokenId> end_token_ids_;
  std::vector<ModelFile> model_files_;
  uint64_t digest_ = 0;
};

}  // namespace baton::worker
