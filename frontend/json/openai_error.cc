#include "frontend/json/openai_error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {
namespace {

constexpr absl::string_view kSchemaUrl = "baton.dev/schema-error";

struct HttpMeaning {
  int http_status;
  std::string_view type;
};

HttpMeaning MeaningOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return {400, "BadRequestError"};
    case absl::StatusCode::kUnauthenticated:
      return {401, "AuthenticationError"};
    case absl::StatusCode::kPermissionDenied:
      return {403, "PermissionDeniedError"};
    case absl::StatusCode::kNotFound:
      return {404, "NotFoundError"};
    case absl::StatusCode::kResourceExhausted:
      return {429, "RateLimitError"};
    case absl::StatusCode::kCancelled:
      return {499, "ClientClosedRequest"};
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
      return {503, "ServiceUnavailableError"};
    case absl::StatusCode::kDeadlineExceeded:
      return {504, "TimeoutError"};
    default:
      return {500, "InternalServerError"};
  }
}

}  // namespace

absl::Status SchemaError(std::string_view message, std::string_view param) {
  absl::Status status = WithField(InvalidArgument(message), param);
  status.SetPayload(kSchemaUrl, absl::Cord("1"));
  return status;
}

absl::Status UnsupportedMediaType() {
  absl::Status status = InvalidArgument(
      "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed");
  status.SetPayload(kSchemaUrl, absl::Cord("1"));
  return status;
}

absl::Status ParameterError(std::string_view message, std::string_view name,
                            std::string_view value) {
  std::string text = absl::StrCat(ToAbsl(message), " (parameter=", ToAbsl(name));
  if (!value.empty()) absl::StrAppend(&text, ", value=", ToAbsl(value));
  return WithField(InvalidArgument(absl::StrCat(text, ")")), name);
}

ApiError ToApiError(const absl::Status& status) {
  const HttpMeaning meaning = MeaningOf(status.code());
  ApiError error{.http_status = meaning.http_status,
                 .type = std::string(meaning.type),
                 .message = std::string(status.message()),
                 .param = Field(status),
                 .retry_after = RetryAfter(status),
                 .unsupported = status.code() == absl::StatusCode::kUnimplemented};
  if (status.GetPayload(kSchemaUrl).has_value()) error.type = "Bad Request";
  // What broke inside is for the log, not for the client.
  if (meaning.http_status == 500) error.message = "Internal server error";
  if (error.message.empty()) error.message = error.type;
  return error;
}

std::string ErrorBody(const ApiError& error) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject().Key("error").BeginObject();
  json.Key("message").String(error.message);
  json.Key("type").String(error.type);
  json.Key("param");
  if (error.param.has_value()) {
    json.String(*error.param);
  } else {
    json.Null();
  }
  json.Key("code").Int(error.http_status);
  if (error.unsupported) json.Key("reason").String("unsupported");
  json.EndObject().EndObject();
  return body;
}

HttpResponse ErrorResponse(const ApiError& error) {
  HttpResponse response;
  response.status = error.http_status;
  response.headers.emplace_back("content-type", "application/json");
  if (error.retry_after.has_value()) {
    const int64_t seconds = (error.retry_after->count() + 999) / 1000;
    response.headers.emplace_back("retry-after", absl::StrCat(seconds > 0 ? seconds : 1));
  }
  response.body = ErrorBody(error);
  return response;
}

HttpResponse ErrorResponse(const absl::Status& status) { return ErrorResponse(ToApiError(status)); }

}  // namespace baton::frontend
