// A client that sends the bytes a test wants, not those a library would.
//
// Every wait has a deadline of ten seconds; a test that runs into it fails.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace baton::frontend {

// One answer as it came over the wire.
struct RawAnswer {
  int status = 0;
  std::string head;
  std::string body;  // chunked coding removed
  bool complete = false;

  std::string Header(std::string_view lower_case_name) const {
    const std::string key = "\r\n" + std::string(lower_case_name) + ": ";
    const size_t at = head.find(key);
    if (at == std::string::npos) return "";
    const size_t begin = at + key.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class RawClient {
 public:
  explicit RawClient(int port, int receive_buffer_bytes = 0) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer_bytes > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        connected_(other.connected_),
        buffer_(std::move(other.buffer_)) {}
  ~RawClient() { Close(); }

  bool connected() const { return connected_; }

  // False if the server does not take the bytes.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  // Closes with a reset instead of an end of stream.
  void Reset() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    Close();
  }
  void ShutdownWrite() { shutdown(fd_, SHUT_WR); }

  // The next answer. `complete` is false if the connection ended first.
  RawAnswer Read(bool is_head_method = false) {
    RawAnswer answer;
    const std::optional<std::string> head = TakeThrough("\r\n\r\n");
    if (!head.has_value()) return answer;
    answer.head = *head;
    answer.status = std::atoi(head->c_str() + sizeof("HTTP/1.1"));
    if (answer.status == 100) {
      answer.complete = true;
      return answer;
    }
    const bool no_body = is_head_method || answer.status == 204 || answer.status == 304;
    if (no_body) {
      answer.complete = true;
    } else if (answer.Header("transfer-encoding") == "chunked") {
      ReadChunks(&answer);
    } else if (const std::string length = answer.Header("content-length"); !length.empty()) {
      answer.complete = ReadExactly(static_cast<size_t>(std::atoll(length.c_str())), &answer.body);
    } else {
      while (Fill()) {
      }
      answer.body = std::exchange(buffer_, "");
      answer.complete = true;
    }
    return answer;
  }

  // Everything up to and including `mark`.
  std::optional<std::string> TakeThrough(std::string_view mark) {
    size_t at = 0;
    while ((at = buffer_.find(mark)) == std::string::npos) {
      if (!Fill()) return std::nullopt;
    }
    std::string taken = buffer_.substr(0, at + mark.size());
    buffer_.erase(0, taken.size());
    return taken;
  }

  // True once the server has closed; what it still sent is dropped.
  bool WaitForClose() {
    while (Fill()) buffer_.clear();
    return closed_by_server_;
  }

  // Takes what comes first: bytes (true) or the end (false).
  bool Fill() {
    pollfd waiting{fd_, POLLIN, 0};
    if (poll(&waiting, 1, 10'000) <= 0) return false;
    char bytes[65536];
    const ssize_t got = recv(fd_, bytes, sizeof(bytes), 0);
    if (got <= 0) {
      closed_by_server_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<size_t>(got));
    return true;
  }

 private:
  bool ReadExactly(size_t size, std::string* out) {
    while (buffer_.size() < size) {
      if (!Fill()) return false;
    }
    out->append(buffer_, 0, size);
    buffer_.erase(0, size);
    return true;
  }

  void ReadChunks(RawAnswer* answer) {
    while (true) {
      const std::optional<std::string> line = TakeThrough("\r\n");
      if (!line.has_value()) return;
      const size_t size = std::strtoull(line->c_str(), nullptr, 16);
      if (!ReadExactly(size, &answer->body) || !TakeThrough("\r\n").has_value()) return;
      if (size == 0) {
        answer->complete = true;
        return;
      }
    }
  }

  int fd_ = -1;
  bool connected_ = false;
  bool closed_by_server_ = false;
  std::string buffer_;
};

inline std::string Get(std::string_view path, std::string_view more_headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more_headers) +
         "\r\n";
}

inline std::string Post(std::string_view path, std::string_view body,
                        std::string_view more_headers = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more_headers) + "\r\n" + std::string(body);
}

}  // namespace baton::frontend
