// Asks constraints about whole texts: with a tokenizer whose tokens are bytes, a text is admitted
// if each of its bytes may come and the end may come then.
//
//   ConstraintRig rig;
//   rig.Admits(ConstraintSpec::Regex("a+"), "aaa")      // true
//   rig.Refusal(ConstraintSpec::Regex("("))             // "regex: ..."
//
// Threading: one thread; compiles on threads of its own.
#pragma once

#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/constraint/compiled_grammar.h"
#include "common/constraint/grammar_threads.h"
#include "common/constraint/token_vocabulary.h"
#include "common/text/tokenizer/tokenizer.h"
#include "tests/fakes/byte_tokenizer.h"

namespace baton {

class ConstraintRig {
 public:
  using Grammar = std::shared_ptr<const CompiledGrammar>;

  ConstraintRig() : threads_({.name = "grammar", .thread_count = 1}) {
    TokenizerConfig config;
    config.eos_token = "<|end|>";
    auto tokenizer = Tokenizer::FromJson(ByteTokenizerJson(), config);
    BATON_CHECK(tokenizer.ok()) << tokenizer.status().ToString();
    tokenizer_ = *std::move(tokenizer);
    auto vocabulary =
        TokenVocabulary::Create(*tokenizer_, {.size = kByteVocab, .end_ids = {kByteEos}});
    BATON_CHECK(vocabulary.ok()) << vocabulary.status().ToString();
    vocabulary_ = *std::move(vocabulary);
    auto checks =
        TokenVocabulary::ForChecks(*tokenizer_, {.size = kByteVocab, .end_ids = {kByteEos}});
    BATON_CHECK(checks.ok()) << checks.status().ToString();
    checks_ = *std::move(checks);
  }

  // Runs `task` on a thread that grammars may be compiled on.
  void OnGrammarThread(const std::function<void()>& task) {
    std::latch done(1);
    threads_.Run(task, [&](const absl::Status& status) {
      BATON_CHECK(status.ok()) << status.ToString();
      done.count_down();
    });
    done.wait();
  }

  absl::StatusOr<Grammar> Compile(const ConstraintSpec& spec) {
    absl::StatusOr<Grammar> grammar = absl::UnknownError("not compiled");
    OnGrammarThread([&] { grammar = CompiledGrammar::Compile(spec, *vocabulary_); });
    return grammar;
  }

  // Empty: the spec is fine, for frontends and workers alike.
  std::string Refusal(const ConstraintSpec& spec) {
    const absl::StatusOr<Grammar> grammar = Compile(spec);
    absl::Status checked;
    OnGrammarThread([&] { checked = CheckConstraint(spec, *checks_); });
    BATON_CHECK(grammar.ok() == checked.ok())
        << "worker: " << grammar.status().ToString() << "; frontend: " << checked.ToString();
    if (grammar.ok()) return "";
    BATON_CHECK(absl::IsInvalidArgument(grammar.status())) << grammar.status().ToString();
    return std::string(grammar.status().message());
  }

  static bool AdmitsTokens(const CompiledGrammar& grammar, const std::vector<TokenId>& tokens) {
    Matcher matcher = grammar.NewMatcher();
    const absl::StatusOr<size_t> fitting = matcher.CountFitting(tokens);
    if (!fitting.ok() || *fitting != tokens.size()) return false;
    if (!tokens.empty() && !matcher.Consume(tokens).ok()) return false;
    return matcher.IsComplete() || matcher.IsAccepting();
  }

  static bool AdmitsText(const CompiledGrammar& grammar, std::string_view text) {
    std::vector<TokenId> tokens;
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    return AdmitsTokens(grammar, tokens);
  }

  bool Admits(const ConstraintSpec& spec, std::string_view text) {
    const absl::StatusOr<Grammar> grammar = Compile(spec);
    BATON_CHECK(grammar.ok()) << grammar.status().ToString() << ": " << spec.text;
    return AdmitsText(**grammar, text);
  }

  const TokenVocabulary& vocabulary() const { return *vocabulary_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

 private:
  std::unique_ptr<const Tokenizer> tokenizer_;
  std::unique_ptr<const TokenVocabulary> vocabulary_;
  std::unique_ptr<const TokenVocabulary> checks_;
  GrammarThreads threads_;
};

}  // namespace baton
