#include "frontend/cli/http_transfers.h"

#include <curl/curl.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace baton::frontend {
namespace {

constexpr size_t kBodyBytesMax = 1 << 30;
constexpr long kConnectTimeoutMs = 10'000;
constexpr int kPollMs = 60'000;

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// One request under way.
class Transfer {
 public:
  Transfer(const HttpTransfer& request, size_t index) : index_(index), easy_(curl_easy_init()) {
    Set(CURLOPT_URL, request.url.c_str());
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    Set(CURLOPT_USERAGENT, "baton");
    Set(CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    Set(CURLOPT_ERRORBUFFER, error_);
    if (!request.unix_socket.empty()) Set(CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
    if (!request.api_key.empty()) AddHeader("Authorization: Bearer " + request.api_key);
    SetMethod(request);
    Set(CURLOPT_HTTPHEADER, headers_.get());
    Set(CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy_.get(), CURLOPT_WRITEFUNCTION, &Transfer::OnBytes);
  }

  CURL* handle() const { return easy_.get(); }
  size_t index() const { return index_; }

  HttpOutcome Outcome(CURLcode result) {
    HttpOutcome outcome;
    if (result == CURLE_OK) {
      curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &outcome.status);
      outcome.body = std::move(body_);
    } else {
      outcome.body = error_[0] != '\0' ? error_ : curl_easy_strerror(result);
    }
    return outcome;
  }

 private:
  template <typename T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  void SetMethod(const HttpTransfer& request) {
    if (request.method == HttpTransfer::Method::kGet) {
      Set(CURLOPT_FOLLOWLOCATION, 1L);
      return;
    }
    const bool is_post = request.method == HttpTransfer::Method::kPost;
    AddHeader("Expect:");  // send the body at once
    AddHeader(is_post ? "Content-Type: application/json" : "Content-Type: text/plain");
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    Set(CURLOPT_POSTFIELDS, request.body.c_str());
    if (!is_post) Set(CURLOPT_CUSTOMREQUEST, "PUT");
  }

  void AddHeader(const std::string& header) {
    headers_.reset(curl_slist_append(headers_.release(), header.c_str()));
  }

  static size_t OnBytes(char* data, size_t size, size_t count, void* self) {
    std::string& body = static_cast<Transfer*>(self)->body_;
    if (body.size() + size * count > kBodyBytesMax) return 0;
    body.append(data, size * count);
    return size * count;
  }

  const size_t index_;
  const std::unique_ptr<CURL, CurlDeleter> easy_;
  std::unique_ptr<curl_slist, CurlDeleter> headers_;
  char error_[CURL_ERROR_SIZE] = {};
  std::string body_;
};

}  // namespace

void HttpTransfers::Run(std::span<const HttpTransfer> requests, const OnDone& on_done) const {
  const std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi(curl_multi_init(), curl_multi_cleanup);
  std::map<CURL*, std::unique_ptr<Transfer>> under_way;
  size_t next = 0;
  while (next < requests.size() || !under_way.empty()) {
    while (next < requests.size() && under_way.size() < std::max<size_t>(concurrency_, 1)) {
      auto transfer = std::make_unique<Transfer>(requests[next], next);
      ++next;
      curl_multi_add_handle(multi.get(), transfer->handle());
      under_way.emplace(transfer->handle(), std::move(transfer));
    }
    int running = 0;
    curl_multi_perform(multi.get(), &running);
    int queued = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi.get(), &queued)) {
      const CURLcode result = message->data.result;
      const auto ended = under_way.find(message->easy_handle);
      curl_multi_remove_handle(multi.get(), ended->first);
      on_done(ended->second->index(), ended->second->Outcome(result));
      under_way.erase(ended);
    }
    const bool is_full = under_way.size() >= std::max<size_t>(concurrency_, 1);
    if (running > 0 && (is_full || next == requests.size())) {
      curl_multi_poll(multi.get(), nullptr, 0, kPollMs, nullptr);
    }
  }
}

HttpOutcome RunTransfer(const HttpTransfer& request) {
  HttpOutcome outcome;
  HttpTransfers(1).Run(std::span(&request, 1),
                       [&](size_t, HttpOutcome done) { outcome = std::move(done); });
  return outcome;
}

}  // namespace baton::frontend
