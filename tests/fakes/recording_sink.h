// A ResponseSink that keeps what it is given, and a client that leaves when the test says so.
//
// Threading: thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "frontend/http/http_types.h"

namespace baton::frontend {

class RecordingSink : public ResponseSink {
 public:
  void Respond(HttpResponse answer) override {
    std::lock_guard lock(mutex_);
    response = std::move(answer);
    ++ends;
  }
  void BeginStream(int status, HttpHeaders headers) override {
    std::lock_guard lock(mutex_);
    response.status = status;
    response.headers = std::move(headers);
    streaming = true;
  }
  bool Write(std::string_view bytes) override {
    std::lock_guard lock(mutex_);
    if (gone_) return false;
    response.body += bytes;
    return true;
  }
  void Finish() override {
    std::lock_guard lock(mutex_);
    ++ends;
  }
  void OnGone(std::function<void()> callback) override {
    std::lock_guard lock(mutex_);
    on_gone_ = std::move(callback);
  }

  void Leave() {
    std::function<void()> callback;
    {
      std::lock_guard lock(mutex_);
      gone_ = true;
      callback = on_gone_;
    }
    if (callback) callback();
  }

  HttpResponse response;
  bool streaming = false;
  int ends = 0;  // Respond or Finish

 private:
  std::mutex mutex_;
  std::function<void()> on_gone_;
  bool gone_ = false;
};

}  // namespace baton::frontend
