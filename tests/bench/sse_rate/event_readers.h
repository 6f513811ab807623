// The clients of sse_rate: as many streams as asked for, read and counted by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace baton::bench {

class EventReaders {
 public:
  // Connects to the port on this machine and sends `request` on every connection.
  EventReaders(int port, int count, const std::string& request);
  ~EventReaders();

  EventReaders(const EventReaders&) = delete;
  EventReaders& operator=(const EventReaders&) = delete;

  // Reads until each stream has brought `events_min` events.
  void ReadUntilAllHave(uint64_t events_min);
  void ReadFor(double seconds);

  // Of all streams.
  uint64_t event_count() const { return event_count_; }

 private:
  struct Reader {
    int fd = -1;
    uint64_t events = 0;
    char last = 0;  // byte of the last piece
  };

  // Waits for bytes once, and reads what has come.
  void ReadSome();
  void Read(Reader& reader);

  const int epoll_fd_;
  std::vector<Reader> readers_;
  std::string buffer_;
  uint64_t event_count_ = 0;
};

}  // namespace baton::bench
