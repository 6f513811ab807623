// An HTTP server on a loopback port that plays one scripted answer per connection, in order.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/concurrency/owned_thread.h"
#include "common/config/listen_address.h"

namespace baton::frontend {

class ScriptedServer {
 public:
  // `hold`: keep the connection open after the last answer until the client leaves.
  explicit ScriptedServer(std::vector<std::string> answers, bool hold = false)
      : socket_(*ListenSocket::Open({.host = "127.0.0.1", .port = 0})),
        answers_(std::move(answers)),
        hold_(hold),
        thread_("scripted", [this](std::stop_token) { Run(); }) {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(socket_.port()) + "/v1"; }

  // What the clients sent, by connection.
  std::vector<std::string> requests() {
    thread_.Join();
    return requests_;
  }

 private:
  void Run() {
    for (size_t i = 0; i < answers_.size(); ++i) {
      const int connection = Accept();
      requests_.push_back(ReadRequest(connection));
      send(connection, answers_[i].data(), answers_[i].size(), MSG_NOSIGNAL);
      char byte = 0;
      const bool last = i + 1 == answers_.size();
      while (hold_ && last && recv(connection, &byte, 1, 0) > 0) {
      }
      close(connection);
    }
  }

  int Accept() const {
    int connection = -1;
    while (connection < 0) {
      fd_set waiting;
      FD_ZERO(&waiting);
      FD_SET(socket_.fd(), &waiting);
      select(socket_.fd() + 1, &waiting, nullptr, nullptr, nullptr);
      connection = accept(socket_.fd(), nullptr, nullptr);
    }
    return connection;
  }

  static std::string ReadRequest(int connection) {
    std::string request;
    char bytes[4096];
    while (true) {
      const size_t head = request.find("\r\n\r\n");
      if (head != std::string::npos) {
        const size_t length = request.find("Content-Length: ");
        const size_t body =
            length == std::string::npos ? 0 : std::stoul(request.substr(length + 16));
        if (request.size() >= head + 4 + body) return request;
      }
      const ssize_t count = recv(connection, bytes, sizeof(bytes), 0);
      if (count <= 0) return request;
      request.append(bytes, static_cast<size_t>(count));
    }
  }

  ListenSocket socket_;
  const std::vector<std::string> answers_;
  const bool hold_;
  std::vector<std::string> requests_;
  OwnedThread thread_;
};

inline std::string Answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Status\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

inline std::string EventStream(const std::string& events) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + events;
}

}  // namespace baton::frontend
