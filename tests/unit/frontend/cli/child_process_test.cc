#include "frontend/cli/child_process.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

namespace baton::frontend {
namespace {

int ExitStatus(const ProcessSpec& spec) {
  const absl::StatusOr<pid_t> child = StartProcess(spec);
  if (!child.ok()) return -1;
  int status = 0;
  waitpid(*child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ChildProcessTest, VariablesOfTheChildReplaceOurs) {
  setenv("BATON_TEST_KEPT", "ours", 1);
  setenv("BATON_TEST_CHANGED", "ours", 1);
  const std::string script =
      "test \"$BATON_TEST_KEPT\" = ours && test \"$BATON_TEST_CHANGED\" = \"$(printf 'a,b\\nc')\" "
      "&& "
      "test \"$(env | grep -c ^BATON_TEST_CHANGED=)\" = 1";
  EXPECT_EQ(ExitStatus({.program = "/bin/sh",
                        .arguments = {"-c", script},
                        .inherited_fds = {},
                        .environment = {"BATON_TEST_CHANGED=a,b\nc"}}),
            0);
  unsetenv("BATON_TEST_KEPT");
  unsetenv("BATON_TEST_CHANGED");
}

TEST(ChildProcessTest, AProgramThatIsNotThereIsAnError) {
  EXPECT_EQ(StartProcess({.program = "/nonexistent", .arguments = {}, .inherited_fds = {}})
                .status()
                .code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace baton::frontend
