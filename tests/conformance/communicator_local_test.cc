#include "tests/conformance/communicator_conformance.h"
#include "worker/parallel/local_communicator.h"

namespace baton::worker {
namespace {

INSTANTIATE_TEST_SUITE_P(Local, CommunicatorConformance,
                         ::testing::Values(CommunicatorFactory{"local",
                                                               [](int size, Duration deadline) {
                                                                 return MakeLocalCommunicators(
                                                                     size, RealClock(), deadline);
                                                               }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace baton::worker
