// Speed of tokenising and detokenising on one core, beside the bars: English, source code, and
// Chinese, Japanese and Korean.
//
//   tokenizer_bench                                          every vocabulary that is here
//   BATON_TOKENIZER=FILE[:FILE...] BATON_TEXT=FILE tokenizer_bench     others; another text
//
// The texts are those that every machine with this repository has: Debian's licences, our own
// sources, and sentences from below in a random order. The vocabularies: SmolLM2 and Qwen2.5-Coder
// (deploy/models.sh), and Llama 2 of the shared test data.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "common/text/tokenizer/incremental_detokenizer.h"
#include "common/text/tokenizer/tokenizer.h"
#include "tests/unit/common/text/text_test_data.h"

namespace baton {
namespace {

constexpr EncodeOptions kPlain = {.add_special_tokens = false};

// MB/s on one core.
constexpr double kEncodeBar = 40;
constexpr double kEncodeCjkBar = 15;
constexpr double kDecodeBar = 200;

constexpr std::string_view kSentences[] = {
    "吾輩は猫である",
    "名前はまだ無い",
    "どこで生れたかとんと見当がつかぬ",
    "何でも薄暗いじめじめした所でニャーニャー泣いていた事だけは記憶している",
    "吾輩はここで始めて人間というものを見た",
    "機械学習と深層学習の違いを説明してください",
    "東京は日本の首都であり、世界最大の都市の一つです",
    "明日の天気は晴れのち曇りでしょう",
    "学而时习之，不亦说乎",
    "有朋自远方来，不亦乐乎",
    "人不知而不愠，不亦君子乎",
    "天下大势，分久必合，合久必分",
    "此开卷第一回也",
    "请把下面的句子翻译成英文",
    "北京是中华人民共和国的首都",
    "人工智能正在改变我们的生活方式",
    "我能吞下玻璃而不伤身体",
    "大型語言模型的推理速度取決於記憶體頻寬",
    "나는 유리를 먹을 수 있어요",
    "그래도 아프지 않아요",
    "동해 물과 백두산이 마르고 닳도록",
    "오늘 날씨가 참 좋네요",
    "서울은 대한민국의 수도이다",
    "다음 문장을 영어로 번역해 주세요"};
constexpr std::string_view kStops[] = {"。", "，", "、", "！", "？", "。\n", " ", "「", "」", ""};

// Whole sentences, and as often pieces of them: what is repeated is characters, not pages.
std::string CjkText() {
  std::mt19937_64 random(1);
  std::string text;
  while (text.size() < 600'000) {
    std::string_view sentence = kSentences[random() % std::size(kSentences)];
    if (random() % 2 == 0) {
      size_t at = random() % sentence.size();
      while ((sentence[at] & 0xC0) == 0x80) --at;
      sentence.remove_prefix(at);
    }
    text.append(sentence).append(kStops[random() % std::size(kStops)]);
  }
  return text;
}

void State(benchmark::State& state, const std::string& text, double bar) {
  const double megabytes = static_cast<double>(text.size()) / 1e6;
  state.counters["MB/s"] =
      benchmark::Counter(megabytes, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bar"] = bar;
}

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
  State(state, text, text.find("吾輩") == std::string::npos ? kEncodeBar : kEncodeCjkBar);
  state.counters["tokens"] = static_cast<double>(tokens);
}

void Decode(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<TokenId> ids = tokenizer.Encode(text, kPlain).value();
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer.Decode(ids, SpecialTokens::kSkip));
  State(state, text, kDecodeBar);
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
  State(state, text, 0);
}

void Load(benchmark::State& state, const std::string& path) {
  for (auto _ : state) benchmark::DoNotOptimize(LoadTokenizerForTest(path));
}

// Those that are here, by name.
std::map<std::string, std::string> Vocabularies() {
  std::map<std::string, std::string> paths;
  std::string named = EnvironmentOr("BATON_TOKENIZER", "");
  while (!named.empty()) {
    const size_t end = std::min(named.find(':'), named.size());
    const std::filesystem::path path = named.substr(0, end);
    paths[path.parent_path().filename().string() + "/" + path.filename().string()] = path;
    named.erase(0, end + 1);
  }
  if (!paths.empty()) return paths;
  for (const char* model : {"smollm2-135m", "qwen2.5-coder-0.5b"}) {
    paths[model] = ModelFileForTest(model, ".gguf");
  }
  paths["llama-2"] = SharedDataForTest("tokenizer-data/gguf-vocab/llama-spm.gguf");
  std::erase_if(paths, [](const auto& entry) { return !std::filesystem::exists(entry.second); });
  return paths;
}

std::vector<std::pair<std::string, std::string>> Texts() {
  if (const std::string file = EnvironmentOr("BATON_TEXT", ""); !file.empty()) {
    return {{"file", ReadFileForTest(file)}};
  }
  return {{"english", Gather("/usr/share/common-licenses", "")},
          {"code", Gather(BATON_SOURCE_DIR "/common", ".cc")},
          {"cjk", CjkText()}};
}

void Register(const std::string& vocabulary, const Tokenizer& tokenizer,
              const std::vector<std::pair<std::string, std::string>>& texts) {
  for (const auto& [name, text] : texts) {
    const auto add = [&, &text = text, &name = name](const char* what, auto* function) {
      benchmark::RegisterBenchmark(
          (std::string(what) + "/" + name + "/" + vocabulary).c_str(),
          [&, function](benchmark::State& state) { function(state, tokenizer, text); });
    };
    add("Encode", Encode);
    add("Decode", Decode);
    add("DecodeStream", DecodeStream);
  }
}

int Main(int argc, char** argv) {
  const auto texts = Texts();
  std::vector<std::unique_ptr<const Tokenizer>> tokenizers;
  for (const auto& [name, path] : Vocabularies()) {
    auto tokenizer = LoadTokenizerForTest(path);
    if (!tokenizer.ok()) {
      std::cerr << "tokenizer_bench: " << path << ": " << tokenizer.status() << "\n";
      return 1;
    }
    tokenizers.push_back(*std::move(tokenizer));
    Register(name, *tokenizers.back(), texts);
    benchmark::RegisterBenchmark(("Load/" + name).c_str(),
                                 [path = path](benchmark::State& state) { Load(state, path); });
  }
  if (tokenizers.empty()) {
    std::cerr << "tokenizer_bench: no vocabulary; deploy/models.sh smollm2-135m fetches one\n";
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) { return baton::Main(argc, argv); }
