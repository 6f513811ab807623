#include "worker/executor/plan_codec.h"

#include <cstring>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::worker {
namespace {

// "BTNPLAN" and a version.
constexpr uint64_t kMagic = 0x0231'4e4c'504e'5442;

template <typename T>
void Append(const T& value, std::string& to) {
  static_assert(std::is_trivially_copyable_v<T>);
  to.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

template <typename T>
void AppendAll(const std::vector<T>& values, std::string& to) {
  static_assert(std::is_trivially_copyable_v<T>);
  Append(uint64_t{values.size()}, to);
  to.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  absl::Status Read(T& value) {
    if (bytes_.size() < sizeof(T)) return Short(sizeof(T));
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return absl::OkStatus();
  }

  template <typename T>
  absl::Status ReadAll(std::vector<T>& values) {
    uint64_t count = 0;
    RETURN_IF_ERROR(Read(count));
    if (count > bytes_.size() / sizeof(T)) return Short(count);
    values.resize(count);
    if (count == 0) return absl::OkStatus();
    std::memcpy(static_cast<void*>(values.data()), bytes_.data(), count * sizeof(T));
    bytes_.remove_prefix(count * sizeof(T));
    return absl::OkStatus();
  }

  bool AtEnd() const { return bytes_.empty(); }

 private:
  absl::Status Short(uint64_t wanted) const {
    return Internal(absl::StrCat("parse step plan: ", bytes_.size(), " bytes left/", wanted));
  }

  std::string_view bytes_;
};

}  // namespace

std::string SerializePlan(const StepPlan& plan) {
  std::string bytes;
  Append(kMagic, bytes);
  Append(plan.step, bytes);
  AppendAll(plan.copies, bytes);
  AppendAll(plan.rows, bytes);
  AppendAll(plan.tokens, bytes);
  AppendAll(plan.blocks, bytes);
  return bytes;
}

absl::StatusOr<StepPlan> ParsePlan(std::string_view bytes) {
  Reader reader(bytes);
  StepPlan plan;
  uint64_t magic = 0;
  RETURN_IF_ERROR(reader.Read(magic));
  if (magic != kMagic) return Internal("parse step plan: it is none of this version");
  RETURN_IF_ERROR(reader.Read(plan.step));
  RETURN_IF_ERROR(reader.ReadAll(plan.copies));
  RETURN_IF_ERROR(reader.ReadAll(plan.rows));
  RETURN_IF_ERROR(reader.ReadAll(plan.tokens));
  RETURN_IF_ERROR(reader.ReadAll(plan.blocks));
  if (!reader.AtEnd()) return Internal("parse step plan: bytes follow its end");
  return plan;
}

}  // namespace baton::worker
