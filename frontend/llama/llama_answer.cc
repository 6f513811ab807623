#include "frontend/llama/llama_answer.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "frontend/answer/answer_format.h"
#include "frontend/answer/logprobs_json.h"
#include "frontend/json/json_writer.h"
#include "frontend/llama/llama_error.h"

namespace baton::frontend {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string Serialize(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

// {"timings":…} for "timings"; {"generation_settings/seed":…} for a member of a member. What does
// not exist is left out.
OrderedJson Selected(const OrderedJson& whole, const std::vector<std::string>& fields) {
  if (fields.empty()) return whole;
  OrderedJson selected = OrderedJson::object();
  for (const std::string& field : fields) {
    const OrderedJson* value = &whole;
    std::string_view rest = field;
    while (value != nullptr && !rest.empty()) {
      const size_t slash = std::min(rest.find('/'), rest.size());
      const auto member = value->find(std::string(rest.substr(0, slash)));
      value = value->is_object() && member != value->end() ? &*member : nullptr;
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    if (value != nullptr) selected[field] = *value;
  }
  return selected;
}

double Milliseconds(MonotonicTime begin, MonotonicTime end) { return 1e3 * ToSeconds(end - begin); }

double PerSecond(uint32_t count, double milliseconds) {
  return milliseconds > 0 ? 1e3 * count / milliseconds : 0.0;
}

}  // namespace

LlamaAnswer::LlamaAnswer(Environment environment, LlamaAnswerPlan plan, Request request)
    : GenerationAnswer(environment, *plan.context, std::move(request)),
      plan_(std::move(plan)),
      cached_tokens_(plan_.prompts.size()),
      choices_(plan_.prompts.size() * plan_.choices_per_prompt(), Choice(plan_.request.settings)) {}

void LlamaAnswer::OnStarted(uint32_t prompt, uint32_t cached_tokens) {
  cached_tokens_[prompt] = cached_tokens;
  if (shows_progress()) SendProgress(prompt, cached_tokens);
}

void LlamaAnswer::OnDelta(uint32_t prompt, const ChoiceDelta& delta) {
  const uint32_t index = prompt * plan_.choices_per_prompt() + delta.choice;
  Choice& choice = choices_[index];
  const bool first = !choice.pace.first_token.has_value();
  if (first && delta.choice == 0 && shows_progress()) {
    SendProgress(prompt, plan_.prompts[prompt].token_count);
    if (over()) return;
  }
  Record(delta, choice.pace);
  if (!choice.cut) Collect(choice, delta);
  if (delta.end != nullptr) {
    choice.end = *delta.end;
    if (choice.cut) choice.end = {.reason = EndReason::kLength};
  } else if (choice.cut) {
    CutChoice(prompt, delta.choice);
  }
  if (!plan_.request.settings.stream) return;
  if (!over() && (!choice.text.empty() || !choice.ids.empty())) SendPiece(index);
  if (!over() && delta.end != nullptr) SendEnd(index);
}

void LlamaAnswer::Collect(Choice& choice, const ChoiceDelta& delta) {
  const double predict_ms = choice.pace.first_token.has_value()
                                ? Milliseconds(*choice.pace.first_token, choice.pace.last_token)
                                : 0;
  const LlamaLineEnd::Output line = choice.line_end.Push(delta.text, predict_ms);
  const std::string_view text = delta.text.substr(0, line.shown_bytes);
  choice.cut = line.over;
  choice.text += text;
  choice.has_new_line |= text.find('\n') != std::string_view::npos;
  choice.output_tokens = delta.output_tokens;
  choice.ids.insert(choice.ids.end(), delta.ids.begin(), delta.ids.end());
  if (delta.logprobs == nullptr || delta.ids.empty()) return;
  const LlamaSettings& settings = plan_.request.settings;
  const TokenStyle style{.tokenizer = *plan_.context->tokenizer,
                         .top_count = static_cast<size_t>(settings.n_probs)};
  if (!choice.probabilities.empty()) choice.probabilities += ',';
  AppendLlamaProbabilities(style, settings.post_sampling_probs, delta.ids, *delta.logprobs,
                           &choice.probabilities);
}

OrderedJson LlamaAnswer::Timings(uint32_t index) const {
  const Choice& choice = choices_[index];
  const uint32_t prompt = index / plan_.choices_per_prompt();
  const uint32_t cached = cached_tokens_[prompt];
  const uint32_t computed = plan_.prompts[prompt].token_count - cached;
  const MonotonicTime first = choice.pace.first_token.value_or(arrival());
  const double prompt_ms = Milliseconds(arrival(), first);
  const double predicted_ms = Milliseconds(first, std::max(first, choice.pace.last_token));
  const uint32_t predicted = choice.output_tokens;
  return {{"cache_n", cached},
          {"prompt_n", computed},
          {"prompt_ms", prompt_ms},
          {"prompt_per_token_ms", computed > 0 ? prompt_ms / computed : 0.0},
          {"prompt_per_second", PerSecond(computed, prompt_ms)},
          {"predicted_n", predicted},
          {"predicted_ms", predicted_ms},
          {"predicted_per_token_ms", predicted > 1 ? predicted_ms / (predicted - 1) : 0.0},
          {"predicted_per_second", PerSecond(predicted > 1 ? predicted - 1 : 0, predicted_ms)}};
}

// Everything that is known of a choice that is over.
OrderedJson LlamaAnswer::Final(uint32_t index) const {
  const Choice& choice = choices_[index];
  const LlamaAnswerPlan::Prompt& prompt = plan_.prompts[index / plan_.choices_per_prompt()];
  const std::string* word = std::get_if<std::string>(&choice.end.stop);
  const bool limited = choice.end.reason == EndReason::kLength;
  const bool full = prompt.token_count + choice.output_tokens >= plan_.context->max_model_len;
  OrderedJson result = {
      {"index", index},
      {"content", choice.text},
      {"tokens", OrderedJson::array()},
      {"id_slot", index},
      {"stop", true},
      {"model", plan_.model},
      {"tokens_predicted", choice.output_tokens},
      {"tokens_evaluated", prompt.token_count},
      {"generation_settings",
       ShowLlamaSettings(plan_.request.settings, plan_.context->tokenizer.get())},
      {"prompt", prompt.text},
      {"has_new_line", choice.has_new_line},
      {"truncated", full},
      {"stop_type", word != nullptr ? "word"
                    : limited       ? "limit"
                                    : "eos"},
      {"stopping_word", word != nullptr ? *word : ""},
      {"tokens_cached", prompt.token_count + std::max(1u, choice.output_tokens) - 1},
      {"timings", Timings(index)}};
  return result;
}

void LlamaAnswer::Open() {
  if (stream_begun()) return;
  BeginStream({{"content-type", "text/event-stream"}, {"cache-control", "no-cache"}});
}

// The tokens of a stop string are not in the text, and not here.
OrderedJson LlamaAnswer::ShownProbabilities(const Choice& choice) const {
  OrderedJson shown = OrderedJson::parse("[" + choice.probabilities + "]", nullptr, false);
  const std::string* word = std::get_if<std::string>(&choice.end.stop);
  if (word == nullptr) return shown;
  const auto tokens = plan_.context->tokenizer->Encode(*word, {.add_special_tokens = false});
  const size_t hidden = std::min(tokens.ok() ? tokens->size() : 0, shown.size());
  shown.erase(shown.end() - static_cast<std::ptrdiff_t>(hidden), shown.end());
  return shown;
}

void LlamaAnswer::BeginPiece(uint32_t index, std::string_view text, std::span<const TokenId> ids) {
  const uint32_t prompt_tokens = plan_.prompts[index / plan_.choices_per_prompt()].token_count;
  buffer_.clear();
  absl::StrAppend(&buffer_, "data: {\"index\":", index, ",\"content\":");
  AppendJsonString(text, &buffer_);
  buffer_ += ",\"tokens\":";
  AppendTokenIds(ids, &buffer_);
  absl::StrAppend(&buffer_, ",\"stop\":false,\"id_slot\":-1,\"tokens_predicted\":",
                  choices_[index].output_tokens, ",\"tokens_evaluated\":", prompt_tokens);
}

void LlamaAnswer::SendPieceEnd() {
  buffer_ += "}\n\n";
  Open();
  Write(buffer_);
}

void LlamaAnswer::SendProgress(uint32_t prompt, uint32_t processed) {
  BeginPiece(prompt * plan_.choices_per_prompt(), "", {});
  absl::StrAppend(&buffer_, ",\"prompt_progress\":{\"total\":", plan_.prompts[prompt].token_count,
                  ",\"cache\":", cached_tokens_[prompt], ",\"processed\":", processed,
                  ",\"time_ms\":", static_cast<int64_t>(Milliseconds(arrival(), Now())), "}");
  SendPieceEnd();
}

void LlamaAnswer::SendPiece(uint32_t index) {
  Choice& choice = choices_[index];
  BeginPiece(index, choice.text, choice.ids);
  if (plan_.request.settings.timings_per_token) {
    absl::StrAppend(&buffer_, ",\"timings\":", Serialize(Timings(index)));
  }
  if (!choice.probabilities.empty()) {
    absl::StrAppend(&buffer_, ",\"completion_probabilities\":[", choice.probabilities, "]");
  }
  choice.text.clear();
  choice.ids.clear();
  choice.probabilities.clear();
  SendPieceEnd();
}

void LlamaAnswer::SendEnd(uint32_t index) {
  buffer_ = "data: " + Serialize(Selected(Final(index), plan_.request.response_fields)) + "\n\n";
  Open();
  Write(buffer_);
}

void LlamaAnswer::RespondWhole() {
  std::string body;
  for (uint32_t index = 0; index < choices_.size(); ++index) {
    const Choice& choice = choices_[index];
    OrderedJson result = Final(index);
    if (plan_.request.return_tokens) result["tokens"] = choice.ids;
    if (!choice.probabilities.empty()) {
      result["completion_probabilities"] = ShownProbabilities(choice);
    }
    absl::StrAppend(&body, index > 0 ? "," : "",
                    Serialize(Selected(result, plan_.request.response_fields)));
  }
  if (plan_.is_list()) body = "[" + body + "]";
  Respond({.status = 200,
           .headers = {{"content-type", "application/json; charset=utf-8"}},
           .body = std::move(body)});
}

void LlamaAnswer::OnComplete() {
  if (!plan_.request.settings.stream) return RespondWhole();
  Open();
  Finish();
}

HttpResponse LlamaAnswer::ErrorAnswer(const absl::Status& status) {
  return LlamaErrorResponse(status);
}

std::string LlamaAnswer::ErrorEvent(const absl::Status& status) {
  return "data: " + LlamaErrorResponse(status).body + "\n\n";
}

}  // namespace baton::frontend
