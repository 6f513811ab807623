// `baton run-batch -i FILE -o FILE --model MODEL`: a file of requests answered into a file.
//
// It talks to the server at --url, or runs `baton serve` for as long as the batch takes, with all
// options that are not its own.
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/config/config_source.h"
#include "common/config/listen_address.h"
#include "common/config/program.h"
#include "frontend/cli/batch_file.h"
#include "frontend/cli/child_process.h"
#include "frontend/cli/command.h"
#include "frontend/cli/http_transfers.h"

namespace baton::frontend {
namespace {

constexpr char kCommand[] = "baton run-batch";
constexpr int kReadyPollMs = 50;
constexpr Duration kProgressPeriod = std::chrono::seconds(5);
constexpr int kUploadsMax = 5;
constexpr int kUploadPauseMs = 2'000;

struct BatchOptions {
  std::string input_file;
  std::string output_file;
  std::string output_tmp_dir;
  std::string url;  // of the server; empty: our own
  std::string api_key;
  int max_concurrency = 64;
  bool enable_metrics = false;
  std::string host = "0.0.0.0";
  int port = 8000;
};

void DescribeOptions(OptionTable& table, BatchOptions& options) {
  table.Add({.name = "input-file",
             .help = "The requests, one a line: a file, or a URL to get it from.",
             .aliases = {"i"}},
            options.input_file);
  table.Add({.name = "output-file",
             .help = "The answers, in the same order: a file, or a URL to put it to.",
             .aliases = {"o"}},
            options.output_file);
  table.Add({.name = "output-tmp-dir", .help = "Where answers lie until they are put to a URL."},
            options.output_tmp_dir);
  table.Add({.name = "url",
             .help = "A server that is there, http://HOST:PORT/v1. Default: `baton serve` is run, "
                     "with all other options."},
            options.url);
  table.Add({.name = "api-key", .help = "The key that the server wants to see."}, options.api_key);
  table.Add({.name = "max-concurrency", .help = "Requests that are under way at a time."},
            options.max_concurrency);
  table.Add({.name = "enable-metrics", .help = "Serve /metrics at --host and --port meanwhile."},
            options.enable_metrics);
  table.Add({.name = "host", .help = "Address for --enable-metrics."}, options.host);
  table.Add({.name = "port", .help = "Port for --enable-metrics."}, options.port);
}

// What the command line says to us, and what it says to `baton serve`.
struct SplitArguments {
  std::vector<std::string> own;
  std::vector<std::string> of_serve;
};

SplitArguments Split(std::span<const std::string> arguments) {
  static constexpr std::string_view kOwn[] = {
      "-i",    "--input-file", "-o",     "--output-file", "--output-tmp-dir", "--max-concurrency",
      "--url", "--api-key",    "--host", "--port",        "--enable-metrics", "--help",
      "-h",    "--version"};
  static constexpr std::string_view kAlone[] = {"--enable-metrics", "--help", "-h", "--version"};
  SplitArguments split;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const size_t equals = arguments[i].find('=');
    std::string name = arguments[i].substr(0, equals);
    std::ranges::replace(name, '_', '-');
    if (std::ranges::find(kOwn, name) == std::end(kOwn)) {
      split.of_serve.push_back(arguments[i]);
      continue;
    }
    split.own.push_back(arguments[i]);
    const bool has_value =
        equals == std::string::npos && std::ranges::find(kAlone, name) == std::end(kAlone);
    if (has_value && i + 1 < arguments.size()) split.own.push_back(arguments[++i]);
  }
  return split;
}

bool IsUrl(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

absl::StatusOr<std::string> ReadInput(const std::string& where) {
  if (IsUrl(where)) {
    HttpOutcome outcome = RunTransfer({.url = where});
    if (outcome.status == 200) return std::move(outcome.body);
    return Unavailable(
        absl::StrCat("get ", where, ": ",
                     outcome.status == 0 ? outcome.body : absl::StrCat("status ", outcome.status)));
  }
  std::ifstream file(where, std::ios::binary);
  if (!file || std::filesystem::is_directory(where)) {
    return NotFound(absl::StrCat("cannot read ", where));
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Before anything is computed that could not be kept then.
absl::Status CheckOutput(const BatchOptions& options) {
  const bool is_file = !IsUrl(options.output_file);
  const std::string& where = is_file ? options.output_file : options.output_tmp_dir;
  if (where.empty()) return absl::OkStatus();
  const bool may_write =
      is_file ? std::ofstream(where, std::ios::app).is_open() : access(where.c_str(), W_OK) == 0;
  return may_write ? absl::OkStatus() : NotFound(absl::StrCat("cannot write ", where));
}

absl::Status WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  return file ? absl::OkStatus() : Internal(absl::StrCat("cannot write ", path));
}

// The answers are worth more than one try.
absl::Status Upload(const std::string& url, const std::string& text) {
  HttpOutcome outcome;
  for (int i = 0; i < kUploadsMax; ++i) {
    if (i > 0) poll(nullptr, 0, kUploadPauseMs);
    outcome = RunTransfer({.method = HttpTransfer::Method::kPut, .url = url, .body = text});
    if (outcome.status >= 200 && outcome.status < 300) return absl::OkStatus();
  }
  return Unavailable(
      absl::StrCat("put ", url, ": ",
                   outcome.status == 0 ? outcome.body : absl::StrCat("status ", outcome.status)));
}

absl::Status WriteOutput(const BatchOptions& options, const std::string& text) {
  if (!IsUrl(options.output_file)) return WriteFile(options.output_file, text);
  const std::string path = options.output_tmp_dir.empty()
                               ? absl::StrCat("/tmp/baton-batch-", getpid(), ".jsonl")
                               : absl::StrCat(options.output_tmp_dir, "/tmp_batch_output.jsonl");
  RETURN_IF_ERROR(WriteFile(path, text));
  const absl::Status sent = Upload(options.output_file, text);
  if (!sent.ok()) {
    return Unavailable(absl::StrCat(sent.message(), "; the answers are in ", path));
  }
  unlink(path.c_str());
  return absl::OkStatus();
}

// A `baton serve` of our own, ended with this object.
class OwnServer {
 public:
  explicit OwnServer(const BatchOptions& options) : options_(options) {}
  ~OwnServer() {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      waitpid(pid_, nullptr, 0);
    }
    if (folder_.empty()) return;
    unlink((folder_ + "/socket").c_str());  // of a server that could not remove it
    rmdir(folder_.c_str());
  }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  // Returns when it can answer. `server` is where.
  absl::Status Start(std::vector<std::string> arguments, HttpTransfer& server) {
    ProcessSpec process;
    process.program = ProgramFolder() + "/baton";
    process.arguments = {"serve"};
    process.arguments.insert(process.arguments.end(), arguments.begin(), arguments.end());
    if (options_.enable_metrics) {
      const bool everywhere = options_.host == "0.0.0.0" || options_.host == "::";
      const std::string host = everywhere ? "127.0.0.1" : options_.host;
      server.url = absl::StrCat("http://", HostPort(host, options_.port), "/v1");
      if (RunTransfer({.url = server.url + "/health"}).status != 0) {
        return Unavailable(absl::StrCat("port ", options_.port, " is another server's"));
      }
      process.arguments.insert(process.arguments.end(),
                               {"--host", options_.host, "--port", absl::StrCat(options_.port)});
    } else {
      char folder[] = "/tmp/baton-batch-XXXXXX";
      if (mkdtemp(folder) == nullptr) return Internal("cannot make a folder in /tmp");
      folder_ = folder;
      server.unix_socket = folder_ + "/socket";
      server.url = "http://localhost/v1";
      process.arguments.insert(process.arguments.end(), {"--uds", server.unix_socket});
    }
    if (!options_.api_key.empty()) {
      process.environment.push_back("BATON_API_KEY=" + options_.api_key);
    }
    ASSIGN_OR_RETURN(pid_, StartProcess(process));
    return AwaitReady(server);
  }

 private:
  absl::Status AwaitReady(HttpTransfer probe) {
    const int ended = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    probe.url += "/health";
    bool lives = true;
    while (lives && RunTransfer(probe).status != 200) {
      pollfd waiting = {.fd = ended, .events = POLLIN, .revents = 0};
      lives = poll(&waiting, 1, kReadyPollMs) <= 0;
    }
    close(ended);
    if (lives) return absl::OkStatus();
    waitpid(std::exchange(pid_, 0), nullptr, 0);
    return Unavailable("`baton serve` has ended");  // it has said why
  }

  const BatchOptions& options_;
  std::string folder_;  // of the socket
  pid_t pid_ = 0;
};

// A line on standard error now and then, and at the end.
class Progress {
 public:
  explicit Progress(size_t total) : total_(total) {}

  void Completed() {
    const MonotonicTime now = RealClock().Now();
    ++count_;
    if (count_ < total_ && now < next_) return;
    next_ = now + kProgressPeriod;
    const double seconds = ToSeconds(now - begin_);
    std::cerr << absl::StreamFormat("Running batch: %3d%% Completed | %d/%d [%.1f s, %.2f req/s]\n",
                                    count_ * 100 / total_, count_, total_, seconds,
                                    static_cast<double>(count_) / std::max(seconds, 1e-3));
  }

 private:
  const size_t total_;
  const MonotonicTime begin_ = RealClock().Now();
  MonotonicTime next_ = begin_ + kProgressPeriod;
  size_t count_ = 0;
};

// Every request's line of the output.
std::string RunAll(const std::vector<BatchRequest>& requests, const HttpTransfer& server,
                   int concurrency) {
  std::vector<std::string> lines(requests.size());
  std::vector<HttpTransfer> transfers;
  std::vector<size_t> places;  // of the transfers among the requests
  for (size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].refusal.has_value()) {
      lines[i] = BatchLine(requests[i], {});
      continue;
    }
    HttpTransfer transfer = server;
    transfer.method = HttpTransfer::Method::kPost;
    transfer.url += requests[i].path;
    transfer.body = requests[i].body;
    transfers.push_back(std::move(transfer));
    places.push_back(i);
  }
  Progress progress(transfers.size());
  HttpTransfers(static_cast<size_t>(concurrency))
      .Run(transfers, [&](size_t index, HttpOutcome outcome) {
        const size_t i = places[index];
        lines[i] = BatchLine(requests[i], {outcome.status, std::move(outcome.body)});
        progress.Completed();
      });
  std::string text;
  for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
  return text;
}

absl::Status RunBatch(const BatchOptions& options, const std::vector<std::string>& of_serve) {
  if (options.input_file.empty() || options.output_file.empty()) {
    return InvalidArgument("name the files: -i INPUT.jsonl -o OUTPUT.jsonl");
  }
  if (options.max_concurrency < 1) return InvalidArgument("--max-concurrency: at least 1");
  if (!options.url.empty() && !of_serve.empty()) {
    return InvalidArgument(
        absl::StrCat(of_serve.front(), " is for a server of our own, and --url names another"));
  }
  ASSIGN_OR_RETURN(const std::string input, ReadInput(options.input_file));
  auto requests = ParseBatch(input);
  if (!requests.ok()) return Annotate(requests.status(), options.input_file);
  RETURN_IF_ERROR(CheckOutput(options));
  // The variable may have several keys, a line each.
  const std::string key = options.api_key.substr(0, options.api_key.find('\n'));
  HttpTransfer server = {.url = options.url, .api_key = key};
  while (server.url.ends_with('/')) server.url.pop_back();
  OwnServer own(options);
  if (options.url.empty()) RETURN_IF_ERROR(own.Start(of_serve, server));
  return WriteOutput(options, RunAll(*requests, server, options.max_concurrency));
}

// A file of options is for `baton serve`.
Environment OwnEnvironment() {
  return [environment = ProcessEnvironment()](const std::string& name) {
    return name == "BATON_CONFIG" ? std::nullopt : environment(name);
  };
}

}  // namespace

int Run_run_batch(std::span<const std::string> arguments) {
  BatchOptions options;
  OptionTable table(kCommand,
                    "Answers a file of requests, with `baton serve` and its options meanwhile.");
  DescribeOptions(table, options);
  const SplitArguments split = Split(arguments);
  const auto loaded = LoadConfig(table, split.own, OwnEnvironment());
  if (!loaded.ok()) return Fail(kCommand, loaded.status(), kExitUsage);
  if (loaded->action != LoadedConfig::Action::kRun) {
    return ReadOptions(table, split.own).value_or(0);
  }
  const absl::Status status = RunBatch(options, split.of_serve);
  if (status.ok()) return 0;
  return Fail(kCommand, status, absl::IsInvalidArgument(status) ? kExitUsage : kExitFailure);
}

}  // namespace baton::frontend
