#include "frontend/cli/model_path.h"

#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"

namespace baton::frontend {
namespace {

namespace fs = std::filesystem;

class ModelPathTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  void Touch(const std::string& path) const {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << "x";
  }

  std::string Resolve(const std::string& model) const {
    const auto path = ResolveModelPath(model, folder_.string());
    return path.ok() ? *path : std::string(path.status().message());
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / "baton-models";
};

TEST_F(ModelPathTest, APathThatExistsIsTakenAsItIs) {
  Touch("file.gguf");
  EXPECT_EQ(Resolve((folder_ / "file.gguf").string()), (folder_ / "file.gguf").string());
  EXPECT_EQ(Resolve(folder_.string()), folder_.string());
}

TEST_F(ModelPathTest, ANameIsItsOnlyGgufFileOrItsCheckpointFolder) {
  Touch("small/model.gguf");
  Touch("small/README.txt");
  Touch("big/config.json");
  EXPECT_EQ(Resolve("small"), (folder_ / "small/model.gguf").string());
  EXPECT_EQ(Resolve("big"), (folder_ / "big").string());
}

TEST_F(ModelPathTest, ErrorsSayWhatToDo) {
  Touch("two/a.gguf");
  Touch("two/b.gguf");
  EXPECT_NE(Resolve("absent").find("deploy/models.sh absent"), std::string::npos);
  EXPECT_NE(Resolve("two").find("holds 2 GGUF files"), std::string::npos);
  EXPECT_NE(Resolve("").find("no model"), std::string::npos);
}

}  // namespace
}  // namespace baton::frontend
