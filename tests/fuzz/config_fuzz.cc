// config.json, beside tensors that suit it: those of a small model, plain or quantised.
#include <array>
#include <string_view>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/open_checkpoint.h"

namespace baton {
namespace {

// The last suits all.
constexpr std::array<std::string_view, 5> kKinds = {"gptq", "awq", "fp8", "compressed", "llama"};

// A folder for each kind, with the tensors in it.
const worker::FuzzFolder& FolderOf(size_t kind) {
  static const std::array<worker::FuzzFolder, kKinds.size()> folders;
  static const bool filled = [] {
    for (size_t i = 0; i < kKinds.size(); ++i) {
      std::string name(kKinds[i]);
      std::error_code error;
      std::filesystem::copy_file(
          BATON_SOURCE_DIR "/tests/fuzz/corpus/safetensors/" + name + ".safetensors",
          folders[i].path() + "/model.safetensors", error);
      if (error) return false;
    }
    return true;
  }();
  Promise(filled, "tensors beside the configuration");
  return folders[kind];
}

}  // namespace

void FuzzOneInput(std::string_view input) {
  size_t kind = 0;
  while (kind + 1 < kKinds.size() && input.find(kKinds[kind]) == std::string_view::npos) ++kind;
  FolderOf(kind).Write("config.json", input);
  worker::UseCheckpoint(FolderOf(kind).path());
}

}  // namespace baton
