#include "frontend/cli/serve_options.h"

#include "common/config/config_source.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton::frontend {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ServeOptions Read(const std::vector<std::string>& arguments) {
  ServeOptions options;
  OptionTable table("baton serve", "Serves.");
  DescribeOptions(table, options);
  const auto loaded = LoadConfig(table, arguments, [](const std::string&) { return std::nullopt; });
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return options;
}

std::string ValueOf(const std::vector<std::string>& arguments, const std::string& flag) {
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == flag) return arguments[i + 1];
  }
  return "";
}

TEST(ServeOptionsTest, TheDrainTimeGoesToEveryProgram) {
  const ServeOptions options = Read({"--drain-timeout", "1.5s"});
  EXPECT_EQ(ValueOf(FrontendArguments(options), "--shutdown-timeout"), "1500ms");
  EXPECT_EQ(ValueOf(RouterArguments(options), "--drain-timeout"), "1500ms");
  EXPECT_EQ(ValueOf(WorkerArguments(options, "m", 1), "--drain-timeout"), "1500ms");
}

TEST(ServeOptionsTest, ApiKeysKeepTheirCommasAndStayOutOfTheArguments) {
  const ServeOptions options = Read({"--api-key", "a,b", "c"});
  EXPECT_THAT(options.api_keys, ElementsAre("a,b", "c"));
  EXPECT_THAT(FrontendEnvironment(options), ElementsAre("BATON_API_KEY=a,b\nc"));
  EXPECT_THAT(FrontendArguments(options), Not(Contains(HasSubstr("a,b"))));
  EXPECT_THAT(FrontendEnvironment(Read({})), IsEmpty());
}

TEST(ServeOptionsTest, WorkersAreToldInTheSameWords) {
  const ServeOptions options =
      Read({"-tp", "2", "-q", "int8", "--max-model-len", "32k", "-dp", "3"});
  const std::vector<std::string> arguments = WorkerArguments(options, "m", 1);
  EXPECT_EQ(ValueOf(arguments, "--tensor-parallel-size"), "2");
  EXPECT_EQ(ValueOf(arguments, "--quantization"), "int8");
  EXPECT_EQ(ValueOf(arguments, "--max-model-len"), "32k");
  EXPECT_EQ(options.workers, 3);
  const auto auto_length = WorkerArguments(Read({"--max-model-len", "auto"}), "m", 1);
  EXPECT_THAT(auto_length, Not(Contains("--max-model-len")));
}

TEST(ServeOptionsTest, Float16IsComputedInFloat32) {
  EXPECT_EQ(ValueOf(WorkerArguments(Read({"--dtype", "half"}), "m", 1), "--dtype"), "float32");
  EXPECT_EQ(ValueOf(WorkerArguments(Read({"--dtype", "bfloat16"}), "m", 1), "--dtype"), "bfloat16");
  EXPECT_THAT(WorkerArguments(Read({}), "m", 1), Not(Contains("--dtype")));
}

TEST(ServeOptionsTest, LogprobsConcernWorkersAndFrontend) {
  const ServeOptions options = Read({"--max_logprobs", "-1", "--seed=7"});
  EXPECT_EQ(ValueOf(WorkerArguments(options, "m", 1), "--max-logprobs"), "-1");
  EXPECT_EQ(ValueOf(FrontendArguments(options), "--max-logprobs"), "-1");
  EXPECT_EQ(ValueOf(WorkerArguments(options, "m", 1), "--seed"), "7");
}

TEST(ServeOptionsTest, OriginsMayBeAListOfJson) {
  const auto arguments = FrontendArguments(Read({"--allowed-origins", R"(["https://a", "b"])"}));
  EXPECT_THAT(arguments, testing::IsSupersetOf({"https://a", "b"}));
}

TEST(ServeOptionsTest, FlagsOfVllmThatAreSettledAreAccepted) {
  const ServeOptions usual = Read({"--enforce-eager", "--enable-prefix-caching", "--runner",
                                   "generate", "--disable-log-requests"});
  EXPECT_THAT(*usual.fixed.Notes(), IsEmpty());
  const ServeOptions other = Read(
      {"--no-enable-prefix-caching", "--gpu-memory-utilization", "0.9", "--trust-remote-code"});
  EXPECT_THAT(*other.fixed.Notes(),
              ElementsAre("--no-enable-prefix-caching changes nothing here: prefixes are always "
                          "cached",
                          HasSubstr("--trust-remote-code"), HasSubstr("--kv-cache-memory-bytes")));
  EXPECT_THAT(Read({"--runner", "pooling"}).fixed.Notes().status().message(),
              HasSubstr("--runner pooling cannot be served"));
  EXPECT_THAT(*Read({"--no-enable-lora", "-pp", "1", "--revision", "main"}).fixed.Notes(),
              IsEmpty());
  EXPECT_THAT(Read({"--lora-modules", "a=b", "c=d"}).fixed.Notes().status().message(),
              HasSubstr("--lora-modules a=b c=d cannot be served: there are no adapters"));
  EXPECT_THAT(Read({"--enable-lora"}).fixed.Notes().status().message(),
              HasSubstr("--enable-lora cannot be served"));
  EXPECT_THAT(*Read({"--cudagraph-capture-sizes", "1", "2", "-asc", "4"}).fixed.Notes(),
              ElementsAre(HasSubstr("--api-server-count changes nothing"),
                          HasSubstr("--cudagraph-capture-sizes changes nothing")));
}

}  // namespace
}  // namespace baton::frontend
