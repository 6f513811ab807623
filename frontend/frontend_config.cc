#include "frontend/frontend_config.h"

#include "common/base/status.h"
#include "common/obs/service_options.h"

namespace baton::frontend {
namespace {

void AddApiOptions(FrontendConfig& config, OptionTable& table) {
  table.Add({.name = "routers",
             .help = "Routers to ask where a request goes.",
             .value_name = "HOST:PORT,..."},
            config.routers);
  table.Add({.name = "host", .help = "Address that the API listens on."}, config.host);
  table.Add({.name = "port", .help = "Port of the API; 0 takes any free one."}, config.port);
  table.Add({.name = "uds", .help = "A Unix socket that the API listens on, instead of the port."},
            config.uds);
  table.Add({.name = "listen-fd", .help = "A listening socket that was handed over."},
            config.listen_fd);
  AddAdminOptions(table, config.admin_listen, config.admin_listen_fd);
  table.Add({.name = "net-threads", .help = "Threads that read and write sockets."},
            config.net_threads);
  table.Add({.name = "handler-threads",
             .help = "Threads that parse and tokenise; 0: twice the processors."},
            config.handler_threads);
  table.Add({.name = "allowed-origins", .help = "Origins that browsers may call from."},
            config.allowed_origins);
  table.Add({.name = "allowed-methods", .help = "Methods that browsers may use."},
            config.allowed_methods);
  table.Add({.name = "allowed-headers", .help = "Headers that browsers may send."},
            config.allowed_headers);
  table.Add({.name = "allow-credentials", .help = "Let browsers send cookies."},
            config.allow_credentials);
}

void AddAccessOptions(FrontendConfig& config, OptionTable& table) {
  table.Add({.name = "api-key",
             .help = "A key that clients must show; BATON_API_KEY holds one on each line.",
             .separator = '\n'},
            config.api_keys);
  table.Add({.name = "api-key-file", .help = "SHA-256 digests of keys, one a line."},
            config.api_key_file);
  table.Add({.name = "root-path", .help = "What a proxy puts before every path."},
            config.root_path);
  table.Add({.name = "enable-request-id-headers", .help = "Put x-request-id on every answer."},
            config.enable_request_id_headers);
  table.Add({.name = "max-requests-in-flight",
             .help = "Generation requests at a time; more are told to come again. 0: no limit."},
            config.max_requests_in_flight);
}

void AddTemplateOptions(FrontendConfig& config, OptionTable& table) {
  table.AddChoice({.name = "chat-template-content-format",
                   .help = "How templates get message content; auto: as each one wants it."},
                  config.chat_template_content_format,
                  {{"auto", std::nullopt},
                   {"string", ContentFormat::kString},
                   {"openai", ContentFormat::kParts}});
  table.Add({.name = "default-chat-template-kwargs",
             .help = "Variables for chat templates that requests may replace.",
             .value_name = "JSON"},
            config.default_chat_template_kwargs);
  table.Add({.name = "response-role", .help = "The role of the answers to chats."},
            config.response_role);
  table.Add({.name = "plain-user-special-tokens",
             .help = "Take special tokens spelled in user content as plain text."},
            config.plain_user_special_tokens);
}

void AddModelOptions(FrontendConfig& config, OptionTable& table) {
  table.Add({.name = "served-model-name",
             .help = "Names that clients use for the model, instead of its own.",
             .aliases = {"alias"}},
            config.served_model_names);
  table.Add({.name = "chat-template", .help = "A Jinja template's file, or its text."},
            config.chat_template);
  table.Add({.name = "generation-config",
             .help = "Defaults of requests: auto (the model's), vllm (none), or a file."},
            config.generation_config);
  table.Add({.name = "override-generation-config",
             .help = "Defaults of requests that win; max_new_tokens limits every answer.",
             .value_name = "JSON"},
            config.override_generation_config);
  AddTemplateOptions(config, table);
  table.AddChoice(
      {.name = "api-preset",
       .help = "Whose sampler order and defaults apply, and, for llamacpp, that the only model "
               "answers to any name."},
      config.api_preset, {{"openai", ApiPreset::kOpenAi}, {"llamacpp", ApiPreset::kLlamaCpp}});
  table.Add({.name = "trust-request-chat-template",
             .help = "Let requests bring their own chat template."},
            config.trust_request_chat_template);
  table.Add({.name = "return-tokens-as-token-ids",
             .help = "Show tokens as token_id:N in log-probabilities."},
            config.return_tokens_as_token_ids);
  table.Add({.name = "enable-force-include-usage", .help = "Show usage in every stream."},
            config.force_include_usage);
  table.Add({.name = "enable-prompt-tokens-details", .help = "Show cached prompt tokens in usage."},
            config.enable_prompt_tokens_details);
  table.Add({.name = "enable-tokenizer-info-endpoint", .help = "Serve /tokenizer_info."},
            config.enable_tokenizer_info_endpoint);
  table.Add(
      {.name = "strict-params", .help = "Refuse body fields that are unknown or change nothing."},
      config.strict_params);
  table.Add({.name = "require-model",
             .help = "Refuse requests that name no model; else they mean the first one."},
            config.require_model);
}

void AddAnswerOptions(FrontendConfig& config, OptionTable& table) {
  table.Add({.name = "max-logprobs",
             .help = "Log-probabilities per token that a request may ask for; -1: all."},
            config.max_logprobs);
  using Mode = FingerprintOptions::Mode;
  table.AddChoice({.name = "fingerprint-mode",
                   .help = "What system_fingerprint says: build and model (full and hash), "
                           "--fingerprint-value, or nothing."},
                  config.fingerprint_mode,
                  {{"full", Mode::kSystem},
                   {"hash", Mode::kSystem},
                   {"custom", Mode::kCustom},
                   {"none", Mode::kNone}});
  table.Add({.name = "fingerprint-value", .help = "What --fingerprint-mode custom says."},
            config.fingerprint_value);
}

void AddToolOptions(FrontendConfig& config, OptionTable& table) {
  table.Add({.name = "tool-call-parser",
             .help = "How the model writes tool calls; default: as its chat template shows."},
            config.tool_call_parser);
  table.Add({.name = "reasoning-parser",
             .help = "How the model marks its reasoning; default: as its chat template shows."},
            config.reasoning_parser);
  table.Add({.name = "enable-auto-tool-choice", .help = "Accepted; tools need no switch."},
            config.enable_auto_tool_choice);
  table.Add({.name = "exclude-tools-when-tool-choice-none",
             .help = "Keep tools out of the prompt when they must not be called."},
            config.exclude_tools_when_tool_choice_none);
  table.Add({.name = "reasoning-content",
             .help = "Show reasoning under its older name, reasoning_content, too."},
            config.reasoning_content);
}

void AddPageOptions(FrontendConfig& config, OptionTable& table) {
  table.Add({.name = "enable-scale-out",
             .help = "Serve the token-level routes: generate, render and derender."},
            config.enable_scale_out);
  table.Add({.name = "response-store",
             .help = "How many responses of /v1/responses this process keeps; 0: none.",
             .value_name = "N"},
            config.response_store);
  table.Add({.name = "disable-fastapi-docs", .help = "Serve neither /docs nor /openapi.json."},
            config.disable_fastapi_docs);
  table.Add({.name = "enable-offline-docs", .help = "Accepted; /docs never needs a network."},
            config.enable_offline_docs);
}

void AddOperationOptions(FrontendConfig& config, OptionTable& table) {
  table.Add({.name = "metrics-peers",
             .help = "Services whose metrics /metrics shows too.",
             .value_name = "COMPONENT=URL,..."},
            config.metrics_peers);
  table.Add({.name = "model-refresh-period", .help = "How often routers are asked for models."},
            config.model_refresh_period);
  table.Add({.name = "shutdown-timeout", .help = "How long running requests may take to end."},
            config.shutdown_timeout);
  AddLogOptions(table, config.log_level, config.log_format);
}

}  // namespace

absl::Status FrontendConfig::Validate() const {
  if (routers.empty()) return InvalidArgument("--routers: at least one is needed");
  if (response_store < 0) {
    return WithField(InvalidArgument("--response-store: cannot be negative"), "response-store");
  }
  if (max_logprobs < -1) return InvalidArgument("--max-logprobs: expected -1 or more");
  if (max_requests_in_flight < 0) {
    return InvalidArgument("--max-requests-in-flight: expected 0 or more");
  }
  if (model_refresh_period <= Duration::zero()) {
    return InvalidArgument("--model-refresh-period: expected more than 0");
  }
  return absl::OkStatus();
}

void DescribeOptions(OptionTable& table, FrontendConfig& config) {
  AddApiOptions(config, table);
  AddAccessOptions(config, table);
  AddModelOptions(config, table);
  AddAnswerOptions(config, table);
  AddToolOptions(config, table);
  AddPageOptions(config, table);
  AddOperationOptions(config, table);
}

}  // namespace baton::frontend
