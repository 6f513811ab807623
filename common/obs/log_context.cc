#include "common/obs/log_context.h"

namespace baton {
namespace {

thread_local const LogContext* current_context = nullptr;

}  // namespace

LogContext::LogContext(std::string_view request_id, std::string_view trace_id)
    : request_id_(request_id), trace_id_(trace_id), outer_(current_context) {
  current_context = this;
}

LogContext::~LogContext() { current_context = outer_; }

const LogContext* LogContext::Current() { return current_context; }

}  // namespace baton
