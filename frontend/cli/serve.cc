// `baton serve MODEL`: the three programs on this machine, supervised.
//
// It opens every listening socket itself and hands each to its program, so a program that is
// started again keeps its address, and the public port is refused here, at once, when it is taken.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/processor_count.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/config/config_source.h"
#include "common/config/listen_address.h"
#include "common/config/program.h"
#include "common/config/unix_socket.h"
#include "common/obs/log.h"
#include "frontend/cli/child_process.h"
#include "frontend/cli/command.h"
#include "frontend/cli/dotted_flags.h"
#include "frontend/cli/http_get.h"
#include "frontend/cli/model_path.h"
#include "frontend/cli/serve_options.h"
#include "frontend/cli/start_progress.h"
#include "frontend/cli/supervisor.h"

namespace baton::frontend {
namespace {

constexpr char kLoopback[] = "127.0.0.1";
constexpr Duration kProbeTimeout = std::chrono::milliseconds(500);
constexpr Duration kProbePause = std::chrono::milliseconds(20);
constexpr int kWorkersMax = 64;
// What the stages of the frontend's shutdown may take besides its drain, and a little. The programs
// that end after it have nothing left to drain.
constexpr Duration kStopMargin = std::chrono::seconds(15);

class SystemProcesses final : public Processes {
 public:
  absl::StatusOr<pid_t> Start(const ProcessSpec& spec) override { return StartProcess(spec); }
  void Signal(pid_t pid, int signal) override { kill(pid, signal); }
};

// SIGCHLD, SIGINT and SIGTERM as something to wait for.
class SignalQueue {
 public:
  SignalQueue() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM}) sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  }
  ~SignalQueue() { close(fd_); }
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;

  // The next signal, or 0 when none has come within `wait`.
  int Next(Duration wait) {
    pollfd waiting = {.fd = fd_, .events = POLLIN, .revents = 0};
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
    poll(&waiting, 1, static_cast<int>(std::clamp<int64_t>(milliseconds, 0, 60'000)));
    signalfd_siginfo info;
    if (read(fd_, &info, sizeof(info)) != sizeof(info)) return 0;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  int fd_ = -1;
};

// A program's two sockets.
struct Sockets {
  ListenSocket service;
  ListenSocket admin;
};

absl::StatusOr<ListenSocket> OpenLoopback() {
  return ListenSocket::Open({.host = kLoopback, .port = 0});
}

absl::StatusOr<Sockets> OpenSockets() {
  ASSIGN_OR_RETURN(ListenSocket service, OpenLoopback());
  ASSIGN_OR_RETURN(ListenSocket admin, OpenLoopback());
  return Sockets{std::move(service), std::move(admin)};
}

std::string AdminUrl(const Sockets& sockets, std::string_view path) {
  return absl::StrCat("http://", HostPort(kLoopback, sockets.admin.port()), std::string(path));
}

ChildSpec MakeChild(std::string name, const std::string& program, const Sockets& sockets,
                    std::vector<std::string> arguments, int stop_stage) {
  ChildSpec child;
  child.name = std::move(name);
  child.stop_stage = stop_stage;
  child.process.program = ProgramFolder() + "/" + program;
  child.process.arguments = std::move(arguments);
  for (const auto& [flag, socket] : {std::pair("--listen-fd", &sockets.service),
                                     std::pair("--admin-listen-fd", &sockets.admin)}) {
    child.process.arguments.emplace_back(flag);
    child.process.arguments.push_back(std::to_string(socket->fd()));
    child.process.inherited_fds.push_back(socket->fd());
  }
  return child;
}

// Everything of one `baton serve`, built before the first program starts.
class Service {
 public:
  static absl::StatusOr<std::unique_ptr<Service>> Open(const ServeOptions& options) {
    if (options.workers < 1 || options.workers > kWorkersMax) {
      return InvalidArgument(absl::StrCat("--workers must be between 1 and ", kWorkersMax));
    }
    ASSIGN_OR_RETURN(std::string path, ResolveModelPath(options.model, DefaultModelsFolder()));
    auto service = std::unique_ptr<Service>(new Service(options, std::move(path)));
    RETURN_IF_ERROR(service->OpenAll());
    return service;
  }

  std::vector<ChildSpec> Children() const {
    std::vector<ChildSpec> children;
    const int cores = UsableProcessorCount();
    const int threads = std::max(1, cores / options_.workers);
    for (size_t i = 0; i < workers_.size(); ++i) {
      std::vector<std::string> arguments = WorkerArguments(options_, path_, threads);
      arguments.insert(arguments.end(),
                       {"--worker-id", WorkerName(i), "--engine-index", absl::StrCat(i)});
      children.push_back(MakeChild(WorkerName(i), "baton-worker", workers_[i], arguments, 2));
    }
    std::vector<std::string> router = RouterArguments(options_);
    router.insert(router.end(), {"--workers", absl::StrJoin(WorkerAddresses(), ",")});
    children.push_back(MakeChild("router", "baton-router", *router_, router, 1));
    std::vector<std::string> frontend = FrontendArguments(options_);
    frontend.insert(frontend.end(), {"--routers", HostPort(kLoopback, router_->service.port()),
                                     "--metrics-peers", absl::StrJoin(MetricsPeers(), ",")});
    children.push_back(MakeChild("frontend", "baton-frontend", *frontend_, frontend, 0));
    children.back().process.environment = FrontendEnvironment(options_);
    // A file for `baton serve` holds keys that its programs do not know; they get them as flags.
    for (ChildSpec& child : children) child.process.environment.emplace_back("BATON_CONFIG=");
    return children;
  }

  // From now on it depends on the frontend alone whether new connections are taken.
  void CloseApi() {
    // Once, and while it is ours: another server may then listen at the same path.
    if (const std::string path = std::exchange(uds_, ""); !path.empty()) RemoveUnixSocket(path);
    frontend_->service.Close();
  }

  // True when the frontend can answer. Draws the bar meanwhile.
  bool AskReady(StartProgress& progress) const {
    const auto ready = HttpGet(AdminUrl(*frontend_, "/readyz"), kProbeTimeout);
    if (ready.ok() && ready->status == 200) return true;
    const auto loading = HttpGet(AdminUrl(workers_[0], "/startupz"), kProbeTimeout);
    if (loading.ok()) progress.Loading(loading->body);
    return false;
  }

  std::string Url() const {
    if (!options_.uds.empty()) return "unix:" + options_.uds;
    const bool everywhere = options_.host == "0.0.0.0" || options_.host == "::";
    return absl::StrCat(
        "http://", HostPort(everywhere ? "localhost" : options_.host, frontend_->service.port()),
        "/v1");
  }

  const std::string& path() const { return path_; }

 private:
  Service(const ServeOptions& options, std::string path)
      : options_(options), path_(std::move(path)), uds_(options.uds) {}

  absl::Status OpenAll() {
    ListenAddress address = {.host = options_.host, .port = options_.port};
    if (!options_.uds.empty()) {
      ASSIGN_OR_RETURN(address.inherited_fd, OpenUnixSocket(options_.uds));
    }
    ASSIGN_OR_RETURN(ListenSocket api, ListenSocket::Open(address));
    ASSIGN_OR_RETURN(ListenSocket admin, OpenLoopback());
    frontend_ = std::make_unique<Sockets>(Sockets{std::move(api), std::move(admin)});
    ASSIGN_OR_RETURN(Sockets router, OpenSockets());
    router_ = std::make_unique<Sockets>(std::move(router));
    for (int i = 0; i < options_.workers; ++i) {
      ASSIGN_OR_RETURN(Sockets worker, OpenSockets());
      workers_.push_back(std::move(worker));
    }
    return absl::OkStatus();
  }

  static std::string WorkerName(size_t index) { return absl::StrCat("worker-", index); }

  std::vector<std::string> WorkerAddresses() const {
    std::vector<std::string> addresses;
    for (const Sockets& worker : workers_) {
      addresses.push_back(HostPort(kLoopback, worker.service.port()));
    }
    return addresses;
  }

  std::vector<std::string> MetricsPeers() const {
    std::vector<std::string> peers = {absl::StrCat("router=", AdminUrl(*router_, "/metrics"))};
    for (size_t i = 0; i < workers_.size(); ++i) {
      peers.push_back(absl::StrCat(WorkerName(i), "=", AdminUrl(workers_[i], "/metrics")));
    }
    return peers;
  }

  const ServeOptions options_;
  const std::string path_;
  std::string uds_;  // the file that is still ours to remove
  std::unique_ptr<Sockets> frontend_;
  std::unique_ptr<Sockets> router_;
  std::vector<Sockets> workers_;
};

void ReapChildren(Supervisor& supervisor) {
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    supervisor.OnExit(pid, status);
  }
}

// Runs until all programs have ended; returns the exit status.
int RunToTheEnd(Service& service, Supervisor& supervisor, SignalQueue& signals,
                StartProgress& progress) {
  Clock& clock = RealClock();
  bool ready = false;
  while (!(supervisor.stopping() && supervisor.stopped())) {
    if (!ready && !supervisor.stopping() && service.AskReady(progress)) {
      ready = true;
      supervisor.Serving();
      progress.Ready(service.Url());
    }
    const Duration until_due = std::max(Duration(0), supervisor.next_due() - clock.Now());
    const int signal = signals.Next(ready || supervisor.stopping() ? until_due : kProbePause);
    if (signal == SIGINT || signal == SIGTERM) {
      progress.Clear();
      service.CloseApi();
      supervisor.OnStopSignal();
    }
    ReapChildren(supervisor);
    supervisor.Tick();
    if (!supervisor.stopping() && supervisor.failure().has_value()) {
      service.CloseApi();
      supervisor.BeginStop();
    }
  }
  if (!supervisor.failure().has_value()) return 0;
  progress.Clear();
  std::cerr << "baton serve: " << supervisor.failure()->message() << std::endl;
  return 1;
}

int Fail(const absl::Status& status) {
  std::cerr << "baton serve: " << status.message() << std::endl;
  return 1;
}

int Serve(const ServeOptions& options) {
  const auto notes = options.fixed.Notes();
  if (!notes.ok()) return Fail(notes.status());
  for (const std::string& note : *notes) std::cerr << "baton serve: " << note << std::endl;
  const auto service = Service::Open(options);
  if (!service.ok()) return Fail(service.status());
  StartProgress progress(std::cout, isatty(STDOUT_FILENO) != 0, RealClock());
  progress.Banner(options.model, (*service)->path(), options.workers);
  SignalQueue signals;
  SystemProcesses processes;
  Supervisor supervisor({.stop_timeout = options.drain_timeout + kStopMargin},
                        (*service)->Children(), processes, RealClock());
  if (const absl::Status started = supervisor.StartAll(); !started.ok()) {
    supervisor.Kill();
    return Fail(started);
  }
  return RunToTheEnd(**service, supervisor, signals, progress);
}

}  // namespace

int Run_serve(std::span<const std::string> arguments) {
  ServeOptions options;
  OptionTable table("baton serve",
                    "Serves a model on this machine, with an OpenAI-compatible API.");
  DescribeOptions(table, options);
  std::vector<std::string> positional;
  const auto folded = FoldDottedFlags(arguments);
  if (!folded.ok()) return Fail(folded.status());
  if (const auto status = ReadOptions(table, *folded, {}, &positional)) return *status;
  if (!positional.empty()) options.model = positional[0];
  if (options.model.empty())
    return Fail(InvalidArgument("name a model, before the options: baton serve MODEL"));
  return Serve(options);
}

}  // namespace baton::frontend
