// Requests to the routes of an API under test, as the server would hand them to the endpoints.
//
//   ApiRoutes routes(context_);
//   auto sink = routes.Post("/v1/completions", R"({"prompt":"a"})");
//
// Threading: used from one thread. Ownership: refers to the context, which outlives it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "common/base/check.h"
#include "frontend/api/endpoint.h"
#include "tests/fakes/recording_sink.h"

namespace baton::frontend {

class ApiRoutes {
 public:
  explicit ApiRoutes(ApiContext& context) {
    EndpointRegistry endpoints;
    BATON_CHECK(RegisterBuiltinEndpoints(context, endpoints).ok());
    BATON_CHECK(endpoints.AddRoutes(table_).ok());
  }

  std::shared_ptr<RecordingSink> Post(const std::string& path, const std::string& body) const {
    auto sink = std::make_shared<RecordingSink>();
    HttpRequest request;
    request.method = "POST";
    request.path = path;
    request.headers = {{"content-type", "application/json"}};
    request.request_id = "rid";
    request.body = body;
    const auto found = table_.Find("POST", path);
    BATON_CHECK(std::holds_alternative<RouteTable::Match>(found)) << path;
    (*std::get<RouteTable::Match>(found).handler)(std::move(request), sink);
    return sink;
  }

 private:
  RouteTable table_;
};

}  // namespace baton::frontend
