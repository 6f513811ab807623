#include "frontend/cli/openai_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/json/json.h"
#include "frontend/cli/sse_events.h"

namespace baton::frontend {
namespace {

constexpr long kConnectTimeoutMs = 10'000;
constexpr int kPollMs = 60'000;
constexpr size_t kBodyBytesMax = 4 << 20;

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

bool IsOnThisMachine(const std::string& url) {
  const size_t scheme = url.find("://");
  const std::string rest = scheme == std::string::npos ? url : url.substr(scheme + 3);
  for (const char* prefix : {"localhost", "127.", "[::1]"}) {
    if (rest.rfind(prefix, 0) == 0) return true;
  }
  return false;
}

absl::Status StatusOfHttp(long http_status, const std::string& message) {
  switch (http_status) {
    case 401:
    case 403:
      return Unauthenticated(message);
    case 404:
      return NotFound(message);
    case 429:
      return ResourceExhausted(message);
    default:
      return http_status < 500 ? InvalidArgument(message) : Internal(message);
  }
}

absl::Status CheckEndpoint(const OpenAiEndpoint& endpoint) {
  const bool printable = std::all_of(endpoint.api_key.begin(), endpoint.api_key.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  });
  if (!printable) return InvalidArgument("the API key contains a control character");
  return absl::OkStatus();
}

}  // namespace

// One request and its answer.
class OpenAiClient::Transfer {
 public:
  Transfer(const OpenAiEndpoint& endpoint, const std::string& path) {
    url_ = endpoint.base_url;
    while (!url_.empty() && url_.back() == '/') url_.pop_back();
    url_ += path;
    Set(CURLOPT_URL, url_.c_str());
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    Set(CURLOPT_TCP_NODELAY, 1L);
    Set(CURLOPT_USERAGENT, "baton");
    if (IsOnThisMachine(url_)) Set(CURLOPT_NOPROXY, "*");
    Set(CURLOPT_ERRORBUFFER, error_);
    Set(CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy_.get(), CURLOPT_WRITEFUNCTION, &Transfer::OnBytes);
    AddHeader(absl::StrCat("Authorization: Bearer ", endpoint.api_key));
  }

  void Post(const std::string& body) {
    AddHeader("Content-Type: application/json");
    AddHeader("Expect:");  // send the body at once
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    Set(CURLOPT_POSTFIELDS, body.c_str());
  }

  // Events go to `on_piece` from now on; without it the body is kept.
  void ReadEvents(const OnPiece& on_piece) { on_piece_ = &on_piece; }

  absl::StatusOr<StreamEnd> Run(InterruptSignal& interrupt) {
    Set(CURLOPT_HTTPHEADER, headers_.get());
    const std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi(curl_multi_init(),
                                                              curl_multi_cleanup);
    curl_multi_add_handle(multi.get(), easy_.get());
    bool interrupted = false;
    int running = 1;
    while (running > 0 && !interrupted) {
      if (curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
      if (running == 0) break;
      curl_waitfd waiting = {interrupt.fd(), CURL_WAIT_POLLIN, 0};
      curl_multi_poll(multi.get(), &waiting, 1, kPollMs, nullptr);
      interrupted = interrupt.Take();
    }
    CURLcode result = CURLE_OK;
    int queued = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &queued)) {
      if (message->msg == CURLMSG_DONE) result = message->data.result;
    }
    curl_multi_remove_handle(multi.get(), easy_.get());
    if (interrupted) return StreamEnd::kInterrupted;
    RETURN_IF_ERROR(Outcome(result));
    return StreamEnd::kComplete;
  }

  const std::string& body() const { return body_; }

 private:
  template <typename T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  void AddHeader(const std::string& header) {
    headers_.reset(curl_slist_append(headers_.release(), header.c_str()));
  }

  static size_t OnBytes(char* data, size_t size, size_t count, void* self) {
    const size_t bytes = size * count;
    return static_cast<Transfer*>(self)->Take(std::string_view(data, bytes)) ? bytes : 0;
  }

  long http_status() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  // False ends the transfer.
  bool Take(std::string_view bytes) {
    if (on_piece_ == nullptr || http_status() != 200) {
      if (body_.size() + bytes.size() > kBodyBytesMax) return false;
      body_.append(bytes);
      return true;
    }
    for (const std::string& payload : events_.Consume(bytes)) {
      if (payload == "[DONE]") {
        done_ = true;
        continue;
      }
      const absl::StatusOr<ReplyPiece> piece = ParseReplyPiece(payload);
      if (!piece.ok()) {
        failure_ = piece.status();
        return false;
      }
      (*on_piece_)(*piece);
    }
    return !events_.overflowed();
  }

  absl::Status Outcome(CURLcode result) const {
    RETURN_IF_ERROR(failure_);
    const long status = http_status();
    if (status == 0) {
      return Unavailable(absl::StrCat("cannot reach ", url_, ": ",
                                      error_[0] != '\0' ? error_ : curl_easy_strerror(result)));
    }
    if (status != 200) {
      const std::string message = ErrorMessage(body_);
      return StatusOfHttp(status,
                          message.empty() ? absl::StrCat(url_, " answered ", status) : message);
    }
    const bool cut = result != CURLE_OK || (on_piece_ != nullptr && !done_);
    if (cut) return Unavailable("the server ended the reply early");
    return absl::OkStatus();
  }

  std::string url_;
  const std::unique_ptr<CURL, CurlDeleter> easy_{curl_easy_init()};
  std::unique_ptr<curl_slist, CurlDeleter> headers_;
  char error_[CURL_ERROR_SIZE] = {};
  const OnPiece* on_piece_ = nullptr;
  SseEvents events_;
  std::string body_;
  bool done_ = false;
  absl::Status failure_;
};

OpenAiClient::OpenAiClient(OpenAiEndpoint endpoint, InterruptSignal& interrupt)
    : endpoint_(std::move(endpoint)), interrupt_(interrupt) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

OpenAiClient::~OpenAiClient() { curl_global_cleanup(); }

absl::StatusOr<std::string> OpenAiClient::FirstModel() {
  RETURN_IF_ERROR(CheckEndpoint(endpoint_));
  Transfer transfer(endpoint_, "/models");
  ASSIGN_OR_RETURN(const StreamEnd end, transfer.Run(interrupt_));
  if (end == StreamEnd::kInterrupted) return Cancelled("interrupted");
  const absl::StatusOr<Json> list = ParseJson(transfer.body());
  const absl::StatusOr<const Json*> models =
      list.ok() ? GetArray(*list, "data") : absl::StatusOr<const Json*>(list.status());
  if (!models.ok()) return Internal(endpoint_.base_url + " does not list models as OpenAI does");
  if ((*models)->empty()) return NotFound(endpoint_.base_url + " serves no model");
  return GetString((*models)->front(), "id");
}

absl::StatusOr<OpenAiClient::StreamEnd> OpenAiClient::Stream(const std::string& path,
                                                             const std::string& body,
                                                             const OnPiece& on_piece) {
  RETURN_IF_ERROR(CheckEndpoint(endpoint_));
  Transfer transfer(endpoint_, path);
  transfer.Post(body);
  transfer.ReadEvents(on_piece);
  return transfer.Run(interrupt_);
}

}  // namespace baton::frontend
