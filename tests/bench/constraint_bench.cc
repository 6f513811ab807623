// Compiling constraints and masking: the cost per request and per token, by percentile.
//   constraint_bench MODEL.gguf|tokenizer.json [SUITE_FOLDER]      (default suite: BATON_TEST_DATA)
// Schemas are those of the JSON-Schema-Test-Suite and some that applications send; outputs are
// drawn at random. Prints p50, p90, p99 and the most, in microseconds of thread time.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "common/constraint/compiled_grammar.h"
#include "common/constraint/grammar_threads.h"
#include "common/json/json.h"
#include "common/text/tokenizer/tokenizer.h"
#include "tests/unit/common/text/text_test_data.h"

namespace baton {
namespace {

constexpr int kTokensPerOutput = 80;

double ThreadMicroseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Times {
  const char* name;
  std::vector<double> us = {};

  template <typename Work>
  auto Measure(Work work) {
    const double begin = ThreadMicroseconds();
    auto result = work();
    us.push_back(ThreadMicroseconds() - begin);
    return result;
  }

  void Print() {
    if (us.empty()) return;
    std::sort(us.begin(), us.end());
    const auto at = [this](double p) {
      return us[static_cast<size_t>(p * static_cast<double>(us.size() - 1))];
    };
    std::printf("%-10s n=%-6zu p50 %8.1f  p90 %8.1f  p99 %8.1f  max %8.1f us\n", name, us.size(),
                at(0.5), at(0.9), at(0.99), us.back());
  }
};

std::vector<ConstraintSpec> Specs(const std::filesystem::path& suite) {
  std::vector<ConstraintSpec> specs = {
      ConstraintSpec::JsonObject(),
      ConstraintSpec::JsonSchema(
          R"({"type":"object","properties":{"title":{"type":"string"},"year":{"type":"integer"},
              "authors":{"type":"array","items":{"type":"object","properties":{"name":{"type":
              "string"},"email":{"type":"string","format":"email"}},"required":["name"]}}},
              "required":["title","year"],"additionalProperties":false})"),
      ConstraintSpec::Regex("[A-Z][a-z]+ [0-9]{1,4}"),
      ConstraintSpec::Choice({"positive", "negative", "neutral"}),
  };
  if (!std::filesystem::is_directory(suite)) return specs;
  for (const auto& entry : std::filesystem::directory_iterator(suite)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream in(entry.path());
    std::stringstream text;
    text << in.rdbuf();
    const auto cases = ParseOrderedJson(text.str());
    if (!cases.ok()) continue;
    for (const OrderedJson& one : *cases) {
      specs.push_back(ConstraintSpec::JsonSchema(SerializeJson(one["schema"])));
    }
  }
  return specs;
}

void Walk(const CompiledGrammar& grammar, const TokenVocabulary& vocabulary, std::mt19937& random,
          Times& masks, Times& consumes) {
  Matcher matcher = grammar.NewMatcher();
  std::vector<uint32_t> mask(vocabulary.mask_words());
  std::vector<TokenId> allowed;
  for (int i = 0; i < kTokensPerOutput && !matcher.IsComplete(); ++i) {
    if (!masks.Measure([&] { return matcher.ComputeMask(absl::MakeSpan(mask)); }).ok()) return;
    allowed.clear();
    for (TokenId token = 0; token < vocabulary.size(); ++token) {
      if ((mask[token / 32] >> (token % 32) & 1) != 0) allowed.push_back(token);
    }
    const TokenId token = allowed[random() % allowed.size()];
    const auto& ends = vocabulary.end_ids();
    if (std::find(ends.begin(), ends.end(), token) != ends.end()) return;
    if (!consumes.Measure([&] { return matcher.Consume({token}); }).ok()) return;
  }
}

void Run(const Tokenizer& tokenizer, const std::filesystem::path& suite) {
  Times load{"vocabulary"};
  Times compile{"compile"};
  Times clone{"clone"};
  Times masks{"mask"};
  Times consumes{"consume"};
  std::vector<TokenId> ends = tokenizer.stop_ids();
  if (ends.empty()) ends.push_back(static_cast<TokenId>(tokenizer.vocab_size() - 1));
  const auto vocabulary = load.Measure([&] {
    return *TokenVocabulary::Create(
        tokenizer, {.size = static_cast<uint32_t>(tokenizer.vocab_size()), .end_ids = ends});
  });
  std::mt19937 random(1);
  for (const ConstraintSpec& spec : Specs(suite)) {
    const auto grammar =
        compile.Measure([&] { return CompiledGrammar::Compile(spec, *vocabulary); });
    if (!grammar.ok()) {
      compile.us.pop_back();
      continue;
    }
    for (int output = 0; output < 3; ++output) {
      clone.Measure([&] { return (*grammar)->NewMatcher(); });
      Walk(**grammar, *vocabulary, random, masks, consumes);
    }
  }
  std::printf("%zu tokens\n", tokenizer.vocab_size());
  for (Times* times : {&load, &compile, &clone, &masks, &consumes}) times->Print();
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: constraint_bench MODEL.gguf|tokenizer.json [SUITE_FOLDER]\n");
    return 2;
  }
  const auto tokenizer = baton::LoadTokenizerForTest(argv[1]);
  if (!tokenizer.ok()) {
    std::fprintf(stderr, "%s\n", tokenizer.status().ToString().c_str());
    return 1;
  }
  const char* data = std::getenv("BATON_TEST_DATA");
  const std::filesystem::path suite =
      argc > 2 ? std::filesystem::path(argv[2])
               : std::filesystem::path(data != nullptr ? data : "../shared") /
                     "json-schema-suite/tests/draft2020-12";
  baton::GrammarThreads threads({.name = "bench"});
  std::latch done(1);
  threads.Run([&] { baton::Run(**tokenizer, suite); },
              [&](const absl::Status&) { done.count_down(); });
  done.wait();
  return 0;
}
