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

}  // namespace
}  // namespace baton::frontend
