// Writes answers in one endpoint's shape: the chunks of a stream, or the whole at once. Knows JSON
// and nothing of HTTP or of time; the order of chunks is the Answer's business.
//
// Threading: owned by one answer's strand. Ownership: refers to the plan, which outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "frontend/answer/answer_plan.h"
#include "frontend/json/openai_error.h"
#include "frontend/stream/generation_types.h"
#include "frontend/tools/reply_parser.h"

namespace baton::frontend {

struct AnswerUsage {
  uint32_t prompt_tokens = 0;
  uint32_t completion_tokens = 0;
  std::optional<uint32_t> cached_tokens;          // of the prompts; absent: not to be shown
  std::optional<uint32_t> reasoning_tokens = {};  // where reasoning is told apart
};

// One choice, collected for an answer that is not streamed.
struct CollectedChoice {
  std::string text;
  MessageDelta message;  // chat, instead of the text
  std::vector<TokenId> ids;
  std::string logprobs_json;  // of all tokens, without the frame; see AnswerFormat::AddLogprobs
  ChoiceEnd end;
};

class AnswerFormat {
 public:
  virtual ~AnswerFormat() = default;

  // What the tokens of a prompt were worth; before any delta of its choices. Not all shapes show
  // it.
  virtual void AddPromptLogprobs(uint32_t, const v1::TokenLogprobs&) {}

  // The chunks before any text: one per choice that the shape wants, or none.
  virtual void AppendOpening(const AnswerUsage* usage, std::string* out) = 0;

  // One chunk, or none if the delta shows nothing. `choice` counts over all prompts; `usage` is
  // the choice's own, null unless every chunk shows it.
  virtual void AppendDelta(uint32_t choice, const ChoiceDelta& delta, const AnswerUsage* usage,
                           std::string* out) = 0;

  // The last of a stream: the usage for clients that want it, and the end's mark.
  virtual void AppendEnd(const AnswerUsage& usage, std::string* out) = 0;

  // A chunk without choices, with the usage if there is one. Not all shapes have such.
  virtual void AppendBareChunk(const AnswerUsage*, std::string*) {}

  // The last of a stream that failed after it had begun.
  virtual void AppendError(const ApiError& error, std::string* out);

  // Adds what belongs to a delta to a collected choice.
  virtual void Collect(uint32_t choice, const ChoiceDelta& delta, CollectedChoice& collected) = 0;

  // A choice's output tokens that were reasoning; absent where none is told apart.
  virtual std::optional<uint32_t> ReasoningTokens(uint32_t) const { return std::nullopt; }

  virtual std::string Body(absl::Span<const CollectedChoice> choices, const AnswerUsage& usage) = 0;
};

using MakeAnswerFormat = std::function<std::unique_ptr<AnswerFormat>(const AnswerPlan&)>;

std::unique_ptr<AnswerFormat> MakeChatFormat(const AnswerPlan& plan);
std::unique_ptr<AnswerFormat> MakeCompletionFormat(const AnswerPlan& plan);

// Parts that both shapes share.

// What ends a stream of chunks.
inline constexpr std::string_view kStreamDone = "data: [DONE]\n\n";

// ,"system_fingerprint":… or null.
void AppendFingerprint(const AnswerPlan& plan, std::string* out);

// "stop", "length", "repetition" or "abort".
std::string_view FinishReasonName(EndReason reason);

// The stop string, the stop token's id, or null.
void AppendStopReason(const ChoiceEnd& end, std::string* out);

// True if a delta shows something beside its text.
bool ShowsMoreThanText(const ChoiceDelta& delta, const AnswerPlan& plan);

void AppendTokenIds(absl::Span<const TokenId> ids, std::string* out);

// {"prompt_tokens":…,"total_tokens":…,"completion_tokens":…}, and the details that there are.
void AppendUsageJson(const AnswerUsage& usage, std::string* out);

}  // namespace baton::frontend
