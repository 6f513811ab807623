#include "worker/dump_command.h"

#include <iostream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/config/config_source.h"
#include "worker/executor/dump_layers.h"

namespace baton::worker {
namespace {

absl::StatusOr<std::vector<TokenId>> ParseTokens(const std::string& text) {
  std::vector<TokenId> tokens;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    uint32_t token = 0;
    if (!absl::SimpleAtoi(part, &token)) {
      return InvalidArgument(absl::StrCat("--tokens: ", part, " is no token id"));
    }
    tokens.push_back(token);
  }
  return tokens;
}

}  // namespace

absl::Status RunDump(std::span<const std::string> arguments) {
  DumpOptions options;
  std::string tokens;
  std::string output = "layers.safetensors";
  OptionTable table("baton-worker dump", "Writes what every layer makes of a prompt.");
  table.Add({.name = "model", .help = "A Hugging Face directory or a GGUF file."}, options.model);
  table.Add({.name = "tokens", .help = "The prompt: token ids between commas."}, tokens);
  table.Add({.name = "output", .help = "The safetensors file to write."}, output);
  table.Add({.name = "threads", .help = "Compute threads."}, options.threads);
  table.AddChoice({.name = "dtype", .help = "Type of weights, activations and cache."},
                  options.dtype,
                  {{"bfloat16", ComputeType::kBfloat16}, {"float32", ComputeType::kFloat32}});
  ASSIGN_OR_RETURN(const LoadedConfig loaded, LoadConfig(table, arguments, ProcessEnvironment()));
  if (loaded.action == LoadedConfig::Action::kShowHelp) {
    std::cout << table.HelpText();
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(options.tokens, ParseTokens(tokens));
  ASSIGN_OR_RETURN(const std::vector<DumpedValues> dump, DumpLayers(options));
  return WriteDump(dump, output);
}

}  // namespace baton::worker
