#include "common/rpc/status_codec.h"

#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "common/base/status.h"
#include "common/base/strings.h"

namespace baton {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr size_t kMessageBytesMax = 2048;
constexpr char kRetryInfoUrl[] = "type.googleapis.com/google.rpc.RetryInfo";
constexpr char kBadRequestUrl[] = "type.googleapis.com/google.rpc.BadRequest";

// The google.rpc messages are written field by field: the distribution ships no generated code
// for them, and generating our own would register their names a second time in some programs.
// Status{code=1 message=2 details=3}, Any{type_url=1 value=2}, RetryInfo{retry_delay=1},
// Duration{seconds=1 nanos=2}, BadRequest{field_violations=1}, FieldViolation{field=1}.

std::string Serialize(const UnknownFieldSet& fields) {
  std::string bytes;
  fields.SerializeToString(&bytes);
  return bytes;
}

void AddDetail(UnknownFieldSet& status, const char* url, const UnknownFieldSet& value) {
  UnknownFieldSet any;
  any.AddLengthDelimited(1, url);
  any.AddLengthDelimited(2, Serialize(value));
  status.AddLengthDelimited(3, Serialize(any));
}

// The first length-delimited field with this number, parsed; null if there is none.
std::unique_ptr<UnknownFieldSet> Child(const UnknownFieldSet& fields, int number) {
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() != number || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    auto child = std::make_unique<UnknownFieldSet>();
    if (child->ParseFromString(field.length_delimited())) return child;
  }
  return nullptr;
}

std::string Text(const UnknownFieldSet& fields, int number) {
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() == number && field.type() == UnknownField::TYPE_LENGTH_DELIMITED) {
      return field.length_delimited();
    }
  }
  return {};
}

uint64_t Number(const UnknownFieldSet& fields, int number) {
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() == number && field.type() == UnknownField::TYPE_VARINT) {
      return field.varint();
    }
  }
  return 0;
}

std::string EncodeDetails(const absl::Status& status) {
  const std::optional<std::chrono::milliseconds> retry_after = RetryAfter(status);
  const std::optional<std::string> field = Field(status);
  if (!retry_after && !field) return {};
  UnknownFieldSet encoded;
  encoded.AddVarint(1, static_cast<uint64_t>(status.code()));
  if (retry_after) {
    const auto milliseconds = static_cast<uint64_t>(std::max<int64_t>(0, retry_after->count()));
    UnknownFieldSet delay;
    delay.AddVarint(1, milliseconds / 1000);
    delay.AddVarint(2, milliseconds % 1000 * 1'000'000);
    UnknownFieldSet info;
    info.AddLengthDelimited(1, Serialize(delay));
    AddDetail(encoded, kRetryInfoUrl, info);
  }
  if (field) {
    UnknownFieldSet violation;
    violation.AddLengthDelimited(1, *field);
    UnknownFieldSet request;
    request.AddLengthDelimited(1, Serialize(violation));
    AddDetail(encoded, kBadRequestUrl, request);
  }
  return Serialize(encoded);
}

absl::Status DecodeDetail(const UnknownFieldSet& any, absl::Status status) {
  const std::string url = Text(any, 1);
  const std::unique_ptr<UnknownFieldSet> value = Child(any, 2);
  const std::unique_ptr<UnknownFieldSet> inner = value ? Child(*value, 1) : nullptr;
  if (!inner) return status;
  if (url == kRetryInfoUrl) {
    const uint64_t milliseconds = Number(*inner, 1) * 1000 + Number(*inner, 2) / 1'000'000;
    return WithRetryAfter(std::move(status),
                          std::chrono::milliseconds(static_cast<int64_t>(milliseconds)));
  }
  if (url == kBadRequestUrl) return WithField(std::move(status), Text(*inner, 1));
  return status;
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message().substr(0, kMessageBytesMax)),
                      EncodeDetails(status));
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status decoded(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  UnknownFieldSet details;
  if (status.error_details().empty() || !details.ParseFromString(status.error_details())) {
    return decoded;
  }
  for (int i = 0; i < details.field_count(); ++i) {
    const UnknownField& field = details.field(i);
    UnknownFieldSet any;
    if (field.number() == 3 && field.type() == UnknownField::TYPE_LENGTH_DELIMITED &&
        any.ParseFromString(field.length_delimited())) {
      decoded = DecodeDetail(any, std::move(decoded));
    }
  }
  return decoded;
}

}  // namespace baton
