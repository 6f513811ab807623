// POST /inference/v1/abort_requests: ends answers of this process by their ids. Those that have
// gone elsewhere, or nowhere, are not missed.
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "frontend/answer/running_answers.h"
#include "frontend/api/scale_out_endpoint.h"
#include "frontend/json/json_body.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {
namespace {

// A list of ids, or one.
absl::StatusOr<std::vector<std::string>> ReadIds(std::string_view body) {
  std::optional<std::vector<std::string>> ids;
  SchemaProblems problems;
  const auto read = [&ids](std::string_view name, const JsonField& field) {
    if (name != "request_ids" || field.IsNull()) return;
    SchemaProblems not_one;
    if (auto id = JsonField(field.value(), field.path(), not_one).String()) {
      ids = {*std::move(id)};
    } else {
      ids = field.StringList().value_or(std::vector<std::string>());
    }
  };
  ASSIGN_OR_RETURN(const size_t member_count, VisitBody(body, problems, read));
  if (!ids.has_value()) {
    problems.Add({.kind = "missing",
                  .path = "body.request_ids",
                  .message = "Field required",
                  .input = absl::StrCat("<dict of ", member_count, " items>"),
                  .context = ""});
  }
  RETURN_IF_ERROR(problems.ToStatus());
  return *std::move(ids);
}

}  // namespace

absl::Status Register_abort_requests(ApiContext& context, EndpointRegistry& registry) {
  return AddScaleOutEndpoint(
      context, registry, "abort_requests", {{"POST", "/inference/v1/abort_requests"}},
      [&context](const HttpRequest& request, const std::shared_ptr<ResponseSink>& sink) {
        const auto ids = ReadIds(request.body);
        if (!ids.ok()) return sink->Respond(ErrorResponse(ids.status()));
        for (const std::string& id : *ids) context.running.Abort(id);
        sink->Respond(HttpResponse());
      });
}

}  // namespace baton::frontend
