// A real baton-worker, started by a test on sockets that the test opened, and ended with it.
//
// Threading: thread-compatible. Ownership: kills and reaps its process.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/config/listen_address.h"
#include "common/rpc/channel.h"

namespace baton::worker {

class WorkerProcess {
 public:
  explicit WorkerProcess(std::vector<std::string> arguments) : rpc_(Open()), admin_(Open()) {
    // Inherited sockets lose their close-on-exec flag in the child only.
    arguments.insert(arguments.begin(), BATON_BINARY_DIR "/bin/baton-worker");
    for (const std::string& flag :
         {"--listen-fd=" + std::to_string(rpc_.fd()),
          "--admin-listen-fd=" + std::to_string(admin_.fd()), std::string("--log-level=warning"),
          std::string("--drain-timeout=2s")}) {
      arguments.push_back(flag);
    }
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    BATON_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      fcntl(rpc_.fd(), F_SETFD, 0);
      fcntl(admin_.fd(), F_SETFD, 0);
      execv(argv[0], argv.data());
      _exit(127);
    }
  }

  ~WorkerProcess() {
    if (pid_ > 0) Signal(SIGKILL);
  }

  // Sends the signal and returns the exit status, negative for a signal.
  int Signal(int signal) {
    kill(pid_, signal);
    return WaitForExit();
  }
  int WaitForExit() {
    int status = 0;
    BATON_CHECK(waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::shared_ptr<grpc::Channel> Channel() const {
    return MakeChannel("127.0.0.1:" + std::to_string(rpc_.port()));
  }

  // Body and head of GET `path` on the admin port.
  std::string Get(const std::string& path) const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(admin_.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string answer;
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      const std::string request =
          "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      if (write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
        char buffer[4096];
        for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) {
          answer.append(buffer, static_cast<size_t>(got));
        }
      }
    }
    close(fd);
    return answer;
  }

  // The value of a metric without labels or with exactly `series`.
  double Metric(const std::string& series) const {
    const std::string text = Get("/metrics");
    const size_t at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
  }

 private:
  static ListenSocket Open() {
    ListenAddress address;
    address.host = "127.0.0.1";
    return *ListenSocket::Open(address);
  }

  const ListenSocket rpc_;
  const ListenSocket admin_;
  pid_t pid_ = -1;
};

}  // namespace baton::worker
