// What a streamed token costs a frontend: from a worker's frame on its session to the bytes on the
// clients' sockets, in processor time of the whole process. Worker and clients are processes of
// their own; frames, HTTP and everything between are the product's.
//
//   build/release/bin/sse_rate [seconds-per-row [row]]
//   build/release/bin/sse_rate --peer PORT PID MODEL      # the API process of another server
//
// The bar is 100,000 tokens a second and core, that is 10 us a token, with every token an event of
// its own; rows that offer so many are judged. The others show what a token costs when there are
// few of them in a step and the wake-ups of threads, here and of the clients on this machine, are
// shared by few.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/obs/lifecycle.h"
#include "common/rpc/channel.h"
#include "frontend/answer/running_answers.h"
#include "frontend/api/endpoint.h"
#include "frontend/client/worker_sessions.h"
#include "frontend/http/http_server.h"
#include "tests/bench/sse_rate/child_process.h"
#include "tests/bench/sse_rate/event_readers.h"
#include "tests/bench/sse_rate/token_worker.h"
#include "tests/fakes/byte_model.h"

namespace baton::bench {
namespace {

using frontend::ModelCard;

constexpr double kBarTokensPerCore = 100'000;
constexpr uint64_t kWarmUpEvents = 20;
constexpr uint32_t kEndless = 1 << 30;

struct Case {
  const char* name;
  const char* path;
  const char* body;
  int streams;
  int steps_per_second;
};

constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kChatBody =
    R"({"messages":[{"role":"user","content":"Hi"}],"max_tokens":1000000000,"stream":true})";
constexpr const char* kToolsBody =
    R"({"messages":[{"role":"user","content":"Hi"}],"max_tokens":1000000000,"stream":true,)"
    R"("tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}]})";
constexpr const char* kUsageBody =
    R"({"messages":[{"role":"user","content":"Hi"}],"max_tokens":1000000000,"stream":true,)"
    R"("stop":["###"],"stream_options":{"include_usage":true,"continuous_usage_stats":true}})";
constexpr const char* kCompletions = "/v1/completions";
constexpr const char* kCompletionsBody = R"({"prompt":"Hi","max_tokens":1000000000,"stream":true})";

// One worker, always free; one model.
class Fleet : public frontend::PlacementSource, public frontend::ModelSource {
 public:
  explicit Fleet(int worker_port) : address_(absl::StrCat("127.0.0.1:", worker_port)) {}

  void Route(v1::RouteRequest, RouteCallback callback) override {
    v1::RouteReply reply;
    reply.mutable_placement()->mutable_decode()->set_worker_id("worker");
    reply.mutable_placement()->mutable_decode()->set_address(address_);
    reply.mutable_placement()->set_lease(1);
    callback(std::move(reply));
  }
  void Abandon(uint64_t) override {}

  absl::StatusOr<v1::ListModelsReply> ListModels() override {
    v1::ListModelsReply reply;
    *reply.add_models() = frontend::ByteModelEntry(kEndless * 2U);
    return reply;
  }
  absl::StatusOr<ModelCard> FetchModelCard(const v1::FetchModelCardRequest&) override {
    return frontend::ByteModelCard();
  }

 private:
  const std::string address_;
};

// A frontend without configuration, routers and probes.
class Frontend {
 public:
  explicit Frontend(int worker_port) : fleet_(worker_port) {
    models_.Refresh();
    frontend::RouteTable routes;
    BATON_CHECK(frontend::RegisterBuiltinEndpoints(context_, endpoints_).ok());
    BATON_CHECK(endpoints_.AddRoutes(routes).ok());
    frontend::HttpServerOptions options;
    options.host = "127.0.0.1";
    options.port = 0;
    options.net_thread_count = 1;
    auto server = frontend::HttpServer::Start(std::move(options), std::move(routes), RealClock());
    BATON_CHECK(server.ok()) << std::string(server.status().message());
    server_ = *std::move(server);
  }
  ~Frontend() {
    server_ = nullptr;
    sessions_.Close();
    sessions_.Join();
  }

  int port() const { return server_->port(); }

 private:
  static frontend::ModelOverrides Overrides() {
    frontend::ModelOverrides overrides;
    overrides.tool_format = frontend::FindToolFormat("hermes");
    return overrides;
  }

  Fleet fleet_;
  MetricsRegistry registry_;
  Lifecycle lifecycle_{RealClock()};
  frontend::StreamMetrics stream_metrics_{registry_};
  frontend::ApiMetrics api_metrics_{registry_, frontend::EndpointNames()};
  frontend::WorkerSessions sessions_{
      [](const std::string& address) { return MakeChannel(address); }, RealClock()};
  frontend::ModelCatalog models_{fleet_, Overrides(), RealClock()};
  frontend::ConcurrencyLimiter limiter_{{}};
  frontend::ConstraintValidator constraints_;
  frontend::RunningAnswers running_;
  frontend::ApiOptions options_;
  frontend::ApiContext context_{.options = options_,
                                .models = models_,
                                .generation = {fleet_, sessions_, stream_metrics_},
                                .limiter = limiter_,
                                .constraints = constraints_,
                                .metrics = api_metrics_,
                                .registry = registry_,
                                .lifecycle = lifecycle_,
                                .running = running_,
                                .clock = RealClock()};
  frontend::EndpointRegistry endpoints_;
  std::unique_ptr<frontend::HttpServer> server_;
};

// Processor seconds of this process: of the net threads, and of all others.
struct CpuTime {
  double net = 0;
  double rest = 0;

  double total() const { return net + rest; }
  CpuTime operator-(const CpuTime& before) const { return {net - before.net, rest - before.rest}; }
};

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

CpuTime CpuTimeNow() {
  CpuTime time;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    if (!name.starts_with("net-")) continue;
    double nanoseconds = 0;
    std::ifstream(task.path() / "schedstat") >> nanoseconds;
    time.net += nanoseconds / 1e9;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  time.rest = Seconds(usage.ru_utime) + Seconds(usage.ru_stime) - time.net;
  return time;
}

// Of another process, to the kernel's tick.
double CpuSecondsOf(int pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text(std::istreambuf_iterator<char>(file), {});
  BATON_CHECK(!text.empty()) << "no process " << pid;
  std::istringstream fields(text.substr(text.rfind(')') + 2));  // behind the name
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  double user_ticks = 0;
  double system_ticks = 0;
  fields >> user_ticks >> system_ticks;
  return (user_ticks + system_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::string PostRequest(const std::string& path, const std::string& body) {
  return absl::StrCat("POST ", path,
                      " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                      "Content-Length: ",
                      body.size(), "\r\n\r\n", body);
}

// In a process of its own, because gRPC does not outlive a fork. True: the bar is met.
bool Measure(const Case& what, double seconds) {
  ChildProcess worker([&](Pipe& parent) {
    const TokenWorker tokens(
        {.calls = what.streams,
         .step = std::chrono::microseconds(1'000'000 / what.steps_per_second)});
    parent.Send(tokens.port());
    parent.WaitForEnd();
  });
  ChildProcess clients([&](Pipe& parent) {
    EventReaders readers(parent.Receive<int>(), what.streams, PostRequest(what.path, what.body));
    readers.ReadUntilAllHave(kWarmUpEvents);
    parent.Send(readers.event_count());
    readers.ReadFor(seconds);
    parent.Send(readers.event_count());
    parent.WaitForEnd();
  });
  const Frontend frontend(worker.pipe().Receive<int>());
  clients.pipe().Send(frontend.port());
  const auto events_before = clients.pipe().Receive<uint64_t>();
  const CpuTime cpu_before = CpuTimeNow();
  const auto events_after = clients.pipe().Receive<uint64_t>();
  const CpuTime cpu = CpuTimeNow() - cpu_before;

  const auto tokens = static_cast<double>(events_after - events_before);
  const double per_core = tokens / cpu.total();
  const bool judged = what.streams * what.steps_per_second >= kBarTokensPerCore;
  const bool met = per_core >= kBarTokensPerCore;
  std::printf("%-22s %7d %11.0f %8.2f %8.2f %8.2f %12.0f   %s\n", what.name, what.streams,
              tokens / seconds, cpu.rest / tokens * 1e6, cpu.net / tokens * 1e6,
              cpu.total() / tokens * 1e6, per_core,
              !judged ? ""
              : met   ? "met"
                      : "MISSED");
  return met || !judged;
}

// What the API process of a running server takes for a token of 64 streams. It is as fast as its
// model, so that only the time per token compares.
int MeasurePeer(int port, int pid, const std::string& model) {
  constexpr int kStreams = 64;
  constexpr double kSeconds = 20;
  const std::string body = absl::StrCat(
      R"({"model":")", model,
      R"(","messages":[{"role":"user","content":"Count."}],"max_tokens":1500,"stream":true,)"
      R"("ignore_eos":true})");
  EventReaders readers(port, kStreams, PostRequest(kChat, body));
  readers.ReadUntilAllHave(kWarmUpEvents);
  const double cpu_before = CpuSecondsOf(pid);
  const uint64_t events_before = readers.event_count();
  readers.ReadFor(kSeconds);
  const double cpu = CpuSecondsOf(pid) - cpu_before;
  const auto tokens = static_cast<double>(readers.event_count() - events_before);
  std::printf(
      "process %d: %d streams, %.0f tokens/s, %.1f us a token, %.0f tokens a second and core\n",
      pid, kStreams, tokens / kSeconds, cpu / tokens * 1e6, tokens / cpu);
  return 0;
}

int Main(int argc, char** argv) {
  if (argc == 5 && std::string(argv[1]) == "--peer") {
    return MeasurePeer(std::atoi(argv[2]), std::atoi(argv[3]), argv[4]);
  }
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2;
  const int only_row = argc > 2 ? std::atoi(argv[2]) : 0;
  const Case cases[] = {
      {"chat", kChat, kChatBody, 1, 100},
      {"chat", kChat, kChatBody, 64, 100},
      {"chat", kChat, kChatBody, 256, 100},
      {"chat", kChat, kChatBody, 1000, 50},
      {"chat", kChat, kChatBody, 1000, 100},
      {"chat, stop and usage", kChat, kUsageBody, 1000, 100},
      {"chat, tools", kChat, kToolsBody, 1000, 100},
      {"completions", kCompletions, kCompletionsBody, 1000, 100},
  };
  std::printf("one token an event; bar: %.0f tokens a second and core, %.1f us a token\n",
              kBarTokensPerCore, 1e6 / kBarTokensPerCore);
  std::printf("%-22s %7s %11s %8s %8s %8s %12s\n", "case", "streams", "tokens/s", "api us",
              "net us", "us each", "per core");
  bool all_met = true;
  int row_number = 0;
  for (const Case& one : cases) {
    if (++row_number != only_row && only_row != 0) continue;
    ChildProcess row([&](Pipe& parent) { parent.Send(Measure(one, seconds)); });
    all_met = row.pipe().Receive<bool>() && all_met;
  }
  return all_met ? 0 : 1;
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) { return baton::bench::Main(argc, argv); }
