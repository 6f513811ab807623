// GET /tokenizer_info, where the operator lets it be seen: the default model's tokenizer
// configuration with its chat template.
#include "common/base/status_macros.h"
#include "frontend/api/json_endpoint.h"

namespace baton::frontend {

absl::Status Register_tokenizer_info(ApiContext& context, EndpointRegistry& registry) {
  std::vector<EndpointRegistry::Route> routes;
  if (context.options.tokenizer_info) routes.push_back({"GET", "/tokenizer_info"});
  return AddJsonEndpoint("tokenizer_info", routes, registry,
                         [&context](const HttpRequest&) -> absl::StatusOr<std::string> {
                           ASSIGN_OR_RETURN(const auto model, context.models.Find(""));
                           return model->tokenizer_config_json;
                         });
}

}  // namespace baton::frontend
