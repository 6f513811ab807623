// GET /props: what a client of llama.cpp's API asks of a server before it uses it.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/build_info.h"
#include "common/base/strings.h"
#include "common/json/json.h"
#include "frontend/api/endpoint.h"
#include "frontend/llama/llama_error.h"
#include "frontend/llama/llama_settings.h"
#include "frontend/request/sampler_rules.h"

namespace baton::frontend {
namespace {

std::string PropsOf(const ModelContext& model) {
  LlamaSettings settings;
  settings.samplers = LlamaSamplers();
  nlohmann::ordered_json props = {
      {"default_generation_settings",
       {{"params", ShowLlamaSettings(settings)}, {"n_ctx", model.max_model_len}}},
      {"total_slots", 1},
      {"model_alias", model.served_names.front()},
      {"model_path", model.routed_name},
      {"modalities", {{"vision", false}, {"video", false}, {"audio", false}}},
      {"endpoint_slots", false},
      {"endpoint_props", false},
      {"endpoint_metrics", true},
      {"bos_token", ""},
      {"eos_token", ""},
      {"chat_template", ""},
      {"build_info", absl::StrCat("baton-", ToAbsl(Version()))},
      {"is_sleeping", false}};
  for (const auto& [name, token] : model.special_tokens) {
    if (name == "bos_token" || name == "eos_token") props[name] = token;
  }
  // As it is in use: the operator's, or the model's own.
  const absl::StatusOr<Json> tokenizer = ParseJson(model.tokenizer_config_json);
  if (tokenizer.ok() && tokenizer->contains("chat_template")) {
    props["chat_template"] = (*tokenizer)["chat_template"];
  }
  return props.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

absl::Status Register_llama_props(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add(
      "llama_props", {{"GET", "/props"}},
      [&context](HttpRequest, std::shared_ptr<ResponseSink> sink) {
        const auto model = context.models.FindOrOnly("");
        if (!model.ok()) return sink->Respond(LlamaErrorResponse(model.status()));
        sink->Respond({.status = 200,
                       .headers = {{"content-type", "application/json; charset=utf-8"}},
                       .body = PropsOf(**model)});
      });
}

}  // namespace baton::frontend
