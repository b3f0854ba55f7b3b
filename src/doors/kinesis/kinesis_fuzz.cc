#include "access/signature_verifier.h"
#include "base/check.h"
#include "doors/kinesis/conversion.h"
#include "doors/kinesis/input.h"
#include "doors/kinesis/kinesis_door.h"

namespace kinesis = pinflow::doors::kinesis;
namespace http = pinflow::http;

namespace {

// What is read holds to the types of its shape, and printing what is wrong with it never fails.
void check_input(const kinesis::Input& input, const kinesis::Operation& operation) {
  if (!input.parsed || input.mismatch) return;
  const auto broken = kinesis::broken_constraints(operation.input, input.value);
  if (!broken && operation.name == "PutRecords") {
    const auto& records = input.value["Records"].list();
    CHECK(!records.empty() && records.size() <= 500, "a call is in its bounds");
    for (const auto& record : records) {
      CHECK(!record["PartitionKey"].text().empty(), "a record has a key");
      CHECK(record["Data"].text().size() <= 10U << 20, "a record is in its bounds");
      CHECK(kinesis::is_utf8(record["PartitionKey"].text()), "a key is text");
    }
  }
}

// Answers every call, so that the whole way of a request is run.
class Echo final : public kinesis::Operations {
 public:
  void run(kinesis::Call call, kinesis::AnswerDone done) override {
    CHECK(kinesis::find_operation(call.operation) != nullptr, "only operations that there are get here");
    done(kinesis::Answer{std::string(call.operation), nullptr});
  }
};

// The first line of the input is split at tabs: content type, target, authorization, query; the rest is the body.
void ask_door(std::string_view text) {
  Echo echo;
  kinesis::KinesisDoor door(echo, pinflow::Random(1), {});
  http::Request request;
  request.method = "POST";
  const auto line_end = std::min(text.find('\n'), text.size());
  auto line = text.substr(0, line_end);
  request.body = text.substr(std::min(line_end + 1, text.size()));
  for (const char* name : {"Content-Type", "X-Amz-Target", "Authorization", "X-Amz-Date", ""}) {
    const auto tab = std::min(line.find('\t'), line.size());
    const auto value = line.substr(0, tab);
    if (*name == '\0') {
      request.target = "/?" + std::string(value);
      const auto equals = std::min(value.find('='), value.size());
      request.query.emplace_back(value.substr(0, equals), value.substr(std::min(equals + 1, value.size())));
    } else if (!value.empty()) {
      request.headers.add(name, std::string(value));
    }
    line.remove_prefix(std::min(tab + 1, line.size()));
  }
  (void)kinesis::KinesisDoor::is_kinesis(request);
  int answers = 0;
  door.handle(std::move(request), [&](const http::Response& response) {
    ++answers;
    CHECK(response.status == 200 || response.status == 400 || response.status == 403 || response.status == 404,
          "an answer of the contract");
  });
  CHECK(answers == 1, "one answer");
}

}  // namespace

// The first byte says who reads the rest: a JSON body, a CBOR body, or the door a whole request.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto operations = kinesis::operations();
  const auto& operation = operations[data[0] / 4 % operations.size()];
  switch (data[0] % 4) {
    case 0: {
      const auto typed = kinesis::read_json(body, &operation.input);
      CHECK(typed.parsed || !kinesis::read_json(body, nullptr).parsed, "a shape refuses no JSON");
      check_input(typed, operation);
      break;
    }
    case 1:
      check_input(kinesis::read_cbor(body, &operation.input), operation);
      (void)kinesis::read_cbor(body, nullptr);
      break;
    default:
      ask_door(body);
  }
  return 0;
}
