#include "common/obs/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/json/json.h"
#include "common/obs/log_context.h"
#include "common/obs/trace_id.h"
#include "tests/fakes/fake_clock.h"

namespace baton {
namespace {

using testing::HasSubstr;

TEST(LogTest, TextQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(FormatLogBody(LogFormat::kText, "worker lost",
                          {{"worker", "w-1"},
                           {"why", "two words"},
                           {"n", 3},
                           {"ok", false},
                           {"empty", ""},
                           {"line", "a\nb"},
                           {"x", 0.5}}),
            R"(worker lost worker=w-1 why="two words" n=3 ok=false empty="" line="a\nb" x=0.5)");
}

TEST(LogTest, JsonBodyIsValidAndTyped) {
  const std::string body = FormatLogBody(LogFormat::kJson, "a \"quoted\" message",
                                         {{"n", uint64_t{18446744073709551615u}},
                                          {"nan", std::numeric_limits<double>::quiet_NaN()},
                                          {"err", Unavailable("gone")}});
  EXPECT_EQ(
      body,
      R"("msg":"a \"quoted\" message","n":18446744073709551615,"nan":"nan","err":"UNAVAILABLE: gone")");
  EXPECT_TRUE(ParseJson("{" + body + "}").ok());
}

TEST(LogTest, ContextsNestAndEndWithTheirScope) {
  LogContext outer("r-1", "t-1");
  {
    LogContext inner("r-2");
    EXPECT_EQ(FormatLogBody(LogFormat::kText, "m", {}), "m request_id=r-2");
  }
  EXPECT_EQ(FormatLogBody(LogFormat::kText, "m", {{"k", 1}}), "m request_id=r-1 trace_id=t-1 k=1");
}

TEST(LogTest, StartedLogWritesWholeJsonLinesWithLevelAndComponent) {
  StartLog({.component = "router", .level = LogLevel::kInfo, .format = LogFormat::kJson});
  testing::internal::CaptureStderr();
  LogDebug("hidden");
  LogInfo("shown", {{"port", 7}});
  FlushLog();
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_THAT(line, HasSubstr(R"("level":"info","component":"router","msg":"shown","port":7})"));
  EXPECT_TRUE(ParseJson(line).ok()) << line;
}

TEST(LogThrottleTest, LetsOneLineThroughPerInterval) {
  StartLog({.component = "router", .level = LogLevel::kInfo, .format = LogFormat::kText});
  FakeClock clock;
  LogThrottle throttle(std::chrono::seconds(5), clock);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 4; ++i) throttle.Warning("bad frame");
  clock.Advance(std::chrono::seconds(5));
  throttle.Warning("bad frame");
  FlushLog();
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_THAT(lines, HasSubstr("bad frame left_out=3"));
}

TEST(LogTest, NamesOfLevelsAndFormats) {
  EXPECT_EQ(*ParseLogLevel("warning"), LogLevel::kWarning);
  EXPECT_EQ(*ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_FALSE(ParseLogLevel("loud").ok());
  EXPECT_FALSE(ParseLogFormat("xml").ok());
}

TEST(TraceParentTest, ParsesAndRendersTheStandardsForm) {
  const std::string text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const std::optional<TraceParent> parent = TraceParent::Parse(text);
  ASSERT_TRUE(parent.has_value());
  EXPECT_EQ(parent->ToString(), text);
  EXPECT_TRUE(parent->sampled());
  const TraceParent child = parent->Child();
  EXPECT_EQ(child.trace_id(), parent->trace_id());
  EXPECT_NE(child.span_id(), parent->span_id());
  EXPECT_TRUE(TraceParent::Parse(TraceParent::Random().ToString()).has_value());
}

TEST(TraceParentTest, RefusesWhatTheStandardRefuses) {
  for (const char* bad : {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"}) {
    EXPECT_FALSE(TraceParent::Parse(bad).has_value()) << bad;
  }
  EXPECT_TRUE(
      TraceParent::Parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x").has_value());
}

TEST(RequestIdTest, OursAreValidAndClientsAreChecked) {
  EXPECT_TRUE(IsValidRequestId(NewRequestId()));
  EXPECT_NE(NewRequestId(), NewRequestId());
  EXPECT_TRUE(IsValidRequestId("Az0._:/+=-"));
  EXPECT_FALSE(IsValidRequestId(""));
  EXPECT_FALSE(IsValidRequestId("a b"));
  EXPECT_FALSE(IsValidRequestId("a\n"));
  EXPECT_FALSE(IsValidRequestId(std::string(129, 'a')));
}

}  // namespace
}  // namespace baton
