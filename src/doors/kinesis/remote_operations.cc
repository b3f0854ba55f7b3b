#include "doors/kinesis/remote_operations.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "doors/kinesis/faults.h"
#include "doors/kinesis/input.h"
#include "doors/kinesis/input_writer.h"
#include "doors/kinesis/operations.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr const char* kJson = "application/x-amz-json-1.1";
constexpr const char* kCbor = "application/x-amz-cbor-1.1";

bool only_reads(std::string_view operation) {
  return operation.starts_with("Get") || operation.starts_with("List") || operation.starts_with("Describe");
}

// An error as services write it; some spell the message with a capital.
constexpr Shape kText{.type = Type::kString};
constexpr std::array kFaultMembers{Member{"__type", &kText}, Member{"message", &kText}, Member{"Message", &kText}};
constexpr Shape kFault{.type = Type::kStructure, .members = kFaultMembers};

// What a service says where it does not take the credentials of a call. They are ours, not those of the door's client.
constexpr std::array<std::string_view, 7> kAboutCredentials{
    "AccessDeniedException",      "ExpiredTokenException",     "IncompleteSignatureException",
    "InvalidClientTokenId",       "InvalidSignatureException", "MissingAuthenticationTokenException",
    "UnrecognizedClientException"};

}  // namespace

RemoteOperations::RemoteOperations(aws::ServiceClient& client, Logger& logger, RemoteOptions options)
    : client_(client), logger_(logger), pool_(options.threads, options.waiting_calls) {}

void RemoteOperations::run(Call call, AnswerDone done) {
  if (auto refused = KinesisOperations::refusal(call)) return done(std::unexpected(std::move(*refused)));
  if (call.operation == "GetRecords" && !access::may(call.caller, access::Right::kConsume, ""))
    return done(std::unexpected(access_denied(call, "*")));
  if (call.operation == "SubscribeToShard")
    return done(std::unexpected(invalid_argument(
        "SubscribeToShard is not passed on to another service; read with GetShardIterator and GetRecords.")));
  // Where the pool takes no more, the job is still here, and the answer with it.
  struct Waiting {
    Call call;
    AnswerDone done;
  };
  auto waiting = std::make_unique<Waiting>(std::move(call), std::move(done));
  Waiting* const held = waiting.get();
  JobPool::Job job = [this, waiting = std::move(waiting)](const std::stop_token&) {
    waiting->done(pass_on(waiting->call));
  };
  if (!pool_.try_submit(job)) held->done(std::unexpected(busy()));
}

std::expected<Answer, Fault> RemoteOperations::pass_on(const Call& call) {
  const bool json = call.encoding == Encoding::kJson;
  const std::string body = write_input(find_operation(call.operation)->input, call.input, call.encoding);
  auto response = client_.call(call.operation, json ? kJson : kCbor, body);
  if (!response) return std::unexpected(no_answer(call, response.error()));
  if (response->status == 200) return Answer{std::move(response->body), nullptr};
  return std::unexpected(fault_in(call, *response));
}

Fault RemoteOperations::no_answer(const Call& call, const Error& error) {
  logger_.warning("Kinesis gave no answer to a call that was passed on",
                  {{"endpoint", client_.address().endpoint}, {"operation", call.operation}, {"why", error.message}});
  if (error.code == ErrorCode::kInvalid || only_reads(call.operation)) {
    return {"ServiceUnavailable", fmt::format("{} cannot be asked: {}", client_.address().endpoint, error.message),
            503};
  }
  return {"InternalFailure",
          fmt::format("{} gave no answer; whether the call was carried out is not known: {}",
                      client_.address().endpoint, error.message),
          500};
}

Fault RemoteOperations::fault_in(const Call& call, const aws::HttpResponse& response) {
  const Input read =
      call.encoding == Encoding::kJson ? read_json(response.body, &kFault) : read_cbor(response.body, &kFault);
  Fault fault{"InternalFailure", "", response.status};
  if (read.parsed && !read.mismatch) {
    const auto text = [&](const char* member) { return std::string(read.value.text_of(member).value_or("")); };
    if (const std::string type = text("__type"); !type.empty()) fault.type = type.substr(type.find('#') + 1);
    fault.message = text("message").empty() ? text("Message") : text("message");
  } else {
    fault.message = fmt::format("{} answered {} without saying why", client_.address().endpoint, response.status);
  }
  if (fault.status < 400) fault.status = 500;  // What lies behind a redirect or such is no Kinesis.
  if (std::ranges::find(kAboutCredentials, fault.type) == kAboutCredentials.end()) return fault;
  logger_.warning("Kinesis refuses the credentials by which calls are passed on",
                  {{"endpoint", client_.address().endpoint},
                   {"operation", call.operation},
                   {"error", fault.type},
                   {"message", fault.message}});
  fault.message = fmt::format("{} refuses the credentials of this pinflow, not those of its client: {}",
                              client_.address().endpoint, fault.message);
  return fault;
}

}  // namespace pinflow::doors::kinesis
