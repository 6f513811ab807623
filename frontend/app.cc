#include "frontend/app.h"

#include <atomic>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/build_info.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/concurrency/periodic_task.h"
#include "common/concurrency/shutdown.h"
#include "common/config/listen_address.h"
#include "common/config/unix_socket.h"
#include "common/json/json.h"
#include "common/obs/admin_server.h"
#include "common/obs/lifecycle.h"
#include "common/obs/metrics.h"
#include "common/rpc/channel.h"
#include "frontend/admission/api_key_auth.h"
#include "frontend/admission/json_values.h"
#include "frontend/answer/running_answers.h"
#include "frontend/api/endpoint.h"
#include "frontend/client/router_client.h"
#include "frontend/client/worker_sessions.h"
#include "frontend/frontend_metrics.h"
#include "frontend/http/http_server.h"
#include "frontend/json/json_writer.h"
#include "frontend/json/openai_error.h"
#include "frontend/metrics/peer_metrics.h"
#include "frontend/tools/reasoning_format.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {
namespace {

constexpr Duration kLoadingPoll = std::chrono::milliseconds(100);
constexpr Duration kIdleSession = std::chrono::minutes(10);

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return NotFound(absl::StrCat("read file: path=", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::Status CheckTemplateKwargs(const std::string& json) {
  if (json.empty()) return absl::OkStatus();
  const auto parsed = ParseJson(json);
  if (!parsed.ok()) return Annotate(parsed.status(), "--default-chat-template-kwargs");
  if (parsed->is_object()) return absl::OkStatus();
  return InvalidArgument("--default-chat-template-kwargs: expected a JSON object");
}

absl::Status UnknownParser(std::string_view flag, const std::string& name,
                           const std::vector<std::string>& known) {
  return InvalidArgument(absl::StrCat(ToAbsl(flag), ": unknown parser `", name, "`; known are ",
                                      absl::StrJoin(known, ", ")));
}

absl::StatusOr<ModelOverrides> OverridesOf(const FrontendConfig& config) {
  ModelOverrides overrides;
  overrides.served_names = config.served_model_names;
  if (!config.chat_template.empty()) {
    // A template has braces, a path has not.
    const bool is_text = config.chat_template.find("{") != std::string::npos;
    if (is_text) {
      overrides.chat_template = config.chat_template;
    } else {
      ASSIGN_OR_RETURN(overrides.chat_template, ReadFile(config.chat_template));
    }
    RETURN_IF_ERROR(ChatTemplate::Compile(*overrides.chat_template).status());
  }
  if (!config.tool_call_parser.empty()) {
    overrides.tool_format = FindToolFormat(config.tool_call_parser);
    if (overrides.tool_format == nullptr) {
      return UnknownParser("--tool-call-parser", config.tool_call_parser, ToolFormatNames());
    }
  }
  if (!config.reasoning_parser.empty()) {
    overrides.reasoning_format = FindReasoningFormat(config.reasoning_parser);
    if (overrides.reasoning_format == nullptr) {
      return UnknownParser("--reasoning-parser", config.reasoning_parser, ReasoningFormatNames());
    }
  }
  if (config.generation_config == "vllm") {
    overrides.ignore_generation_config = true;
  } else if (config.generation_config != "auto") {
    auto text = ReadFile(config.generation_config);
    if (!text.ok()) text = ReadFile(config.generation_config + "/generation_config.json");
    if (!text.ok()) return Annotate(text.status(), "--generation-config");
    RETURN_IF_ERROR(ParseGenerationDefaults(*text).status());
    overrides.generation_config_json = *std::move(text);
  }
  overrides.content_format = config.chat_template_content_format;
  if (!config.override_generation_config.empty()) {
    auto parsed = ParseGenerationDefaults(config.override_generation_config);
    if (!parsed.ok()) return Annotate(parsed.status(), "--override-generation-config");
    overrides.override_generation_config_json = config.override_generation_config;
  }
  RETURN_IF_ERROR(CheckTemplateKwargs(config.default_chat_template_kwargs));
  overrides.default_template_kwargs_json = config.default_chat_template_kwargs;
  return overrides;
}

// Anthropic's clients send their key in a header of their own.
std::optional<std::string> KeyOf(const HttpRequest& request) {
  if (const auto key = FindHeader(request.headers, "x-api-key"); key.has_value()) {
    return absl::StrCat("Bearer ", ToAbsl(*key));
  }
  const auto header = FindHeader(request.headers, "authorization");
  return header.has_value() ? std::optional<std::string>(*header) : std::nullopt;
}

absl::StatusOr<std::vector<MetricsPeer>> PeersOf(const FrontendConfig& config) {
  std::vector<MetricsPeer> peers;
  for (const std::string& text : config.metrics_peers) {
    ASSIGN_OR_RETURN(MetricsPeer peer, ParsePeer(text));
    peers.push_back(std::move(peer));
  }
  return peers;
}

std::string VersionJson() {
  std::string body;
  JsonWriter(&body).BeginObject().Key("version").String(Version()).EndObject();
  return body;
}

// Errors that the HTTP engine answers itself, in the API's shape.
HttpResponse FormatHttpError(int status, std::string_view message) {
  ApiError error;
  error.http_status = status;
  error.message = std::string(message);
  error.type = StatusPhrase(status);
  if (status == 500) error.type = "InternalServerError";
  if (status == 503) error.type = "ServiceUnavailableError";
  if (status == 503) error.retry_after = std::chrono::seconds(1);
  return ErrorResponse(error);
}

// Answers that come back to be made text are mostly the names of their log-probabilities' members.
size_t JsonValuesMax(std::string_view path) {
  return path.ends_with("/derender") ? 4 * kJsonValuesMax : kJsonValuesMax;
}

}  // namespace

// In the order of their making; destroyed in reverse.
struct FrontendApp::Parts {
  Parts(const FrontendConfig& frontend_config, Clock& real_clock, ModelOverrides overrides,
        ApiKeyAuth api_keys)
      : config(frontend_config),
        clock(real_clock),
        lifecycle(clock),
        stream_metrics(registry),
        api_metrics(registry, EndpointNames()),
        http_metrics(registry),
        auth(std::move(api_keys)),
        routers(config.routers, clock),
        sessions([](const std::string& address) { return MakeChannel(address); }, clock),
        models(routers, std::move(overrides), clock),
        constraints(),
        limiter({.in_flight_max = static_cast<size_t>(config.max_requests_in_flight)}),
        options{
            .extra_fields = config.strict_params ? ExtraFields::kRefuse : ExtraFields::kIgnore,
            .prompts = {.trust_request_template = config.trust_request_chat_template,
                        .plain_user_special_tokens = config.plain_user_special_tokens,
                        .hides_unused_tools = config.exclude_tools_when_tool_choice_none},
            .return_tokens_as_token_ids = config.return_tokens_as_token_ids,
            .force_include_usage = config.force_include_usage,
            .prompt_tokens_details = config.enable_prompt_tokens_details,
            .tokenizer_info = config.enable_tokenizer_info_endpoint,
            .response_role = config.response_role,
            .old_reasoning_name = config.reasoning_content,
            .response_store = {.responses_max = static_cast<size_t>(config.response_store)},
            .preset = config.api_preset,
            .logprobs_max = config.max_logprobs,
            .fingerprint = {.mode = config.fingerprint_mode, .custom = config.fingerprint_value},
            .docs = !config.disable_fastapi_docs,
            .require_model = config.require_model,
            .scale_out = config.enable_scale_out},
        context{.options = options,
                .models = models,
                .generation = {routers, sessions, stream_metrics},
                .limiter = limiter,
                .constraints = constraints,
                .metrics = api_metrics,
                .registry = registry,
                .lifecycle = lifecycle,
                .running = running,
                .clock = clock} {}

  // The API listens at a path that nobody else made.
  bool OwnsSocketFile() const { return !config.uds.empty() && config.listen_fd < 0; }

  // Nothing of a request may outlive what it refers to.
  ~Parts() {
    refresh = nullptr;
    constraints.Stop();
    server = nullptr;
    routers.Close();
    sessions.Close();
    sessions.Join();
    routers.Join();
  }

  void RefreshModels();
  void CutLateRequests();
  HttpServerOptions ServerOptions();

  const FrontendConfig config;
  Clock& clock;
  MetricsRegistry registry;
  Lifecycle lifecycle;
  StreamMetrics stream_metrics;
  ApiMetrics api_metrics;
  FrontendHttpMetrics http_metrics;
  const ApiKeyAuth auth;

  RouterClient routers;
  WorkerSessions sessions;
  ModelCatalog models;
  ConstraintValidator constraints;
  ConcurrencyLimiter limiter;
  RunningAnswers running;
  const ApiOptions options;
  ApiContext context;
  EndpointRegistry endpoints;
  std::unique_ptr<PeerMetrics> peer_metrics;

  std::atomic<bool> draining{false};
  MonotonicTime cut_at;        // set before `draining`
  MonotonicTime next_refresh;  // of the thread `models`
  std::unique_ptr<AdminServer> admin;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<PeriodicTask> refresh;
};

// Requests that outlast the drain end with an error of ours instead of a cut connection.
void FrontendApp::Parts::CutLateRequests() {
  if (clock.Now() < cut_at) return;
  routers.Close();
  sessions.Close();
}

// Often while there is no model to serve, then at leisure.
void FrontendApp::Parts::RefreshModels() {
  if (draining.load()) return CutLateRequests();
  const MonotonicTime now = clock.Now();
  if (models.ready() && now < next_refresh) return;
  next_refresh = now + config.model_refresh_period;
  models.Refresh();
  sessions.Sweep(kIdleSession);
  const bool loading = lifecycle.state() == LifecycleState::kLoading;
  if (loading && models.ready()) {
    lifecycle.SetState(LifecycleState::kReady);
    LogInfo("ready", {{"models", models.models().size()}});
  }
}

HttpServerOptions FrontendApp::Parts::ServerOptions() {
  HttpServerOptions server_options;
  server_options.host = config.host;
  server_options.port = config.port;
  server_options.listen_fd = config.listen_fd;
  server_options.net_thread_count = config.net_threads;
  server_options.handler_thread_count = config.handler_threads;
  server_options.echo_request_id = config.enable_request_id_headers;
  server_options.root_path = config.root_path;
  server_options.cors = {.allowed_origins = config.allowed_origins,
                         .allowed_methods = config.allowed_methods,
                         .allowed_headers = config.allowed_headers,
                         .allow_credentials = config.allow_credentials};
  server_options.format_error = FormatHttpError;
  server_options.hooks.count = [this](HttpEvent event) { http_metrics.Count(event); };
  server_options.hooks.access = [this](const AccessRecord& record) {
    api_metrics.CountRequest(endpoints.IndexOf(record.route), record.status);
  };
  if (!auth.is_open()) {
    server_options.filters.push_back(
        [this](const HttpRequest& request) -> std::optional<HttpResponse> {
          if (auth.Allows(request.method, request.path, KeyOf(request))) return std::nullopt;
          return HttpResponse{
              .status = 401,
              .headers = {{"content-type", "application/json"}, {"www-authenticate", "Bearer"}},
              .body = std::string(ApiKeyAuth::kUnauthorizedBody)};
        });
  }
  server_options.filters.push_back([](const HttpRequest& request) -> std::optional<HttpResponse> {
    const size_t most = JsonValuesMax(request.path);
    if (!HoldsMoreJsonValues(request.body, most)) return std::nullopt;
    return FormatHttpError(413, absl::StrCat("the request body holds more than ", most,
                                             " objects, arrays and strings"));
  });
  return server_options;
}

absl::StatusOr<std::unique_ptr<FrontendApp>> FrontendApp::Start(const FrontendConfig& config,
                                                                Clock& clock) {
  ASSIGN_OR_RETURN(ModelOverrides overrides, OverridesOf(config));
  ASSIGN_OR_RETURN(std::vector<MetricsPeer> peers, PeersOf(config));
  ASSIGN_OR_RETURN(ApiKeyAuth auth, ApiKeyAuth::Create({.keys = config.api_keys,
                                                        .key_hash_file = config.api_key_file,
                                                        .root_path = config.root_path}));
  ASSIGN_OR_RETURN(const ListenAddress admin_address,
                   ListenAddressFromFlags(config.admin_listen, config.admin_listen_fd));

  auto parts = std::make_unique<Parts>(config, clock, std::move(overrides), std::move(auth));
  Parts& p = *parts;
  p.lifecycle.SetState(LifecycleState::kLoading);
  p.lifecycle.SetReadyCheck([&p] { return p.models.ready(); });
  if (!peers.empty()) {
    p.peer_metrics = std::make_unique<PeerMetrics>(std::move(peers), p.registry);
    p.context.peer_metrics = p.peer_metrics.get();
  }
  RouteTable routes;
  RETURN_IF_ERROR(RegisterBuiltinEndpoints(p.context, p.endpoints));
  RETURN_IF_ERROR(p.endpoints.AddRoutes(routes));
  ASSIGN_OR_RETURN(p.admin, AdminServer::Start({.listen = admin_address,
                                                .json_routes = {{"/version", VersionJson}}},
                                               p.lifecycle, p.registry, clock));
  HttpServerOptions server_options = p.ServerOptions();
  if (p.OwnsSocketFile()) {
    ASSIGN_OR_RETURN(server_options.listen_fd, OpenUnixSocket(config.uds));
  }
  ASSIGN_OR_RETURN(p.server,
                   HttpServer::Start(std::move(server_options), std::move(routes), clock));
  p.refresh = std::make_unique<PeriodicTask>("models", clock,
                                             std::min(kLoadingPoll, config.model_refresh_period),
                                             [&p] { p.RefreshModels(); });
  p.refresh->RunSoon();
  LogInfo("frontend listens", {{"port", p.server->port()}, {"admin_port", p.admin->port()}});
  return std::unique_ptr<FrontendApp>(new FrontendApp(std::move(parts)));
}

FrontendApp::FrontendApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

FrontendApp::~FrontendApp() = default;

int FrontendApp::port() const { return parts_->server->port(); }

int FrontendApp::admin_port() const { return parts_->admin->port(); }

bool FrontendApp::Stop() {
  Parts& p = *parts_;
  Shutdown shutdown(p.clock, [](const Shutdown::StageReport& report) {
    LogInfo("shutdown stage", {{"stage", report.name},
                               {"elapsed_ms", ToMilliseconds(report.elapsed)},
                               {"overran", report.overran()}});
  });
  constexpr Duration kShort = std::chrono::seconds(2);
  shutdown.AddStage("readiness false", kShort, [&p](MonotonicTime) {
    p.cut_at = p.clock.Now() + p.config.shutdown_timeout;
    p.lifecycle.SetState(LifecycleState::kDraining);
    p.draining = true;
  });
  shutdown.AddStage("stop accepting", kShort, [&p](MonotonicTime) {
    if (p.OwnsSocketFile()) RemoveUnixSocket(p.config.uds);
    p.server->StopAccepting();
  });
  shutdown.AddStage("drain requests", p.config.shutdown_timeout + kShort, [&p](MonotonicTime end) {
    p.server->DrainUntil(end - std::chrono::milliseconds(500));
  });
  shutdown.AddStage("end sessions", kShort, [&p](MonotonicTime) {
    p.constraints.Stop();
    p.routers.Close();
    p.sessions.Close();
  });
  shutdown.AddStage("stop threads", std::chrono::seconds(5), [&p](MonotonicTime) {
    p.refresh->Stop();
    p.server = nullptr;
    p.peer_metrics = nullptr;
    p.lifecycle.SetState(LifecycleState::kStopped);
    p.admin = nullptr;
  });
  return shutdown.Run();
}

}  // namespace baton::frontend
