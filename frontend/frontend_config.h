// What baton-frontend is told: flags over environment over YAML over defaults.
//
// Threading: plain data. Errors: INVALID_ARGUMENT, naming the option.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/config/option_table.h"
#include "common/obs/log.h"
#include "frontend/answer/fingerprint.h"
#include "frontend/chat/content_format.h"
#include "frontend/request/sampler_options.h"

namespace baton::frontend {

struct FrontendConfig {
  std::vector<std::string> routers;  // host:port of each

  std::string host = "0.0.0.0";
  int port = 8000;
  std::string uds;  // a path: the API listens there, and not at host and port
  int listen_fd = -1;
  std::string admin_listen = "127.0.0.1:9090";
  int admin_listen_fd = -1;
  int net_threads = 1;
  int handler_threads = 0;  // 0: twice the processors

  std::vector<std::string> api_keys;
  std::string api_key_file;
  std::string root_path;
  bool enable_request_id_headers = false;
  std::vector<std::string> allowed_origins = {"*"};
  std::vector<std::string> allowed_methods = {"*"};
  std::vector<std::string> allowed_headers = {"*"};
  bool allow_credentials = false;

  std::vector<std::string> served_model_names;
  std::string chat_template;  // a file's path, or the template itself
  std::optional<ContentFormat> chat_template_content_format;  // absent: as templates want it
  std::string default_chat_template_kwargs;                   // a JSON object, or empty
  std::string generation_config = "auto";                     // auto, vllm, or a path
  std::string override_generation_config;                     // a JSON object, or empty
  std::string response_role = "assistant";
  bool enable_prompt_tokens_details = false;
  bool enable_tokenizer_info_endpoint = false;
  bool plain_user_special_tokens = false;
  bool trust_request_chat_template = false;
  ApiPreset api_preset = ApiPreset::kOpenAi;
  bool return_tokens_as_token_ids = false;
  bool force_include_usage = false;
  int64_t max_logprobs = 20;  // -1: the vocabulary
  FingerprintOptions::Mode fingerprint_mode = FingerprintOptions::Mode::kSystem;
  std::string fingerprint_value;
  bool strict_params = false;
  bool require_model = false;
  bool enable_scale_out = false;  // serve the token-level routes

  std::string tool_call_parser;          // empty: as the chat template shows
  std::string reasoning_parser;          // likewise
  bool enable_auto_tool_choice = false;  // changes nothing: tools need no switch
  bool exclude_tools_when_tool_choice_none = false;
  bool reasoning_content = false;

  int response_store = 0;  // responses of /v1/responses that are kept
  bool disable_fastapi_docs = false;
  bool enable_offline_docs = false;  // changes nothing: /docs needs no network

  int max_requests_in_flight = 0;  // 0: no limit
  std::vector<std::string> metrics_peers;
  Duration model_refresh_period = std::chrono::seconds(2);
  Duration shutdown_timeout = std::chrono::seconds(30);

  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kAuto;

  // INVALID_ARGUMENT naming the flag.
  absl::Status Validate() const;
};

// Names every field for LoadConfig.
void DescribeOptions(OptionTable& table, FrontendConfig& config);

}  // namespace baton::frontend
