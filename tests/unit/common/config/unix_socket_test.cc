#include "common/config/unix_socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/config/listen_address.h"
#include "tests/fakes/scratch_dir.h"

namespace baton {
namespace {

class UnixSocketTest : public ::testing::Test {
 protected:
  ScratchDir folder_{"uds"};
  const std::string path_ = (folder_.path() / "api.sock").string();
};

TEST_F(UnixSocketTest, ListensAndCanBeHandedOver) {
  const auto fd = OpenUnixSocket(path_);
  ASSERT_TRUE(fd.ok()) << fd.status();
  EXPECT_TRUE(std::filesystem::is_socket(path_));
  const auto adopted = ListenSocket::Open({.host = "", .port = 0, .inherited_fd = *fd});
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_EQ(OpenUnixSocket(path_).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(UnixSocketTest, ReplacesWhatADeadServerLeft) {
  const auto first = OpenUnixSocket(path_);
  ASSERT_TRUE(first.ok());
  close(*first);
  EXPECT_TRUE(std::filesystem::exists(path_));
  const auto second = OpenUnixSocket(path_);
  ASSERT_TRUE(second.ok()) << second.status();
  RemoveUnixSocket(path_);
  EXPECT_FALSE(std::filesystem::exists(path_));
  close(*second);
}

TEST_F(UnixSocketTest, LeavesOtherFilesAlone) {
  std::ofstream(path_) << "mine";
  EXPECT_EQ(OpenUnixSocket(path_).status().code(), absl::StatusCode::kUnavailable);
  RemoveUnixSocket(path_);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, RefusesPathsThatCannotBe) {
  for (const std::string& path : {std::string(), "/" + std::string(200, 'x')}) {
    EXPECT_EQ(OpenUnixSocket(path).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(OpenUnixSocket((folder_.path() / "no" / "folder").string()).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace baton
