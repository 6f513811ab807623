// How the answer to one generation request looks: its identity, and what its client wants to see.
//
// Threading: plain data, constant once the answer has begun.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "common/text/tokenizer/token_table.h"
#include "frontend/answer/reply_plan.h"
#include "frontend/answer/token_offsets.h"
#include "frontend/client/model_context.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {

struct AnswerPlan {
  struct Prompt {
    // Where the tokens came from elsewhere, they may be unknown: none, or kNoToken in front.
    std::vector<TokenId> ids;
    std::string echo;                // text in front of each of its choices; empty: none
    std::string role = "assistant";  // chat only: who speaks
    std::optional<std::vector<TextSpan>> offsets = {};  // of `ids`; see token_offsets.h
  };

  // One chunk of a stream whose state is carried by the caller: every delta is a chunk, however
  // little it shows, there is no opening, and what was shown before is not shown again.
  struct Carried {
    bool role_sent = false;         // chat: it has been said who speaks
    bool begun = false;             // completions: a chunk has gone out
    std::vector<TokenId> last_ids;  // in front of the delta: a character may be split
    size_t text_offset = 0;         // where the delta's text begins, in characters
  };

  std::string id;  // "chatcmpl-…"
  int64_t created = 0;
  std::string model;        // the name the client used
  std::string fingerprint;  // of the system; empty: not shown
  std::shared_ptr<const ModelContext> context;
  std::vector<Prompt> prompts;
  HttpResponse (*error_response)(const ApiError&) = ErrorResponse;
  std::string constraint_field;         // the parameter to change where the constraint fails
  std::vector<TokenId> quiet_stop_ids;  // see GenerationSpec
  uint32_t n = 1;                       // choices per prompt
  int64_t logprobs_max = 20;            // see ModelLimits

  bool stream = false;
  bool include_usage = false;  // of a stream
  bool continuous_usage = false;
  bool prompt_tokens_details = false;  // show cached tokens in the usage
  bool return_token_ids = false;
  bool tokens_as_ids = false;
  bool wants_text = false;                 // of tokens: beside them
  bool only_echo = false;                  // the generated text is not shown
  std::optional<int64_t> logprobs;         // alternatives per token
  bool logprobs_of_named = false;          // the alternatives are tokens that the client named
  std::optional<int64_t> prompt_logprobs;  // the same for the prompt, shown on its own
  bool echo_logprobs = false;              // those of the prompt stand before the output's
  std::optional<std::string> prompt_text;  // chat: shown with the first chunk, or the answer

  // Chat: how calls and reasoning are told from text, and shown; null: all text is content.
  std::shared_ptr<const ChatReply> reply;

  std::vector<uint32_t> choice_numbers;  // as clients count them; empty: in order
  std::optional<Carried> carried;

  uint32_t choice_count() const { return n * static_cast<uint32_t>(prompts.size()); }
  const Prompt& PromptOfChoice(uint32_t choice) const { return prompts[choice / n]; }
  uint32_t NumberOf(uint32_t choice) const {
    return choice_numbers.empty() ? choice : choice_numbers[choice];
  }
  bool ShowsIds(const Prompt& prompt) const {
    return return_token_ids && !prompt.ids.empty() && prompt.ids.front() != kNoToken;
  }
};

}  // namespace baton::frontend
