#include "frontend/cli/serve_options.h"

#include <string_view>
#include <utility>

namespace baton::frontend {
namespace {

struct PassedFlag {
  const char* name;
  const char* help;
};

// What the frontend is told in the same words.
constexpr PassedFlag kFrontendTexts[] = {
    {"chat-template", "A chat template: a file, or its text."},
    {"chat-template-content-format",
     "How templates get message content: auto, string (text) or openai (lists of parts)."},
    {"default-chat-template-kwargs", "Variables for chat templates, a JSON object."},
    {"api-preset", "Whose sampler order and defaults apply: openai or llamacpp."},
    {"fingerprint-mode", "What system_fingerprint says: full, hash, custom or none."},
    {"fingerprint-value", "What --fingerprint-mode custom says."},
    {"generation-config", "Where defaults of sampling come from: auto, vllm, or a folder."},
    {"override-generation-config", "Defaults of sampling that win, a JSON object."},
    {"reasoning-parser", "How the model marks its reasoning. Default: as its chat template shows."},
    {"response-store", "How many responses of /v1/responses are kept; 0: none."},
    {"response-role", "The role of the answers to chats."},
    {"root-path", "What a proxy puts before every path."},
    {"tool-call-parser", "How the model writes tool calls. Default: as its chat template shows."},
};
constexpr PassedFlag kFrontendSwitches[] = {
    {"allow-credentials", "Let browsers send cookies."},
    {"disable-fastapi-docs", "Serve neither /docs nor /openapi.json."},
    {"enable-auto-tool-choice", "Accepted; tools need no switch."},
    {"enable-force-include-usage", "Show usage in every stream."},
    {"enable-offline-docs", "Accepted; /docs never needs a network."},
    {"enable-prompt-tokens-details", "Show cached prompt tokens in usage."},
    {"enable-request-id-headers", "Answer with x-request-id."},
    {"enable-scale-out", "Serve the token-level routes: generate, render and derender."},
    {"enable-tokenizer-info-endpoint", "Serve /tokenizer_info."},
    {"exclude-tools-when-tool-choice-none",
     "Keep tools out of the prompt when they must not be called."},
    {"plain-user-special-tokens", "Take special tokens spelled in user content as plain text."},
    {"reasoning-content", "Show reasoning under its older name, reasoning_content, too."},
    {"require-model", "Refuse requests that name no model; else they mean the first one."},
    {"return-tokens-as-token-ids", "Show tokens as token_id:N in log-probabilities."},
    {"strict-params", "Refuse fields that are not known."},
    {"trust-request-chat-template", "Let requests bring their own chat template."},
};

struct WorkerFlag {
  const char* name;
  const char* help;
  const char* value_name;
  const char* alias = nullptr;
};

// What every worker is told in the same words.
constexpr WorkerFlag kWorkerTexts[] = {
    {"seed",
     "Where requests without a seed get theirs from: the same requests in the same order are "
     "answered alike. Default: drawn anew at each start.",
     "N"},
    {"quantization", "Weights as small integers: auto (as the checkpoint), none, int8 or int4.",
     "TEXT", "q"},
    {"kv-cache-dtype", "Keys and values that are kept: auto (as --dtype), bfloat16, int8 or fp8.",
     "TEXT"},
    {"max-num-seqs", "Sequences that run at once.", "N"},
    {"max-num-batched-tokens", "Tokens computed in one step.", "N"},
    {"block-size", "Tokens in a block of the KV cache.", "N"},
    {"kv-cache-memory-bytes", "Memory of the KV cache of one worker.", "N"},
    {"tensor-parallel-size", "Ranks of a worker that share each layer.", "N", "tp"},
    {"scheduling-policy", "Order of service: fcfs or priority.", "TEXT"},
    {"max-waiting-requests", "Requests accepted beyond those that run.", "N",
     "max-num-queued-reqs"},
    {"max-queued-tokens", "Prompt tokens of all accepted requests together.", "N",
     "max-num-queued-tokens"},
};

void Append(std::vector<std::string>& arguments, std::string_view flag, std::string value) {
  arguments.emplace_back(flag);
  arguments.push_back(std::move(value));
}

void AppendIfSet(std::vector<std::string>& arguments, std::string_view flag,
                 const std::optional<std::string>& value) {
  if (value.has_value()) Append(arguments, flag, *value);
}

void AppendEach(std::vector<std::string>& arguments, std::string_view flag,
                const std::vector<std::string>& values) {
  for (const std::string& value : values) Append(arguments, flag, value);
}

// There is no arithmetic in float16: float32 holds all its numbers.
std::optional<std::string> WorkerDtype(const std::optional<std::string>& dtype) {
  const bool is_float = dtype == "half" || dtype == "float16" || dtype == "float";
  return is_float ? "float32" : dtype;
}

std::string DrainTime(const ServeOptions& options) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(options.drain_timeout);
  return std::to_string(milliseconds.count()) + "ms";
}

void DescribeApi(OptionTable& table, ServeOptions& options) {
  table.Add({.name = "host", .help = "Address of the API."}, options.host);
  table.Add({.name = "port", .help = "Port of the API."}, options.port);
  table.Add({.name = "uds", .help = "A Unix socket for the API, instead of address and port."},
            options.uds);
  table.Add({.name = "api-key",
             .help = "A key that clients must show; BATON_API_KEY holds one on each line.",
             .separator = '\n'},
            options.api_keys);
  table.Add({.name = "api-key-file", .help = "File of SHA-256 hashes of keys, one per line."},
            options.api_key_file);
  table.Add({.name = "served-model-name",
             .help = "Name of the model in the API. Default: MODEL as typed.",
             .aliases = {"alias"}},
            options.served_model_names);
  table.Add(
      {.name = "allowed-origins", .help = "Origins that browsers may call from; * by default."},
      options.allowed_origins);
  table.Add({.name = "allowed-methods", .help = "Methods that browsers may use; * by default."},
            options.allowed_methods);
  table.Add({.name = "allowed-headers", .help = "Headers that browsers may send; * by default."},
            options.allowed_headers);
  for (const PassedFlag& flag : kFrontendTexts) {
    table.Add({.name = flag.name, .help = flag.help}, options.frontend_texts[flag.name]);
  }
  for (const PassedFlag& flag : kFrontendSwitches) {
    table.Add({.name = flag.name, .help = flag.help}, options.frontend_switches[flag.name]);
  }
}

void DescribeWorkers(OptionTable& table, ServeOptions& options) {
  table.Add({.name = "workers",
             .help = "Workers to run; each loads the model.",
             .aliases = {"data-parallel-size", "dp"}},
            options.workers);
  for (const WorkerFlag& flag : kWorkerTexts) {
    OptionSpec spec{.name = flag.name, .help = flag.help, .value_name = flag.value_name};
    if (flag.alias != nullptr) spec.aliases.emplace_back(flag.alias);
    table.Add(std::move(spec), options.worker_texts[flag.name]);
  }
  table.Add({.name = "max-model-len",
             .help = "Bound on prompt and output together, in tokens: 4096, 32k, or auto."},
            options.max_model_len);
  table.Add({.name = "dtype",
             .help = "Arithmetic: auto, bfloat16 or float32. Float16 is computed in float32."},
            options.dtype);
  table.Add({.name = "max-logprobs",
             .help = "Log-probabilities per token that a request may ask for; -1: all. "
                     "Default: 20."},
            options.max_logprobs);
  table.Add({.name = "threads", .help = "Compute threads of one worker."}, options.threads);
}

}  // namespace

void DescribeOptions(OptionTable& table, ServeOptions& options) {
  table.AllowPositional("MODEL", 1);
  table.Add({.name = "model",
             .help = "The model, instead of MODEL: a directory, a GGUF file, or a fetched name."},
            options.model);
  DescribeApi(table, options);
  DescribeWorkers(table, options);
  table.Add({.name = "log-level", .help = "Of all programs: debug, info, warning or error."},
            options.log_level);
  table.Add({.name = "drain-timeout",
             .help = "How long running requests may take to end.",
             .aliases = {"shutdown-timeout"}},
            options.drain_timeout);
  options.fixed.AddTo(table);
}

std::vector<std::string> WorkerArguments(const ServeOptions& options, const std::string& model_path,
                                         int worker_threads) {
  std::vector<std::string> arguments;
  Append(arguments, "--model", model_path);
  if (options.served_model_names.empty()) Append(arguments, "--served-model-name", options.model);
  AppendEach(arguments, "--served-model-name", options.served_model_names);
  for (const auto& [name, value] : options.worker_texts) {
    AppendIfSet(arguments, "--" + name, value);
  }
  AppendIfSet(arguments, "--dtype", WorkerDtype(options.dtype));
  AppendIfSet(arguments, "--max-logprobs", options.max_logprobs);
  const bool own_length = options.max_model_len == "auto" || options.max_model_len == "-1";
  if (!own_length) AppendIfSet(arguments, "--max-model-len", options.max_model_len);
  Append(arguments, "--drain-timeout", DrainTime(options));
  Append(arguments, "--workers-on-host", std::to_string(options.workers));
  Append(arguments, "--threads", std::to_string(options.threads.value_or(worker_threads)));
  Append(arguments, "--log-level", options.log_level);
  return arguments;
}

std::vector<std::string> RouterArguments(const ServeOptions& options) {
  std::vector<std::string> arguments;
  Append(arguments, "--drain-timeout", DrainTime(options));
  Append(arguments, "--log-level", options.log_level);
  return arguments;
}

std::vector<std::string> FrontendArguments(const ServeOptions& options) {
  std::vector<std::string> arguments;
  AppendIfSet(arguments, "--api-key-file", options.api_key_file);
  AppendEach(arguments, "--served-model-name", options.served_model_names);
  AppendIfSet(arguments, "--max-logprobs", options.max_logprobs);
  AppendEach(arguments, "--allowed-origins", options.allowed_origins);
  AppendEach(arguments, "--allowed-methods", options.allowed_methods);
  AppendEach(arguments, "--allowed-headers", options.allowed_headers);
  for (const auto& [name, value] : options.frontend_texts) {
    AppendIfSet(arguments, "--" + name, value);
  }
  for (const auto& [name, is_set] : options.frontend_switches) {
    if (is_set) arguments.push_back("--" + name);
  }
  Append(arguments, "--shutdown-timeout", DrainTime(options));
  Append(arguments, "--log-level", options.log_level);
  return arguments;
}

std::vector<std::string> FrontendEnvironment(const ServeOptions& options) {
  if (options.api_keys.empty()) return {};
  std::string variable = "BATON_API_KEY=";
  for (const std::string& key : options.api_keys) {
    if (&key != &options.api_keys.front()) variable += '\n';
    variable += key;
  }
  return {std::move(variable)};
}

}  // namespace baton::frontend
