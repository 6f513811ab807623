// How much processor time the HTTP engine takes: POSTs that parse and answer JSON, and paced event
// streams. The client is another process; "server" columns are this process alone.
//
//   http_bench [seconds-per-row] [net-threads] [handler-threads]
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic_task.h"
#include "frontend/http/http_server.h"
#include "frontend/http/httplib_parser.h"
#include "frontend/http/request_head.h"
#include "frontend/http/sse_writer.h"
#include "tests/bench/http_bench/load_client.h"

namespace baton::frontend {
namespace {

// 106 bytes, as in the measurements that this is compared with.
constexpr std::string_view kBody =
    R"({"model":"m","messages":[{"role":"user","content":"What is the capital of Japan?"}],)"
    R"("max_tokens":16,"n":1})";
constexpr std::string_view kChunk =
    R"({"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","choices":[)"
    R"([0,"delta","content"," token",null])";  // 117 bytes; the closing brace is the client's mark

struct Settings {
  double seconds = 2;
  int net_threads = 1;
  int handler_threads = 0;
};

struct Case {
  const char* name;
  int connections;
  bool is_stream;
  int chunks_per_tick = 0;
  Duration tick{};
};

// The streams that are open, all written at each tick.
class Ticker {
 public:
  void Add(std::shared_ptr<ResponseSink> sink) {
    auto events = std::make_unique<SseWriter>(std::move(sink));
    events->Begin();
    MutexLock lock(mutex_);
    streams_.push_back(std::move(events));
  }

  void Tick(int chunks) {
    static const std::string chunk = std::string(kChunk) + "}";
    MutexLock lock(mutex_);
    std::erase_if(streams_, [&](const std::unique_ptr<SseWriter>& stream) {
      for (int i = 0; i < chunks; ++i) {
        if (!stream->Data(chunk)) return true;
      }
      return false;
    });
  }

 private:
  Mutex mutex_;
  std::vector<std::unique_ptr<SseWriter>> streams_;
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Makes the client process before this one has threads; it runs once it reads the port.
class ClientProcess {
 public:
  explicit ClientProcess(const Load& load) {
    BATON_CHECK(pipe(to_child_) == 0 && pipe(from_child_) == 0) << "pipe";
    child_ = fork();
    BATON_CHECK(child_ >= 0) << "fork";
    if (child_ == 0) RunChild(load);
  }

  LoadResult Run(int port) {
    LoadResult result;
    BATON_CHECK(write(to_child_[1], &port, sizeof(port)) == sizeof(port)) << "write";
    BATON_CHECK(read(from_child_[0], &result, sizeof(result)) == sizeof(result))
        << "the client died";
    waitpid(child_, nullptr, 0);
    for (const int fd : {to_child_[0], to_child_[1], from_child_[0], from_child_[1]}) close(fd);
    return result;
  }

 private:
  [[noreturn]] void RunChild(Load load) {
    BATON_CHECK(read(to_child_[0], &load.port, sizeof(load.port)) == sizeof(load.port)) << "read";
    const LoadResult result = RunLoad(load);
    BATON_CHECK(write(from_child_[1], &result, sizeof(result)) == sizeof(result)) << "write";
    _exit(0);
  }

  int to_child_[2];
  int from_child_[2];
  pid_t child_ = -1;
};

RouteTable Routes(Ticker& ticker) {
  RouteTable routes;
  BATON_CHECK(
      routes
          .Add(
              "POST", "/v1/chat/completions",
              [](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
                const auto body = nlohmann::json::parse(request.body);
                const nlohmann::json answer = {{"model", body["model"]}, {"n", body["max_tokens"]}};
                sink->Respond({200, {{"content-type", "application/json"}}, answer.dump()});
              })
          .ok());
  BATON_CHECK(routes
                  .Add("GET", "/stream",
                       [&ticker](HttpRequest, std::shared_ptr<ResponseSink> sink) {
                         ticker.Add(std::move(sink));
                       })
                  .ok());
  return routes;
}

void Measure(const Case& what, const Settings& settings) {
  Load load;
  load.connections = what.connections;
  load.is_stream = what.is_stream;
  load.seconds = settings.seconds;
  load.request = what.is_stream
                     ? std::string("GET /stream HTTP/1.1\r\nHost: bench\r\n\r\n")
                     : "POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: "
                       "application/json\r\n"
                       "Content-Length: " +
                           std::to_string(kBody.size()) + "\r\n\r\n" + std::string(kBody);
  ClientProcess client(load);

  Ticker ticker;
  HttpServerOptions options;
  options.host = "127.0.0.1";
  options.port = 0;
  options.net_thread_count = settings.net_threads;
  options.handler_thread_count = settings.handler_threads;
  auto server = HttpServer::Start(std::move(options), Routes(ticker), RealClock());
  BATON_CHECK(server.ok()) << server.status().message();
  LoadResult result;
  const double cpu_before = CpuSeconds();
  {
    std::unique_ptr<PeriodicTask> pace;
    if (what.is_stream) {
      pace = std::make_unique<PeriodicTask>("pace", RealClock(), what.tick,
                                            [&] { ticker.Tick(what.chunks_per_tick); });
    }
    result = client.Run((*server)->port());
  }
  const double cpu = CpuSeconds() - cpu_before;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto completed = static_cast<double>(result.completed);
  std::printf("%-22s %6d %6d %10.0f %8.2f %9.2f %9.0f %9.0f %9.0f %7.1f\n", what.name,
              what.connections, result.connected, completed / result.seconds, cpu / result.seconds,
              cpu / completed * 1e6, completed / cpu, result.p50_us, result.p99_us,
              static_cast<double>(usage.ru_maxrss) / 1024);
  std::fflush(stdout);
}

// What one head costs to check and to parse, of a bare client and of an OpenAI SDK.
void MeasureParse() {
  const std::string bare =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:8000\r\n"
      "Content-Type: application/json\r\nContent-Length: 106\r\n";
  const std::string sdk = bare +
                          "User-Agent: OpenAI/Python 1.0\r\nAccept: application/json\r\n"
                          "Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
                          "Authorization: Bearer abc\r\nX-Stainless-Lang: python\r\n"
                          "X-Stainless-Os: Linux\r\nX-Stainless-Arch: x64\r\n";
  constexpr int kRounds = 100'000;
  HttplibParser parser;
  for (const auto& [name, lines] : {std::pair("3 headers", bare), std::pair("11 headers", sdk)}) {
    const std::string head = lines + "\r\n";
    const double start = CpuSeconds();
    for (int i = 0; i < kRounds; ++i) {
      BATON_CHECK(std::holds_alternative<HeadFraming>(CheckHead(head, HeadLimits())));
    }
    const double checked = CpuSeconds();
    for (int i = 0; i < kRounds; ++i) BATON_CHECK(parser.Parse(head).has_value());
    const double parsed = CpuSeconds();
    std::printf("head of %-10s check %.2f us, parse %.2f us\n", name,
                (checked - start) / kRounds * 1e6, (parsed - checked) / kRounds * 1e6);
  }
}

int Main(int argc, char** argv) {
  Settings settings;
  if (argc > 1) settings.seconds = std::atof(argv[1]);
  if (argc > 2) settings.net_threads = std::atoi(argv[2]);
  if (argc > 3) settings.handler_threads = std::atoi(argv[3]);
  const auto ms = [](int count) { return std::chrono::milliseconds(count); };
  const Case cases[] = {
      {"POST json", 1, false},
      {"POST json", 8, false},
      {"POST json", 64, false},
      {"POST json", 256, false},
      {"SSE 20 chunks/s", 256, true, 1, ms(50)},
      {"SSE 20 chunks/s", 1000, true, 1, ms(50)},
      {"SSE 20 chunks/s", 2000, true, 1, ms(50)},
      {"SSE 1000 chunks/s", 64, true, 1, ms(1)},
      {"SSE 5000 chunks/s", 64, true, 5, ms(1)},
  };
  std::printf("net threads %d, %.1f s a row; cores and us are the server's processor time\n",
              settings.net_threads, settings.seconds);
  std::printf("%-22s %6s %6s %10s %8s %9s %9s %9s %9s %7s\n", "case", "conns", "served", "per s",
              "cores", "us each", "per core", "p50 us", "p99 us", "RSS MB");
  for (const Case& one : cases) Measure(one, settings);
  MeasureParse();
  return 0;
}

}  // namespace
}  // namespace baton::frontend

int main(int argc, char** argv) { return baton::frontend::Main(argc, argv); }
