#include "frontend/api/llama_answer.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/strings.h"
#include "common/obs/log.h"
#include "frontend/api/answer_format.h"
#include "frontend/api/json_writer.h"
#include "frontend/api/llama_error.h"
#include "frontend/api/logprobs_json.h"

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

// Tells an answer which of its prompts a delta belongs to.
class LlamaAnswer::PromptObserver : public GenerationObserver {
 public:
  PromptObserver(std::shared_ptr<LlamaAnswer> answer, uint32_t prompt)
      : answer_(std::move(answer)), prompt_(prompt) {}

  void OnStarted(uint32_t cached_tokens) override { answer_->OnStarted(prompt_, cached_tokens); }
  void OnDelta(const ChoiceDelta& delta) override { answer_->OnDelta(prompt_, delta); }
  void OnDone() override { answer_->OnDone(); }
  void OnError(const absl::Status& status) override { answer_->OnError(status); }

 private:
  const std::shared_ptr<LlamaAnswer> answer_;
  const uint32_t prompt_;
};

LlamaAnswer::LlamaAnswer(Environment environment, LlamaAnswerPlan plan, Request request)
    : environment_(environment),
      plan_(std::move(plan)),
      model_metrics_(environment_.metrics.OfModel(plan_.context->served_names.front())),
      strand_(std::make_shared<Strand>()),
      arrival_(request.arrival),
      sink_(std::move(request.sink)),
      permit_(std::move(request.permit)),
      cached_tokens_(plan_.prompts.size()),
      choices_(plan_.prompts.size() * plan_.choices_per_prompt()) {
  environment_.metrics.active_requests.Add(1);
}

LlamaAnswer::~LlamaAnswer() { environment_.metrics.active_requests.Add(-1); }

void LlamaAnswer::Start(std::vector<GenerationSpec> specs) {
  BATON_CHECK(specs.size() == plan_.prompts.size()) << "answer: specs=" << specs.size();
  const std::shared_ptr<ResponseSink> sink = sink_;
  strand_->Run([this, self = shared_from_this(), specs = std::move(specs)]() mutable {
    for (size_t i = 0; i < specs.size(); ++i) {
      auto observer = std::make_shared<PromptObserver>(self, static_cast<uint32_t>(i));
      generations_.push_back(Generation::Start(environment_.generation, std::move(specs[i]),
                                               strand_, std::move(observer)));
    }
  });
  sink->OnGone([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      const std::shared_ptr<Strand> strand = self->strand_;
      strand->Run([self] { self->OnClientGone(); });
    }
  });
}

void LlamaAnswer::OnStarted(uint32_t prompt, uint32_t cached_tokens) {
  cached_tokens_[prompt] = cached_tokens;
}

void LlamaAnswer::OnDelta(uint32_t prompt, const ChoiceDelta& delta) {
  if (sink_ == nullptr) return;
  const uint32_t index = prompt * plan_.choices_per_prompt() + delta.choice;
  Choice& choice = choices_[index];
  Record(choice, delta);
  if (delta.end != nullptr) {
    choice.end = *delta.end;
    model_metrics_.request_success_total.At(LabelOf(delta.end->reason)).Increment();
  }
  if (!plan_.request.settings.stream) return;
  // What has no text yet goes out with the piece that has.
  if (!choice.text.empty()) SendPiece(index);
  if (delta.end != nullptr && sink_ != nullptr) SendEnd(index);
}

void LlamaAnswer::Record(Choice& choice, const ChoiceDelta& delta) {
  choice.text += delta.text;
  choice.has_new_line |= delta.text.find('\n') != std::string_view::npos;
  choice.output_tokens = delta.output_tokens;
  if (delta.ids.empty()) return;
  choice.ids.insert(choice.ids.end(), delta.ids.begin(), delta.ids.end());
  const MonotonicTime now = environment_.clock.Now();
  if (!choice.first_token.has_value()) {
    choice.first_token = now;
    model_metrics_.time_to_first_token_seconds.Observe(ToSeconds(now - arrival_));
  } else {
    model_metrics_.inter_token_latency_seconds.Observe(ToSeconds(now - choice.last_token) /
                                                       static_cast<double>(delta.ids.size()));
  }
  choice.last_token = now;
  if (delta.logprobs == nullptr) return;
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
  const MonotonicTime first = choice.first_token.value_or(arrival_);
  const double prompt_ms = Milliseconds(arrival_, first);
  const double predicted_ms = Milliseconds(first, std::max(first, choice.last_token));
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
      {"truncated", false},
      {"stop_type", word != nullptr ? "word"
                    : limited       ? "limit"
                                    : "eos"},
      {"stopping_word", word != nullptr ? *word : ""},
      {"tokens_cached", prompt.token_count + std::max(1u, choice.output_tokens) - 1},
      {"timings", Timings(index)}};
  return result;
}

void LlamaAnswer::BeginStream() {
  if (std::exchange(stream_begun_, true)) return;
  sink_->BeginStream(200, {{"content-type", "text/event-stream"}, {"cache-control", "no-cache"}});
}

bool LlamaAnswer::Send() {
  BeginStream();
  if (sink_->Write(buffer_)) return true;
  OnClientGone();
  return false;
}

void LlamaAnswer::SendPiece(uint32_t index) {
  Choice& choice = choices_[index];
  const uint32_t prompt_tokens = plan_.prompts[index / plan_.choices_per_prompt()].token_count;
  buffer_.clear();
  absl::StrAppend(&buffer_, "data: {\"index\":", index, ",\"content\":");
  AppendJsonString(choice.text, &buffer_);
  buffer_ += ",\"tokens\":";
  AppendTokenIds(choice.ids, &buffer_);
  absl::StrAppend(&buffer_,
                  ",\"stop\":false,\"id_slot\":-1,\"tokens_predicted\":", choice.output_tokens,
                  ",\"tokens_evaluated\":", prompt_tokens);
  if (plan_.request.settings.timings_per_token) {
    absl::StrAppend(&buffer_, ",\"timings\":", Serialize(Timings(index)));
  }
  if (!choice.probabilities.empty()) {
    absl::StrAppend(&buffer_, ",\"completion_probabilities\":[", choice.probabilities, "]");
  }
  buffer_ += "}\n\n";
  choice.text.clear();
  choice.ids.clear();
  choice.probabilities.clear();
  Send();
}

void LlamaAnswer::SendEnd(uint32_t index) {
  buffer_ = "data: " + Serialize(Selected(Final(index), plan_.request.response_fields)) + "\n\n";
  Send();
}

void LlamaAnswer::RespondWhole() {
  std::string body;
  for (uint32_t index = 0; index < choices_.size(); ++index) {
    const Choice& choice = choices_[index];
    OrderedJson result = Final(index);
    if (plan_.request.return_tokens) result["tokens"] = choice.ids;
    if (!choice.probabilities.empty()) {
      result["completion_probabilities"] =
          OrderedJson::parse("[" + choice.probabilities + "]", nullptr, false);
    }
    absl::StrAppend(&body, index > 0 ? "," : "",
                    Serialize(Selected(result, plan_.request.response_fields)));
  }
  if (plan_.is_list()) body = "[" + body + "]";
  sink_->Respond({.status = 200,
                  .headers = {{"content-type", "application/json; charset=utf-8"}},
                  .body = std::move(body)});
}

void LlamaAnswer::OnDone() {
  if (++prompts_over_ < plan_.prompts.size() || sink_ == nullptr) return;
  model_metrics_.e2e_request_latency_seconds.Observe(
      ToSeconds(environment_.clock.Now() - arrival_));
  if (plan_.request.settings.stream) {
    BeginStream();
    sink_->Finish();
  } else {
    RespondWhole();
  }
  End();
}

void LlamaAnswer::OnError(const absl::Status& status) {
  if (sink_ == nullptr) return;
  model_metrics_.request_success_total.At(FinishLabel::kError).Increment();
  HttpResponse response = LlamaErrorResponse(status);
  if (response.status >= 500) {
    LogWarning("request failed", {{"request", plan_.request_id}, {"error", status}});
  }
  if (stream_begun_) {
    sink_->Write("data: " + response.body + "\n\n");
    sink_->Finish();
  } else {
    sink_->Respond(std::move(response));
  }
  End();
}

void LlamaAnswer::OnClientGone() {
  if (sink_ == nullptr) return;
  model_metrics_.request_success_total.At(FinishLabel::kAbort).Increment();
  End();
}

void LlamaAnswer::End() {
  sink_ = nullptr;
  permit_.reset();
  for (const std::weak_ptr<Generation>& weak : std::exchange(generations_, {})) {
    if (const auto generation = weak.lock()) generation->Cancel();
  }
}

}  // namespace baton::frontend
