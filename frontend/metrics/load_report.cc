#include "frontend/metrics/load_report.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kFormatHeader = "endpoint-load-metrics-format";

// Of the samples of one gauge.
struct Samples {
  double sum = 0;
  int count = 0;
};

Samples SamplesOf(std::string_view page, std::string_view gauge) {
  Samples samples;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(page), '\n')) {
    if (!absl::StartsWith(line, ToAbsl(gauge))) continue;
    const absl::string_view rest = line.substr(gauge.size());
    double value = 0;
    const size_t space = rest.rfind(' ');
    const bool is_sample = !rest.empty() && (rest[0] == '{' || rest[0] == ' ');
    if (!is_sample || !absl::SimpleAtod(rest.substr(space + 1), &value)) continue;
    samples.sum += value;
    ++samples.count;
  }
  return samples;
}

// As Python writes a float: there is always a point.
std::string Decimal(double value) {
  std::string text = absl::StrCat(value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

class ReportingSink final : public ResponseSink {
 public:
  ReportingSink(std::string format, std::shared_ptr<ResponseSink> sink, PeerMetrics& peers)
      : format_(std::move(format)), sink_(std::move(sink)), peers_(peers) {}

  void Respond(HttpResponse response) override {
    const bool reports = response.status == 200 && LoadReport(format_, {}).has_value();
    if (!reports) return sink_->Respond(std::move(response));
    auto kept = std::make_shared<HttpResponse>(std::move(response));
    peers_.Collect([format = format_, sink = sink_, kept](const std::string& page) {
      if (const auto load = LoadOfPage(page)) {
        kept->headers.emplace_back("endpoint-load-metrics", *LoadReport(format, *load));
      }
      sink->Respond(std::move(*kept));
    });
  }
  void BeginStream(int status, HttpHeaders headers) override {
    sink_->BeginStream(status, std::move(headers));
  }
  bool Write(std::string_view bytes) override { return sink_->Write(bytes); }
  void Finish() override { sink_->Finish(); }
  void OnGone(std::function<void()> callback) override { sink_->OnGone(std::move(callback)); }

 private:
  const std::string format_;
  const std::shared_ptr<ResponseSink> sink_;
  PeerMetrics& peers_;
};

}  // namespace

std::optional<FleetLoad> LoadOfPage(std::string_view page) {
  const Samples waiting = SamplesOf(page, "vllm:num_requests_waiting");
  const Samples usage = SamplesOf(page, "vllm:kv_cache_usage_perc");
  if (usage.count == 0) return std::nullopt;
  return FleetLoad{.requests_waiting = waiting.sum, .kv_cache_usage = usage.sum / usage.count};
}

std::optional<std::string> LoadReport(std::string_view format, const FleetLoad& load) {
  const std::string waiting = Decimal(load.requests_waiting);
  const std::string usage = Decimal(load.kv_cache_usage);
  if (absl::EqualsIgnoreCase(ToAbsl(format), "text")) {
    return absl::StrCat("TEXT named_metrics.num_requests_waiting=", waiting,
                        ", named_metrics.kv_cache_usage_perc=", usage);
  }
  if (absl::EqualsIgnoreCase(ToAbsl(format), "json")) {
    return absl::StrCat("JSON {\"named_metrics\": {\"num_requests_waiting\": ", waiting,
                        ", \"kv_cache_usage_perc\": ", usage, "}}");
  }
  return std::nullopt;
}

std::shared_ptr<ResponseSink> WithLoadReport(const HttpRequest& request,
                                             std::shared_ptr<ResponseSink> sink,
                                             PeerMetrics* peers) {
  const auto format = FindHeader(request.headers, kFormatHeader);
  if (!format.has_value() || peers == nullptr) return sink;
  return std::make_shared<ReportingSink>(std::string(*format), std::move(sink), *peers);
}

}  // namespace baton::frontend
