#include "worker/loader/checkpoint.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/mapped_file.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/loader/gguf_source.h"
#include "worker/loader/quantized_source.h"
#include "worker/loader/safetensors_source.h"

namespace baton::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kConfigFile = "config.json";
constexpr std::string_view kGenerationConfigFile = "generation_config.json";

// What frontends may need, where it is there.
constexpr std::array<std::string_view, 8> kCardFiles = {
    kConfigFile,  kGenerationConfigFile,     "tokenizer.json",     "tokenizer_config.json",
    "vocab.json", "special_tokens_map.json", "chat_template.json", "chat_template.jinja"};
// Chat templates by name, as transformers keeps those beside the default one.
constexpr std::string_view kTemplateFolder = "additional_chat_templates";
constexpr size_t kTemplateFilesMax = 64;
// Vocabularies of other kinds, where tokenizer.json is missing; the first that is there goes along.
constexpr std::array<std::string_view, 3> kVocabularyFiles = {"tekken.json", "tokenizer.model",
                                                              "tiktoken.model"};
constexpr uint64_t kCardFileBytesMax = uint64_t{256} << 20;

// Of each tensor, so many bytes at both ends are part of the digest.
constexpr size_t kDigestSampleBytes = 256;

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  if (file.bytes().size() > kCardFileBytesMax) {
    return InvalidArgument(absl::StrCat("read ", path, ": ", file.bytes().size(),
                                        " bytes, at most ", kCardFileBytesMax));
  }
  return std::string(file.bytes());
}

// "additional_chat_templates/NAME.jinja", sorted.
std::vector<std::string> NamesOfTemplates(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  const fs::path folder = fs::path(directory) / kTemplateFolder;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".jinja") continue;
    names.push_back((fs::path(kTemplateFolder) / entry.path().filename()).string());
  }
  std::sort(names.begin(), names.end());
  names.resize(std::min(names.size(), kTemplateFilesMax));
  return names;
}

// The vocabulary of a directory without tokenizer.json, as a card names it: Qwen's qwen.tiktoken is
// its tiktoken.model, Mistral's tokenizer.model.v3 its tokenizer.model. Empty paths when none.
struct VocabularyFile {
  fs::path path;
  std::string name;
};

VocabularyFile FindVocabulary(const fs::path& directory) {
  std::error_code error;
  for (const std::string_view name : kVocabularyFiles) {
    if (fs::exists(directory / name, error)) return {directory / name, std::string(name)};
  }
  VocabularyFile found;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    const bool tiktoken = entry.path().extension() == ".tiktoken";
    if (!tiktoken && !name.starts_with("tokenizer.model.v")) continue;
    // Of several the last by name, whatever order the directory lists them in.
    if (entry.path() < found.path) continue;
    found = {entry.path(), tiktoken ? "tiktoken.model" : "tokenizer.model"};
  }
  return found;
}

constexpr std::string_view kProjectorPrefix = "mmproj";

bool IsGguf(const fs::path& path) { return path.extension() == ".gguf"; }

// The one GGUF model of a directory, which may lie there in parts and have a projector of images
// beside it.
absl::StatusOr<std::string> FindGguf(const std::string& directory) {
  std::string found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (!IsGguf(entry.path()) || GgufSource::IsLaterPart(name)) continue;
    if (name.starts_with(kProjectorPrefix)) continue;
    if (!found.empty()) {
      return InvalidArgument(
          absl::StrCat("open model: path=", directory, " holds several GGUF files; name one"));
    }
    found = entry.path().string();
  }
  if (!found.empty()) return found;
  return NotFound(
      absl::StrCat("open model: path=", directory, " holds neither config.json nor a GGUF file"));
}

class Digest {
 public:
  Digest() : state_(XXH3_createState()) { XXH3_64bits_reset(state_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  ~Digest() { XXH3_freeState(state_); }

  // Length first, so that neighbours cannot be cut differently.
  void Add(std::string_view bytes) {
    const uint64_t size = bytes.size();
    XXH3_64bits_update(state_, &size, sizeof(size));
    XXH3_64bits_update(state_, bytes.data(), bytes.size());
  }
  uint64_t Value() const { return XXH3_64bits_digest(state_); }

 private:
  XXH3_state_t* state_;
};

}  // namespace

absl::StatusOr<Checkpoint> Checkpoint::Open(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    const absl::StatusOr<std::string> gguf = FindGguf(path);
    // Folders of GGUF files often keep the original's configuration.
    const bool original = fs::exists(fs::path(path) / kConfigFile, error) &&
                          (SafetensorsSource::IsIn(path) || !gguf.ok());
    if (original) return OpenDirectory(path);
    RETURN_IF_ERROR(gguf.status());
    return OpenGguf(*gguf);
  }
  if (!fs::exists(path, error)) {
    return NotFound(absl::StrCat("open model: path=", path, " does not exist"));
  }
  return OpenGguf(path);
}

absl::StatusOr<Checkpoint> Checkpoint::OpenDirectory(const std::string& path) {
  Checkpoint checkpoint;
  RETURN_IF_ERROR(checkpoint.ReadHfFiles(path));
  const std::string& text = checkpoint.model_files_.front().bytes;
  ASSIGN_OR_RETURN(checkpoint.hf_config_, JsonConfig::Parse(text, std::string(kConfigFile)));
  ASSIGN_OR_RETURN(const std::vector<std::string> architectures,
                   checkpoint.hf_config_->GetStrings("architectures"));
  if (architectures.empty()) {
    return InvalidArgument(absl::StrCat("read ", ToAbsl(kConfigFile),
                                        ": key=architectures is "
                                        "missing"));
  }
  checkpoint.architecture_ = architectures.front();
  RETURN_IF_ERROR(checkpoint.ReadHfEndTokens());
  ASSIGN_OR_RETURN(checkpoint.tensors_, SafetensorsSource::Open(path));
  checkpoint.ComputeDigest(text);
  ASSIGN_OR_RETURN(checkpoint.tensors_,
                   UnpackQuantized(std::move(checkpoint.tensors_), *checkpoint.hf_config_));
  return checkpoint;
}

absl::StatusOr<Checkpoint> Checkpoint::OpenGguf(const std::string& path) {
  Checkpoint checkpoint;
  ASSIGN_OR_RETURN(std::unique_ptr<GgufSource> source, GgufSource::Open(path));
  const GgufFile& file = source->file();
  checkpoint.gguf_metadata_ = &file.metadata();
  checkpoint.model_files_.push_back(
      {std::string(kGgufMetadataName), std::string(file.MetadataSection())});
  checkpoint.tensors_ = std::move(source);
  ASSIGN_OR_RETURN(const std::string_view architecture,
                   checkpoint.gguf_metadata_->GetString("general.architecture"));
  checkpoint.architecture_ = std::string(architecture);
  RETURN_IF_ERROR(checkpoint.ReadGgufEndTokens());
  checkpoint.ComputeDigest(checkpoint.model_files_.front().bytes);
  return checkpoint;
}

absl::Status Checkpoint::ReadHfFiles(const std::string& directory) {
  for (const std::string_view name : kCardFiles) {
    const fs::path path = fs::path(directory) / name;
    std::error_code error;
    if (name != kConfigFile && !fs::exists(path, error)) continue;
    ASSIGN_OR_RETURN(std::string bytes, ReadSmallFile(path.string()));
    model_files_.push_back({std::string(name), std::move(bytes)});
  }
  for (const std::string& name : NamesOfTemplates(directory)) {
    ASSIGN_OR_RETURN(std::string bytes, ReadSmallFile((fs::path(directory) / name).string()));
    model_files_.push_back({name, std::move(bytes)});
  }
  const auto is_json = [](const ModelFile& file) { return file.name == "tokenizer.json"; };
  if (std::any_of(model_files_.begin(), model_files_.end(), is_json)) return absl::OkStatus();
  const VocabularyFile vocabulary = FindVocabulary(directory);
  if (vocabulary.name.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::string bytes, ReadSmallFile(vocabulary.path.string()));
  model_files_.push_back({vocabulary.name, std::move(bytes)});
  return absl::OkStatus();
}

absl::Status Checkpoint::ReadHfEndTokens() {
  std::vector<int64_t> ids;
  for (const ModelFile& file : model_files_) {
    if (file.name != kGenerationConfigFile) continue;
    ASSIGN_OR_RETURN(const JsonConfig config, JsonConfig::Parse(file.bytes, file.name));
    ASSIGN_OR_RETURN(ids, config.GetInts("eos_token_id"));
  }
  if (ids.empty()) {
    ASSIGN_OR_RETURN(ids, hf_config_->GetInts("eos_token_id"));
  }
  if (ids.empty()) {  // models that take more than text
    ASSIGN_OR_RETURN(const std::optional<JsonConfig> text, hf_config_->GetObject("text_config"));
    if (text.has_value()) {
      ASSIGN_OR_RETURN(ids, text->GetInts("eos_token_id"));
    }
  }
  for (const int64_t id : ids) RETURN_IF_ERROR(AddEndToken(id, "eos_token_id"));
  return absl::OkStatus();
}

absl::Status Checkpoint::ReadGgufEndTokens() {
  for (const std::string_view key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                     "tokenizer.ggml.eom_token_id"}) {
    if (!gguf_metadata_->Has(key)) continue;
    ASSIGN_OR_RETURN(const int64_t id, gguf_metadata_->GetInt(key));
    RETURN_IF_ERROR(AddEndToken(id, key));
  }
  return absl::OkStatus();
}

absl::Status Checkpoint::AddEndToken(int64_t id, std::string_view source) {
  if (id < 0 || id > INT32_MAX) {
    return InvalidArgument(absl::StrCat("open model: ", ToAbsl(source), "=", id, " is no token"));
  }
  const auto token = static_cast<TokenId>(id);
  const auto at = std::lower_bound(end_token_ids_.begin(), end_token_ids_.end(), token);
  if (at == end_token_ids_.end() || *at != token) end_token_ids_.insert(at, token);
  return absl::OkStatus();
}

void Checkpoint::ComputeDigest(std::string_view configuration) {
  Digest digest;
  digest.Add(configuration);
  for (const SourceTensor& tensor : tensors_->tensors()) {
    digest.Add(tensor.name);
    digest.Add(tensor.dtype);
    digest.Add(tensor.shape.ToString());
    digest.Add(tensor.bytes.substr(0, kDigestSampleBytes));
    const size_t size = tensor.bytes.size();
    digest.Add(tensor.bytes.substr(size - std::min(size, kDigestSampleBytes)));
  }
  digest_ = digest.Value();
}

}  // namespace baton::worker
