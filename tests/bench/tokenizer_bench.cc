// Speed of tokenising and detokenising, per core, on English and on source code.
//
//   tokenizer_bench                                     SmolLM2, from the models folder
//   BATON_TOKENIZER=FILE BATON_TEXT=FILE tokenizer_bench     another vocabulary, another text
//
// The texts are those that every machine with this repository has: Debian's licences and our own
// sources.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "common/text/tokenizer/incremental_detokenizer.h"
#include "common/text/tokenizer/tokenizer.h"
#include "tests/unit/common/text/text_test_data.h"

namespace baton {
namespace {

constexpr EncodeOptions kPlain = {.add_special_tokens = false};

// All files below a folder whose names end so, one after the other, in order of their paths.
std::string Gather(const std::string& folder, std::string_view ending) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file() && entry.path().string().ends_with(ending)) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::string text;
  for (const std::string& path : paths) text += ReadFileForTest(path);
  return text;
}

void Encode(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
  size_t tokens = 0;
  for (auto _ : state) tokens = tokenizer.Encode(text, kPlain).value().size();
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * state.iterations());
  state.counters["tokens"] = static_cast<double>(tokens);
}

void Decode(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<TokenId> ids = tokenizer.Encode(text, kPlain).value();
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer.Decode(ids, SpecialTokens::kSkip));
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * state.iterations());
}

// Token by token, as a stream is sent.
void DecodeStream(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<TokenId> ids = tokenizer.Encode(text, kPlain).value();
  for (auto _ : state) {
    IncrementalDetokenizer detokenizer(tokenizer, SpecialTokens::kSkip);
    std::string delta;
    for (const TokenId id : ids) {
      delta.clear();
      detokenizer.Push(id, delta);
      benchmark::DoNotOptimize(delta);
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * state.iterations());
  state.SetItemsProcessed(static_cast<int64_t>(ids.size()) * state.iterations());
}

void Load(benchmark::State& state, const std::string& path) {
  for (auto _ : state) benchmark::DoNotOptimize(LoadTokenizerForTest(path));
}

int Main(int argc, char** argv) {
  const std::string path =
      EnvironmentOr("BATON_TOKENIZER", ModelFileForTest("smollm2-135m", ".gguf"));
  const auto tokenizer = LoadTokenizerForTest(path);
  if (!tokenizer.ok()) {
    std::cerr << "tokenizer_bench: no tokenizer at \"" << path << "\": " << tokenizer.status()
              << "\nfetch the model with deploy/models.sh smollm2-135m\n";
    return 1;
  }
  std::vector<std::pair<std::string, std::string>> texts = {
      {"english", Gather("/usr/share/common-licenses", "")},
      {"code", Gather(BATON_SOURCE_DIR "/common", ".cc")}};
  if (const std::string file = EnvironmentOr("BATON_TEXT", ""); !file.empty()) {
    texts = {{"file", ReadFileForTest(file)}};
  }
  for (const auto& [name, text] : texts) {
    const auto add = [&, &text = text, &name = name](const char* what, auto* function) {
      benchmark::RegisterBenchmark(
          (std::string(what) + "/" + name).c_str(),
          [&, function](benchmark::State& state) { function(state, **tokenizer, text); });
    };
    add("Encode", Encode);
    add("Decode", Decode);
    add("DecodeStream", DecodeStream);
  }
  benchmark::RegisterBenchmark("Load", [&](benchmark::State& state) { Load(state, path); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) { return baton::Main(argc, argv); }
