// Time to render a chat of twenty messages with real templates, beside the bar: under 200 us.
//
//   build/release/bin/chat_template_bench
//
// The templates are those of BATON_TEST_DATA/templates (default ../shared beside the repository).
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "frontend/chat/chat_template.h"

namespace baton::frontend {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

// A template of the shared test data, or an empty string.
std::string ReadTemplate(const std::string& name) {
  const char* data = std::getenv("BATON_TEST_DATA");
  const fs::path folder =
      data != nullptr ? fs::path(data) : fs::path(BATON_SOURCE_DIR) / "../shared";
  std::ostringstream text;
  text << std::ifstream(folder / "templates" / name, std::ios::binary).rdbuf();
  return text.str();
}

constexpr double kBarMicroseconds = 200;

constexpr const char* kChatMl =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

ordered_json TwentyMessages() {
  ordered_json messages = ordered_json::array();
  for (int i = 0; i < 20; ++i) {
    messages.push_back({{"role", i % 2 == 0 ? "user" : "assistant"},
                        {"content", std::string(400, static_cast<char>('a' + i)) + " text."}});
  }
  return messages;
}

void Render(benchmark::State& state, const std::string& source) {
  if (source.empty()) {
    state.SkipWithError("template not found: set BATON_TEST_DATA");
    return;
  }
  const absl::StatusOr<ChatTemplate> compiled = ChatTemplate::Compile(source);
  const ordered_json messages = TwentyMessages();
  ChatTemplateInput input;
  input.messages = &messages;
  input.special_tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  input.add_generation_prompt = true;
  const RenderLimits limits;
  const auto begin = std::chrono::steady_clock::now();
  for (auto _ : state) {
    absl::StatusOr<std::string> text = compiled->Render(input, limits);
    if (!text.ok()) {
      state.SkipWithError(std::string(text.status().message()).c_str());
      return;
    }
    benchmark::DoNotOptimize(text);
  }
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - begin;
  const bool met = spent.count() / static_cast<double>(state.iterations()) < kBarMicroseconds;
  state.SetLabel(met ? "bar 200 us: met" : "bar 200 us: MISSED");
}

void BM_ChatMl(benchmark::State& state) { Render(state, kChatMl); }
void BM_Qwen3(benchmark::State& state) {
  Render(state, ReadTemplate("llama.cpp/Qwen-Qwen3-0.6B.jinja"));
}
void BM_Llama31(benchmark::State& state) {
  Render(state, ReadTemplate("llama.cpp/meta-llama-Llama-3.1-8B-Instruct.jinja"));
}
void BM_GptOss(benchmark::State& state) {
  Render(state, ReadTemplate("llama.cpp/openai-gpt-oss-120b.jinja"));
}
void BM_CompileQwen3(benchmark::State& state) {
  const std::string source = ReadTemplate("llama.cpp/Qwen-Qwen3-0.6B.jinja");
  for (auto _ : state) benchmark::DoNotOptimize(ChatTemplate::Compile(source));
}

BENCHMARK(BM_ChatMl)->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_Qwen3)->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_Llama31)->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_GptOss)->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_CompileQwen3)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace baton::frontend

BENCHMARK_MAIN();
