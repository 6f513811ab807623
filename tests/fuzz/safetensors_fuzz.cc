// Safetensors files, read as plain weights and as each kind of quantised ones.
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/open_checkpoint.h"
#include "worker/loader/safetensors_header.h"

namespace baton {
namespace {

constexpr const char* kQuantizations[] = {
    R"({"quant_method": "compressed-tensors", "format": "pack-quantized"})",
    R"({"quant_method": "gptq", "bits": 4})", R"({"quant_method": "gptq", "bits": 8})",
    R"({"quant_method": "awq", "bits": 4})",
    R"({"quant_method": "fp8", "weight_block_size": [2, 3]})"};

}  // namespace

void FuzzOneInput(std::string_view input) {
  const auto entries = worker::ParseSafetensors(input, "fuzz.safetensors");
  if (!entries.ok()) return PromiseRefusal(entries.status());
  for (const auto& entry : *entries) {
    Promise(entry.bytes.empty() ||
                (entry.bytes.data() >= input.data() &&
                 entry.bytes.data() + entry.bytes.size() <= input.data() + input.size()),
            "tensors inside the file");
  }
  static const worker::FuzzFolder folder;
  folder.Write("model.safetensors", input);
  for (const char* quantization : kQuantizations) {
    folder.Write(
        "config.json",
        absl::StrCat(R"({"architectures": ["none"], "quantization_config": )", quantization, "}"));
    worker::UseCheckpoint(folder.path());
  }
}

}  // namespace baton
