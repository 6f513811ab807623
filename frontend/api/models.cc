// GET /v1/models and GET /v1/models/{id}
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status.h"
#include "frontend/api/endpoint.h"
#include "frontend/json/json_writer.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {
namespace {

void AppendPermission(const ModelContext& model, const std::string& name, JsonWriter& json) {
  // Stable for a name and a start, so that a client may compare.
  const uint64_t id = std::hash<std::string>()(name) ^ model.model_digest;
  json.BeginObject();
  json.Key("id").String(absl::StrFormat("modelperm-%016x", id));
  json.Key("object").String("model_permission");
  json.Key("created").Int(model.created);
  json.Key("allow_create_engine").Bool(false);
  json.Key("allow_sampling").Bool(true);
  json.Key("allow_logprobs").Bool(true);
  json.Key("allow_search_indices").Bool(false);
  json.Key("allow_view").Bool(true);
  json.Key("allow_fine_tuning").Bool(false);
  json.Key("organization").String("*");
  json.Key("group").Null();
  json.Key("is_blocking").Bool(false);
  json.EndObject();
}

void AppendCard(const ModelContext& model, const std::string& name, JsonWriter& json) {
  json.BeginObject();
  json.Key("id").String(name);
  json.Key("object").String("model");
  json.Key("created").Int(model.created);
  json.Key("owned_by").String("baton");
  json.Key("root").String(model.routed_name);
  json.Key("parent").Null();
  json.Key("max_model_len").Int(model.max_model_len);
  json.Key("permission").BeginArray();
  AppendPermission(model, name, json);
  json.EndArray().EndObject();
}

HttpResponse JsonResponse(std::string body) {
  return {
      .status = 200, .headers = {{"content-type", "application/json"}}, .body = std::move(body)};
}

HttpResponse ListModels(const ModelCatalog& catalog) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject().Key("object").String("list").Key("data").BeginArray();
  for (const auto& model : catalog.models()) {
    for (const std::string& name : model->served_names) AppendCard(*model, name, json);
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(body));
}

HttpResponse DescribeModel(const ModelCatalog& catalog, const std::string& name) {
  const auto model = catalog.Find(name);
  if (!model.ok()) return ErrorResponse(model.status());
  std::string body;
  JsonWriter json(&body);
  AppendCard(**model, name, json);
  return JsonResponse(std::move(body));
}

}  // namespace

absl::Status Register_models(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add("models",
                      {{"GET", "/v1/models"}, {"GET", "/models"}, {"GET", "/v1/models/{model*}"}},
                      [&context](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
                        const auto& parameters = request.path_parameters;
                        sink->Respond(parameters.empty() || parameters.front().empty()
                                          ? ListModels(context.models)
                                          : DescribeModel(context.models, parameters.front()));
                      });
}

}  // namespace baton::frontend
