// A real server on a loopback port with the handlers that the tests speak to.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "frontend/http/http_server.h"
#include "tests/conformance/http/raw_client.h"
#include "tests/fakes/fake_clock.h"

namespace baton::frontend {

// Something that tests wait for, with a deadline.
class Signal {
 public:
  void Set() {
    std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool WaitFor(int count = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return count_ >= count; });
  }
  int count() const {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

// Holds the sinks of requests that a test answers itself.
class HeldSinks {
 public:
  void Add(HttpRequest request, std::shared_ptr<ResponseSink> sink) {
    std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    sinks_.push_back(std::move(sink));
    changed_.notify_all();
  }
  // The `index`th request that came, once it has.
  std::shared_ptr<ResponseSink> Wait(size_t index = 0) {
    std::unique_lock lock(mutex_);
    const bool came =
        changed_.wait_for(lock, std::chrono::seconds(10), [&] { return sinks_.size() > index; });
    return came ? sinks_[index] : nullptr;
  }
  HttpRequest request(size_t index = 0) {
    std::lock_guard lock(mutex_);
    return requests_[index];
  }
  size_t size() {
    std::lock_guard lock(mutex_);
    return sinks_.size();
  }
  void Drop() {
    std::vector<std::shared_ptr<ResponseSink>> dropped;
    std::lock_guard lock(mutex_);
    std::swap(dropped, sinks_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<HttpRequest> requests_;
  std::vector<std::shared_ptr<ResponseSink>> sinks_;
};

class HttpFixture : public ::testing::Test {
 protected:
  HttpFixture() {
    options_.host = "127.0.0.1";
    options_.port = 0;
    options_.handler_thread_count = 2;
    options_.hooks.count = [this](HttpEvent event) { Event(event).Set(); };
    options_.hooks.access = [this](const AccessRecord& record) {
      {
        std::lock_guard lock(records_mutex_);
        records_.push_back(record);
      }
      recorded_.Set();
    };
  }

  ~HttpFixture() override {
    server_.reset();
    held_.Drop();
  }

  void StartServer(Clock& clock = RealClock()) {
    auto server = HttpServer::Start(options_, Routes(), clock);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  RouteTable Routes() {
    RouteTable routes;
    const auto add = [&](std::string_view method, std::string_view path, HttpHandler handler) {
      ASSERT_TRUE(routes.Add(method, path, std::move(handler)).ok());
    };
    add("GET", "/hello", [](HttpRequest, std::shared_ptr<ResponseSink> sink) {
      sink->Respond({200, {{"content-type", "text/plain"}}, "hello"});
    });
    add("POST", "/echo", [](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
      sink->Respond({200, {}, std::move(request.body)});
    });
    add("GET", "/models/{model*}", [](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
      sink->Respond({200, {}, request.path_parameters.at(0) + "?" + request.query});
    });
    add("GET", "/header", [](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
      std::string value(FindHeader(request.headers, "x-test").value_or("none"));
      sink->Respond({200, {{"x-back", value}}, value});
    });
    add("GET", "/throw",
        [](HttpRequest, std::shared_ptr<ResponseSink>) { throw std::runtime_error("secret"); });
    add("GET", "/drop", [](HttpRequest, std::shared_ptr<ResponseSink>) {});
    add("GET", "/stream", [](HttpRequest, std::shared_ptr<ResponseSink> sink) {
      sink->BeginStream(200, {{"content-type", "text/event-stream"}});
      for (const char* word : {"one ", "two ", "three"}) sink->Write(word);
      sink->Finish();
    });
    for (const char* method : {"GET", "POST"}) {
      add(method, "/held", [this](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
        held_.Add(std::move(request), std::move(sink));
      });
    }
    return routes;
  }

  RawClient Connect() { return RawClient(server_->port()); }

  // Sends `bytes` on a connection of its own and returns the one answer.
  RawAnswer Ask(const std::string& bytes) {
    RawClient client = Connect();
    EXPECT_TRUE(client.Send(bytes));
    return client.Read();
  }

  Signal& Event(HttpEvent event) { return events_[static_cast<size_t>(event)]; }

  std::vector<AccessRecord> records() {
    std::lock_guard lock(records_mutex_);
    return records_;
  }

  FakeClock fake_clock_;  // first: the server, which a test may give it to, must not outlive it
  HttpServerOptions options_;
  HeldSinks held_;
  Signal recorded_;
  std::unique_ptr<HttpServer> server_;

 private:
  std::array<Signal, kHttpEventCount> events_;
  std::mutex records_mutex_;
  std::vector<AccessRecord> records_;
};

}  // namespace baton::frontend
