// /v1/responses: create, read, follow, cancel and delete responses, and list what they were asked
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/json/json.h"
#include "frontend/api/endpoint.h"
#include "frontend/api/responses_format.h"
#include "frontend/generation/generation_start.h"
#include "frontend/json/json_body.h"
#include "frontend/json/openai_error.h"
#include "frontend/responses/response_object.h"
#include "frontend/responses/response_store.h"
#include "frontend/responses/responses_request.h"

namespace baton::frontend {
namespace {

using SinkPtr = std::shared_ptr<ResponseSink>;
using StorePtr = std::shared_ptr<ResponseStore>;
using StoredPtr = std::shared_ptr<StoredResponse>;

HttpResponse JsonResponse(std::string body) {
  return {
      .status = 200, .headers = {{"content-type", "application/json"}}, .body = std::move(body)};
}

absl::Status NotKept(std::string_view id) {
  return WithField(NotFound(absl::StrCat("Response with id '", ToAbsl(id), "' not found.")),
                   "response_id");
}

// What an error body says.
absl::StatusOr<std::string> MessageOf(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(body));
  ASSIGN_OR_RETURN(const Json* error, GetObject(json, "error"));
  return GetString(*error, "message");
}

// Takes the answer of a response that is made in the background.
class BackgroundSink : public ResponseSink {
 public:
  BackgroundSink(StoredPtr stored, ResponseObject object)
      : stored_(std::move(stored)), object_(std::move(object)) {}
  ~BackgroundSink() override { Fail(500, "the response was given up"); }

  // A failure before the first token.
  void Respond(HttpResponse response) override {
    Fail(response.status, MessageOf(response.body).value_or(""));
  }
  void BeginStream(int, HttpHeaders) override {}
  bool Write(std::string_view bytes) override {
    stored_->AppendEvents(bytes);
    return true;
  }
  void Finish() override { Fail(500, "the response has no end"); }
  void OnGone(std::function<void()> callback) override { stored_->SetCancel(std::move(callback)); }

 private:
  // Nothing for a response that came to its conclusion.
  void Fail(int http_status, std::string_view message) {
    const std::string error = ResponseErrorJson(http_status, message);
    stored_->End(object_.Json({.status = "failed", .error_json = error}));
  }

  const StoredPtr stored_;
  const ResponseObject object_;
};

// One request to create a response.
class Creation {
 public:
  Creation(ApiContext& context, ResponseStore& store) : context_(context), store_(store) {}

  absl::Status Run(HttpRequest http, const SinkPtr& sink) {
    RETURN_IF_ERROR(CheckJsonContentType(http));
    ASSIGN_OR_RETURN(const ResponsesRequest request, ResponsesRequest::Parse(http.body));
    if (request.background() && !store_.enabled()) {
      ApiError error = ToApiError(
          WithField(InvalidArgument("background needs a server that stores responses: start it "
                                    "with --response-store"),
                    "background"));
      error.type = kInvalidRequest;
      sink->Respond(ErrorResponse(error));
      return absl::OkStatus();
    }
    std::string earlier;
    if (request.previous_response_id().has_value()) {
      const StoredPtr previous = store_.Find(*request.previous_response_id());
      if (previous == nullptr) return NotKept(*request.previous_response_id());
      earlier = previous->ConversationJson();
    }
    ASSIGN_OR_RETURN(http.body, request.ChatBody(earlier));
    return Start(request, std::move(earlier), http, sink);
  }

 private:
  absl::Status Start(const ResponsesRequest& request, std::string earlier, const HttpRequest& http,
                     const SinkPtr& sink) {
    const std::string name_of_id = request.request_id().value_or(http.request_id);
    const bool is_whole = absl::StartsWith(name_of_id, "resp_");
    const std::string id = absl::StrCat(is_whole ? "" : "resp_", name_of_id);
    const std::string echo = request.EchoJson(store_.enabled());
    ASSIGN_OR_RETURN(const auto model, context_.models.Find(request.model()));
    const std::string& name =
        request.model().empty() ? model->served_names.front() : request.model();
    const ResponseObject object(id, UnixSeconds(context_.clock.WallNow()), name, echo);
    StoredPtr stored;
    if (store_.enabled() && request.store()) {
      ASSIGN_OR_RETURN(stored, store_.Add({.id = id,
                                           .json = object.Json({.status = "queued"}),
                                           .input_items_json = request.InputItemsJson("msg_" + id),
                                           .earlier_items_json = std::move(earlier),
                                           .background = request.background()}));
    }
    const GenerationApi api{.endpoint = GenerationEndpoint::kChat,
                            .id = id,
                            .make_format =
                                [stored, echo, &clock = context_.clock](const AnswerPlan& plan) {
                                  return MakeResponsesFormat(
                                      plan, {.echo_json = echo, .stored = stored, .clock = clock});
                                },
                            .error_response = ResponsesErrorResponse,
                            .on_refused =
                                [&store = store_, stored, id] {
                                  if (stored != nullptr) store.Remove(id);
                                },
                            .wants_cached_tokens = true};
    const SinkPtr target =
        request.background() ? std::make_shared<BackgroundSink>(stored, object) : sink;
    const absl::Status status = TryStartGeneration(context_, api, http, target);
    if (!status.ok()) {
      if (stored != nullptr) store_.Remove(id);
      return status;
    }
    if (!request.background()) return absl::OkStatus();
    if (request.stream()) {
      stored->Follow(-1, sink);
    } else {
      sink->Respond(JsonResponse(stored->Json()));
    }
    return absl::OkStatus();
  }

  ApiContext& context_;
  ResponseStore& store_;
};

std::optional<std::string> QueryValue(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name || equals == std::string_view::npos) continue;
    return std::string(pair.substr(equals + 1));
  }
  return std::nullopt;
}

absl::StatusOr<int64_t> QueryInt(const HttpRequest& request, const char* name, int64_t otherwise) {
  const std::optional<std::string> text = QueryValue(request.query, name);
  if (!text.has_value()) return otherwise;
  int64_t value = 0;
  if (!absl::SimpleAtoi(*text, &value)) {
    return WithField(InvalidArgument(absl::StrCat(name, " should be an integer")), name);
  }
  return value;
}

absl::Status Read(const HttpRequest& request, StoredResponse& stored, const SinkPtr& sink) {
  if (QueryValue(request.query, "stream") != "true") {
    sink->Respond(JsonResponse(stored.Json()));
    return absl::OkStatus();
  }
  if (!stored.background()) {
    return WithField(InvalidArgument("only a response made in the background can be followed"),
                     "stream");
  }
  ASSIGN_OR_RETURN(const int64_t starting_after, QueryInt(request, "starting_after", -1));
  stored.Follow(starting_after, sink);
  return absl::OkStatus();
}

// False: it was finished before.
absl::StatusOr<bool> Stop(StoredResponse& stored) {
  ASSIGN_OR_RETURN(Json object, ParseJson(stored.Json()));
  object["status"] = "cancelled";
  return stored.Cancel(SerializeJson(object));
}

absl::Status Cancel(StoredResponse& stored, ResponseSink& sink) {
  if (!stored.background()) {
    return WithField(InvalidArgument("Cannot cancel a synchronous response."), "response_id");
  }
  ASSIGN_OR_RETURN(const bool stopped, Stop(stored));
  if (!stopped) {
    return WithField(InvalidArgument("Cannot cancel a response that is finished."), "response_id");
  }
  sink.Respond(JsonResponse(stored.Json()));
  return absl::OkStatus();
}

absl::Status ListItems(const HttpRequest& request, const StoredResponse& stored,
                       ResponseSink& sink) {
  ASSIGN_OR_RETURN(const int64_t limit, QueryInt(request, "limit", 20));
  if (limit < 1 || limit > 100) {
    return WithField(InvalidArgument("limit should be between 1 and 100"), "limit");
  }
  ASSIGN_OR_RETURN(Json items, ParseJson(stored.input_items_json()));
  const std::string order = QueryValue(request.query, "order").value_or("desc");
  if (order != "desc" && order != "asc") {
    return WithField(InvalidArgument("order should be 'asc' or 'desc'"), "order");
  }
  if (order == "desc") std::reverse(items.begin(), items.end());
  const std::string after = QueryValue(request.query, "after").value_or("");
  Json page = Json::array();
  bool reached = after.empty();
  bool has_more = false;
  for (Json& item : items) {
    if (reached && page.size() == static_cast<size_t>(limit)) has_more = true;
    if (reached && !has_more) page.push_back(item);
    if (item["id"] == after) reached = true;
  }
  if (!reached) return WithField(InvalidArgument("after names no item of this response"), "after");
  Json list{
      {"object", "list"}, {"has_more", has_more}, {"first_id", nullptr}, {"last_id", nullptr}};
  if (!page.empty()) {
    list["first_id"] = page.front()["id"];
    list["last_id"] = page.back()["id"];
  }
  list["data"] = std::move(page);
  sink.Respond(JsonResponse(SerializeJson(list)));
  return absl::OkStatus();
}

absl::Status Delete(ResponseStore& store, const std::string& id, ResponseSink& sink) {
  const StoredPtr stored = store.Remove(id);
  if (stored == nullptr) return NotKept(id);
  RETURN_IF_ERROR(Stop(*stored).status());
  sink.Respond(JsonResponse(
      absl::StrCat("{\"id\":", QuoteJson(id), ",\"object\":\"response\",\"deleted\":true}")));
  return absl::OkStatus();
}

absl::Status Handle(ApiContext& context, ResponseStore& store, HttpRequest request,
                    const SinkPtr& sink) {
  if (request.path.ends_with("/v1/responses/compact")) {
    return NotFound("Conversations are not compacted here: send the turns that still matter.");
  }
  if (request.path_parameters.empty()) {
    return Creation(context, store).Run(std::move(request), sink);
  }
  const std::string& id = request.path_parameters.front();
  if (request.method == "DELETE") return Delete(store, id, *sink);
  const StoredPtr stored = store.Find(id);
  if (stored == nullptr) return NotKept(id);
  if (request.path.ends_with("/cancel")) return Cancel(*stored, *sink);
  if (request.path.ends_with("/input_items")) return ListItems(request, *stored, *sink);
  return Read(request, *stored, sink);
}

}  // namespace

absl::Status Register_responses(ApiContext& context, EndpointRegistry& registry) {
  const auto store = std::make_shared<ResponseStore>(context.options.response_store);
  return registry.Add("responses",
                      {{"POST", "/v1/responses"},
                       {"POST", "/responses"},
                       {"POST", "/v1/responses/compact"},
                       {"GET", "/v1/responses/{response_id}"},
                       {"DELETE", "/v1/responses/{response_id}"},
                       {"POST", "/v1/responses/{response_id}/cancel"},
                       {"GET", "/v1/responses/{response_id}/input_items"}},
                      [&context, store](HttpRequest request, SinkPtr sink) {
                        const absl::Status status =
                            Handle(context, *store, std::move(request), sink);
                        if (!status.ok()) {
                          sink->Respond(ResponsesErrorResponse(ToApiError(status)));
                        }
                      });
}

}  // namespace baton::frontend
