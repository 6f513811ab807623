#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/http/http_types.h"

namespace baton::frontend {

// Which web pages may call us from a browser, by vLLM's flags and with its defaults.
struct CorsPolicy {
  std::vector<std::string> allowed_origins = {"*"};
  std::vector<std::string> allowed_methods = {"*"};
  std::vector<std::string> allowed_headers = {"*"};
  bool allow_credentials = false;
};

// The headers that an answer to `request` carries; none without an Origin or with a strange one.
HttpHeaders CorsHeaders(const CorsPolicy& policy, const HttpHeaders& request_headers);

// The answer to a preflight (OPTIONS with Origin and Access-Control-Request-Method); nullopt if
// the request is none. It comes before authentication, as browsers send it without credentials.
std::optional<HttpResponse> AnswerPreflight(const CorsPolicy& policy, const HttpRequest& request);

}  // namespace baton::frontend
