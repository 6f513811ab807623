#include "router/membership/worker_names.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton::router {
namespace {

using testing::ElementsAre;

absl::StatusOr<WorkerNames> Parse(std::vector<std::string> names) {
  return WorkerNames::Parse(names);
}

TEST(WorkerNamesTest, StaticNamesAreSortedAndUnique) {
  const WorkerNames names = Parse({"b:2", "a:1", "b:2"}).value();
  EXPECT_FALSE(names.dynamic());
  EXPECT_THAT(names.Resolve(), ElementsAre("a:1", "b:2"));
}

TEST(WorkerNamesTest, DnsNamesBecomeAddresses) {
  const WorkerNames names = Parse({"dns:///localhost:7000", "10.0.0.1:7000"}).value();
  EXPECT_TRUE(names.dynamic());
  EXPECT_THAT(names.Resolve(), testing::IsSupersetOf({"10.0.0.1:7000", "127.0.0.1:7000"}));
}

TEST(WorkerNamesTest, ANameThatDoesNotResolveIsLeftOut) {
  EXPECT_THAT(Parse({"dns:///no-such-host.invalid:7000", "a:1"})->Resolve(), ElementsAre("a:1"));
}

TEST(WorkerNamesTest, RefusesWhatIsNoAddress) {
  for (const char* name :
       {"", "host", "host:", ":1", "host:0", "host:70000", "host:x", "dns:///h"}) {
    const absl::Status status = Parse({name}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST(WorkerNamesTest, TheNumberOfWorkersIsBounded) {
  std::vector<std::string> many;
  for (size_t i = 0; i < WorkerNames::kAddressesMax + 5; ++i) {
    many.push_back("host" + std::to_string(i) + ":1");
  }
  EXPECT_EQ(Parse(many)->Resolve().size(), WorkerNames::kAddressesMax);
}

}  // namespace
}  // namespace baton::router
