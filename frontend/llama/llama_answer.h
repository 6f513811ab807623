// The answer to one request of llama.cpp's native completion route: the whole at once, or a stream
// of pieces whose last one has everything but the text. A stream has no [DONE]; a list of prompts,
// or several choices, are answered by a list, or by pieces that name their index.
//
//   auto answer = std::make_shared<LlamaAnswer>(environment, std::move(plan), std::move(request));
//   answer->Start(std::move(specs));
//
// Threading, ownership: as in generation_answer.h.
// Errors:    all become the client's answer, in llama.cpp's shape.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/answer/generation_answer.h"
#include "frontend/llama/llama_line_end.h"
#include "frontend/llama/llama_request.h"

namespace baton::frontend {

// What its pieces show besides the text.
struct LlamaAnswerPlan {
  struct Prompt {
    uint32_t token_count = 0;
    std::string text;
  };

  std::string model;
  std::shared_ptr<const ModelContext> context;
  std::vector<Prompt> prompts;
  LlamaRequest request;

  uint32_t choices_per_prompt() const { return static_cast<uint32_t>(request.n); }
  bool is_list() const { return prompts.size() > 1 || request.n > 1; }
};

class LlamaAnswer : public GenerationAnswer {
 public:
  LlamaAnswer(Environment environment, LlamaAnswerPlan plan, Request request);

 private:
  // One choice's progress. What a stream has sent is not kept.
  struct Choice {
    explicit Choice(const LlamaSettings& settings)
        : line_end({settings.n_indent, settings.t_max_predict_ms}) {}

    std::string text;
    std::vector<TokenId> ids;
    std::string probabilities;  // JSON objects, separated by commas
    uint32_t output_tokens = 0;
    bool has_new_line = false;
    Pace pace;
    LlamaLineEnd line_end;
    bool cut = false;  // over for us; the generation has not heard yet
    ChoiceEnd end;
  };

  void OnStarted(uint32_t prompt, uint32_t cached_tokens) override;
  void OnDelta(uint32_t prompt, const ChoiceDelta& delta) override;
  void OnComplete() override;
  HttpResponse ErrorAnswer(const absl::Status& status) override;
  std::string ErrorEvent(const absl::Status& status) override;

  void Collect(Choice& choice, const ChoiceDelta& delta);
  // Begins a piece of a stream in the buffer, up to the members that not all have.
  void BeginPiece(uint32_t index, std::string_view text, std::span<const TokenId> ids);
  void SendPieceEnd();
  void SendProgress(uint32_t prompt, uint32_t processed);
  void SendPiece(uint32_t index);
  void SendEnd(uint32_t index);
  // Begins the stream, once.
  void Open();
  void RespondWhole();
  bool shows_progress() const {
    return plan_.request.return_progress && plan_.request.settings.stream;
  }
  nlohmann::ordered_json ShownProbabilities(const Choice& choice) const;
  nlohmann::ordered_json Timings(uint32_t index) const;
  nlohmann::ordered_json Final(uint32_t index) const;

  const LlamaAnswerPlan plan_;

  // Owned by the strand.
  std::vector<uint32_t> cached_tokens_;  // by prompt
  std::vector<Choice> choices_;
  std::string buffer_;  // reused for each write
};

}  // namespace baton::frontend
