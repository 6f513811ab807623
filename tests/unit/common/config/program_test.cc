#include "common/config/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "common/base/build_info.h"
#include "common/base/status.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    table_.Add({.name = "speed", .help = "How fast."}, speed_);
    table_.AllowPositional("MODEL", 1);
  }

  std::optional<int> Read(std::vector<std::string> arguments) {
    CaptureStdout();
    CaptureStderr();
    const auto status = ReadOptions(
        table_, arguments,
        [this] { return speed_ < 0 ? InvalidArgument("--speed is negative") : absl::OkStatus(); },
        &positional_);
    output_ = GetCapturedStdout();
    errors_ = GetCapturedStderr();
    return status;
  }

  OptionTable table_{"baton test", "Tests."};
  int speed_ = 1;
  std::vector<std::string> positional_;
  std::string output_;
  std::string errors_;
};

TEST_F(ProgramTest, GoesOnWithGoodOptions) {
  EXPECT_EQ(Read({"that", "--speed", "5"}), std::nullopt);
  EXPECT_EQ(speed_, 5);
  EXPECT_THAT(positional_, ElementsAre("that"));
  EXPECT_EQ(output_ + errors_, "");
}

TEST_F(ProgramTest, AnswersHelpAndVersion) {
  EXPECT_EQ(Read({"--help"}), 0);
  EXPECT_THAT(output_, HasSubstr("--speed"));
  EXPECT_EQ(Read({"--version"}), 0);
  EXPECT_EQ(output_, "baton " + std::string(Version()) + "\n");
}

TEST_F(ProgramTest, SaysWhatIsWrong) {
  EXPECT_EQ(Read({"--sped", "5"}), kExitUsage);
  EXPECT_THAT(errors_, HasSubstr("baton test: command line: unknown option 'sped'"));
  EXPECT_EQ(Read({"--speed", "-5"}), kExitUsage);
  EXPECT_EQ(errors_, "baton test: --speed is negative\n");
}

TEST(RunProgramTest, PassesArgumentsAndCatchesWhatNobodyElseDid) {
  char name[] = "baton";
  char word[] = "word";
  char* argv[] = {name, word, nullptr};
  EXPECT_EQ(RunProgram("baton", 2, argv,
                       [](std::span<const std::string> arguments) {
                         return arguments.size() == 1 && arguments[0] == "word" ? 7 : 8;
                       }),
            7);
  CaptureStderr();
  EXPECT_EQ(RunProgram("baton", 2, argv,
                       [](std::span<const std::string>) -> int {
                         throw std::runtime_error("no such luck");
                       }),
            kExitFailure);
  EXPECT_EQ(GetCapturedStderr(), "baton: no such luck\n");
}

}  // namespace
}  // namespace baton
