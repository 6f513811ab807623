#include "frontend/llama/llama_settings.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/request/sampler_rules.h"

namespace baton::frontend {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();
constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();
constexpr int64_t kProbsMax = 128;  // what workers give

// What becomes of a value outside of its limits; a whole number may wrap around at 32 bits.
enum class Bounds { kClamped, kRefused, kWrapped };

// Each field once, for reading and for showing, in the order in which they are shown.
template <typename Visitor>
void VisitSampling(LlamaSettings& s, Visitor& visit) {
  visit.Int("seed", s.seed, 0, LlamaSettings::kRandomSeed, Bounds::kWrapped);
  visit.Float("temperature", s.temperature, 0, kLargest);
  visit.Float("dynatemp_range", s.dynatemp_range, 0, kLargest);
  visit.Float("dynatemp_exponent", s.dynatemp_exponent, 0, kLargest);
  visit.Int("top_k", s.top_k, 0, kIntMax, Bounds::kClamped);
  visit.Float("top_p", s.top_p, 0, 1);
  visit.Float("min_p", s.min_p, 0, 1);
  visit.Float("top_n_sigma", s.top_n_sigma, -kLargest, kLargest);
  visit.Float("xtc_probability", s.xtc_probability, 0, 1);
  visit.Float("xtc_threshold", s.xtc_threshold, 0, 1);
  visit.Float("typical_p", s.typical_p, 0, 1);
  visit.Int("repeat_last_n", s.repeat_last_n, 0, kIntMax, Bounds::kRefused);
  visit.Float("repeat_penalty", s.repeat_penalty, 0, kLargest);
  visit.Float("presence_penalty", s.presence_penalty, -kLargest, kLargest);
  visit.Float("frequency_penalty", s.frequency_penalty, -kLargest, kLargest);
  visit.Float("dry_multiplier", s.dry_multiplier, 0, kLargest);
  visit.Float("dry_base", s.dry_base, -kLargest, kLargest);
  visit.Int("dry_allowed_length", s.dry_allowed_length, 0, kIntMax, Bounds::kRefused);
  visit.Int("dry_penalty_last_n", s.dry_penalty_last_n, 0, kIntMax, Bounds::kRefused);
  visit.Strings("dry_sequence_breakers", s.dry_sequence_breakers);
  visit.Int("mirostat", s.mirostat, 0, 2, Bounds::kClamped);
  visit.Float("mirostat_tau", s.mirostat_tau, 0, kLargest);
  visit.Float("mirostat_eta", s.mirostat_eta, 0, kLargest);
}

template <typename Visitor>
void VisitOutput(LlamaSettings& s, Visitor& visit) {
  visit.Int("n_keep", s.n_keep, -1, kIntMax, Bounds::kRefused);
  visit.Int("n_discard", s.n_discard, 0, kIntMax, Bounds::kClamped);
  visit.Bool("ignore_eos", s.ignore_eos);
  visit.Bool("stream", s.stream);
  visit.Int("n_probs", s.n_probs, -1, kProbsMax, Bounds::kRefused);
  visit.Int("min_keep", s.min_keep, 0, kIntMax, Bounds::kRefused);
  visit.Bool("timings_per_token", s.timings_per_token);
  visit.Bool("post_sampling_probs", s.post_sampling_probs);
}

absl::Status WrongField(std::string_view name, std::string_view what) {
  return WithField(InvalidArgument(absl::StrCat("Field '", ToAbsl(name), "': ", ToAbsl(what))),
                   name);
}

absl::Status WrongType(std::string_view name, std::string_view wanted, const Json& value) {
  return WrongField(name, absl::StrCat("[json.exception.type_error.302] type must be ",
                                       ToAbsl(wanted), ", but is ", value.type_name()));
}

class Reader {
 public:
  explicit Reader(const Json& body) : body_(body) {}

  void Float(const char* name, float& field, float low, float high) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_number()) return Note(WrongType(name, "number", *value));
    field = std::clamp(value->get<float>(), low, high);
  }
  void Int(const char* name, int64_t& field, int64_t low, int64_t high, Bounds bounds) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_number()) return Note(WrongType(name, "number", *value));
    if (bounds == Bounds::kWrapped && value->is_number_integer()) {
      field = value->is_number_unsigned() ? static_cast<uint32_t>(value->get<uint64_t>())
                                          : static_cast<uint32_t>(value->get<int64_t>());
      return;
    }
    const double number = value->get<double>();
    const bool within = number >= static_cast<double>(low) && number <= static_cast<double>(high);
    if (!within && bounds == Bounds::kRefused) {
      return Note(WrongField(name, absl::StrCat("Value must be between ", low, " <= value <= ",
                                                high, ", but got ", value->dump())));
    }
    field = within ? static_cast<int64_t>(number) : number < static_cast<double>(low) ? low : high;
  }
  void Bool(const char* name, bool& field) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_boolean()) return Note(WrongType(name, "boolean", *value));
    field = value->get<bool>();
  }
  void Strings(const char* name, std::vector<std::string>& field) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    const bool valid = value->is_array() && !value->empty() &&
                       std::all_of(value->begin(), value->end(),
                                   [](const Json& item) { return item.is_string(); });
    if (!valid) {
      return Note(
          WrongField(name, absl::StrCat("Error: ", name, " must be a non-empty array of strings")));
    }
    field = value->get<std::vector<std::string>>();
  }

  // Null counts as absent.
  const Json* Find(const char* name) const {
    const auto it = body_.find(name);
    return it == body_.end() || it->is_null() ? nullptr : &*it;
  }
  void Note(absl::Status status) { status_.Update(std::move(status)); }
  const absl::Status& status() const { return status_; }

 private:
  const Json& body_;
  absl::Status status_;
};

class Shower {
 public:
  void Float(const char* name, float field, float, float) { shown[name] = field; }
  void Int(const char* name, int64_t field, int64_t, int64_t, Bounds) { shown[name] = field; }
  void Bool(const char* name, bool field) { shown[name] = field; }
  void Strings(const char* name, const std::vector<std::string>& field) { shown[name] = field; }

  nlohmann::ordered_json shown;
};

void NoteIfNoString(Reader& reader, const char* name, const Json& item) {
  if (!item.is_string()) reader.Note(WrongType(name, "string", item));
}

// The first of its names that is there.
void ReadPredict(Reader& reader, LlamaSettings& settings) {
  for (const char* name : {"n_predict", "max_tokens", "max_completion_tokens"}) {
    if (reader.Find(name) == nullptr) continue;
    return reader.Int(name, settings.n_predict, -1, kIntMax, Bounds::kRefused);
  }
}

void ReadStop(Reader& reader, LlamaSettings& settings) {
  const Json* stop = reader.Find("stop");
  if (stop == nullptr) return;
  if (stop->is_string()) settings.stop = {stop->get<std::string>()};
  if (!stop->is_array()) return;
  for (const Json& item : *stop) {
    NoteIfNoString(reader, "stop", item);
    if (item.is_string() && !item.get_ref<const std::string&>().empty()) {
      settings.stop.push_back(item.get<std::string>());
    }
  }
}

void ReadOrder(Reader& reader, LlamaSettings& settings) {
  settings.samplers = LlamaSamplers();
  const Json* samplers = reader.Find("samplers");
  if (samplers == nullptr) return;
  if (samplers->is_string()) {
    settings.samplers = SamplersOfLetters(samplers->get<std::string>());
  } else if (samplers->is_array()) {
    std::vector<std::string> names;
    for (const Json& item : *samplers) {
      NoteIfNoString(reader, "samplers", item);
      if (item.is_string()) names.push_back(item.get<std::string>());
    }
    settings.samplers = SamplersOfNames(names);
  }
}

void AddBias(std::variant<TokenId, std::string> token, const Json& bias, LlamaSettings& settings) {
  if (bias.is_number()) {
    settings.biases.biases.emplace_back(std::move(token), bias.get<float>());
  } else if (bias.is_boolean() && !bias.get<bool>()) {
    settings.biases.biases.emplace_back(std::move(token), -std::numeric_limits<float>::infinity());
  }
}

// A list of pairs of a token, or a text, and a bias; or an object of those. What is neither is
// passed over, as llama.cpp does.
void ReadBiases(Reader& reader, LlamaSettings& settings) {
  const Json* biases = reader.Find("logit_bias");
  if (biases == nullptr) return;
  if (biases->is_object()) {
    for (const auto& [key, bias] : biases->items()) {
      TokenId id = 0;
      const auto end = key.data() + key.size();
      const auto read = std::from_chars(key.data(), end, id);
      if (read.ec == std::errc() && read.ptr == end) {
        AddBias(id, bias, settings);
      } else {
        AddBias(key, bias, settings);
      }
    }
  }
  if (!biases->is_array()) return;
  for (const Json& pair : *biases) {
    if (!pair.is_array() || pair.size() != 2) continue;
    if (pair[0].is_number_unsigned()) {
      AddBias(pair[0].get<TokenId>(), pair[1], settings);
    } else if (pair[0].is_string()) {
      AddBias(pair[0].get<std::string>(), pair[1], settings);
    }
  }
}

nlohmann::ordered_json ShowBiases(const LlamaSettings& settings, const Tokenizer& tokenizer) {
  nlohmann::ordered_json shown = nlohmann::ordered_json::array();
  v1::SamplingParams params;
  if (!AddBiases(settings.biases, tokenizer, params).ok()) return shown;
  const std::map<TokenId, float> sorted(params.logit_bias().begin(), params.logit_bias().end());
  for (const auto& [token, bias] : sorted) {
    nlohmann::ordered_json entry = {{"bias", nullptr}, {"token", token}};
    if (bias >= -kLargest) entry["bias"] = bias;  // JSON has no infinity
    shown.push_back(std::move(entry));
  }
  return shown;
}

void SetDry(const LlamaSettings& settings, v1::SamplingParams& sampling) {
  if (settings.dry_multiplier == 0 || settings.dry_base < 1) return;
  v1::DrySampling& dry = *sampling.mutable_dry();
  dry.set_multiplier(settings.dry_multiplier);
  dry.set_base(settings.dry_base);
  dry.set_allowed_length(static_cast<uint32_t>(settings.dry_allowed_length));
  dry.set_penalty_last_n(static_cast<uint32_t>(settings.dry_penalty_last_n));
  for (const std::string& breaker : settings.dry_sequence_breakers) {
    dry.add_sequence_breakers(breaker);
  }
}

void SetMirostat(const LlamaSettings& settings, v1::SamplingParams& sampling) {
  if (settings.mirostat == 0) return;
  v1::MirostatSampling& mirostat = *sampling.mutable_mirostat();
  mirostat.set_version(static_cast<uint32_t>(settings.mirostat));
  mirostat.set_tau(settings.mirostat_tau);
  mirostat.set_eta(settings.mirostat_eta);
}

// What keeps nothing in llama.cpp keeps the likeliest token there and here.
float ShareOf(float share) { return std::max(share, 1e-9f); }

}  // namespace

absl::Status ReadLlamaSettings(const Json& body, LlamaSettings& settings) {
  Reader reader(body);
  VisitSampling(settings, reader);
  VisitOutput(settings, reader);
  ReadPredict(reader, settings);
  ReadStop(reader, settings);
  ReadOrder(reader, settings);
  ReadBiases(reader, settings);
  if (reader.Find("n_probs") == nullptr) {
    reader.Int("logprobs", settings.n_probs, -1, kProbsMax, Bounds::kRefused);
  }
  reader.Int("t_max_predict_ms", settings.t_max_predict_ms, -1, kIntMax, Bounds::kClamped);
  reader.Int("n_indent", settings.n_indent, 0, kIntMax, Bounds::kClamped);
  bool cache_prompt = true;  // what is shared is shared by all, but nonsense is refused
  reader.Bool("cache_prompt", cache_prompt);
  const Json* grammar = reader.Find("grammar");
  if (grammar != nullptr && grammar->is_string()) settings.grammar = grammar->get<std::string>();
  if (settings.dry_base < 1) settings.dry_base = 1.75f;
  return reader.status();
}

nlohmann::ordered_json ShowLlamaSettings(const LlamaSettings& settings,
                                         const Tokenizer* tokenizer) {
  LlamaSettings copy = settings;  // the visitor is made for reading, too
  Shower shower;
  VisitSampling(copy, shower);
  shower.shown["stop"] = settings.stop;
  shower.shown["max_tokens"] = settings.n_predict;
  shower.shown["n_predict"] = settings.n_predict;
  VisitOutput(copy, shower);
  if (tokenizer != nullptr) shower.shown["logit_bias"] = ShowBiases(settings, *tokenizer);
  shower.shown["grammar"] = settings.grammar;
  shower.shown["samplers"] = settings.samplers;
  shower.shown["lora"] = nlohmann::ordered_json::array();
  return std::move(shower.shown);
}

absl::StatusOr<v1::SamplingParams> SamplingOf(const LlamaSettings& settings,
                                              const Tokenizer& tokenizer, uint32_t max_tokens) {
  v1::SamplingParams sampling;
  sampling.set_temperature(settings.temperature);
  sampling.set_dynatemp_range(settings.dynatemp_range);
  sampling.set_dynatemp_exponent(settings.dynatemp_exponent);
  sampling.set_top_k(static_cast<uint32_t>(std::min<int64_t>(settings.top_k, 1 << 30)));
  sampling.set_top_p(ShareOf(settings.top_p));
  sampling.set_min_p(settings.min_p);
  sampling.set_top_n_sigma(std::max(settings.top_n_sigma, -1.0f));
  sampling.set_xtc_probability(settings.xtc_probability);
  sampling.set_xtc_threshold(settings.xtc_threshold);
  sampling.set_typical_p(ShareOf(settings.typical_p));
  sampling.set_penalty_last_n(static_cast<uint32_t>(settings.repeat_last_n));
  sampling.set_repetition_penalty(settings.repeat_penalty);
  sampling.set_presence_penalty(settings.presence_penalty);
  sampling.set_frequency_penalty(settings.frequency_penalty);
  sampling.set_min_keep(static_cast<uint32_t>(std::min<int64_t>(settings.min_keep, 1 << 30)));
  SetDry(settings, sampling);
  SetMirostat(settings, sampling);
  SetSamplerOrder(settings.samplers, sampling);
  RETURN_IF_ERROR(AddBiases(settings.biases, tokenizer, sampling));
  if (settings.seed != LlamaSettings::kRandomSeed) {
    sampling.set_seed(static_cast<uint64_t>(settings.seed));
  }
  sampling.set_max_tokens(max_tokens);
  sampling.set_ignore_eos(settings.ignore_eos);
  if (settings.n_probs > 0) {
    sampling.set_logprobs(static_cast<uint32_t>(settings.n_probs));
    sampling.set_post_sampling_probs(settings.post_sampling_probs);
  }
  return sampling;
}

}  // namespace baton::frontend
