#include "doors/kinesis/kinesis_door.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/base64.h"
#include "base/uuid.h"
#include "doors/kinesis/event_stream.h"
#include "doors/kinesis/input.h"
#include "doors/kinesis/signature_check.h"

namespace pinflow::doors::kinesis {

namespace {

using http::Headers;
using http::Request;
using http::Responder;
using http::Response;

constexpr ByteCount kMaxBody{std::uint64_t{14} << 20};
constexpr std::string_view kJson = "application/x-amz-json-1.1";
constexpr std::string_view kCbor = "application/x-amz-cbor-1.1";
constexpr std::string_view kPlainJson = "application/json";
constexpr std::string_view kService = "Kinesis_20131202";

enum class Content { kJson, kCbor, kPlainJson, kOther };

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(a) == lower(b);
  });
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

Content content_of(const Request& request) {
  auto type = request.headers.get("Content-Type").value_or("");
  type = trimmed(type.substr(0, type.find(';')));
  // Some templates leave the "application/" away.
  const auto is = [&](std::string_view known) {
    return equal_ignoring_case(type, known) || equal_ignoring_case(type, known.substr(known.find('/') + 1));
  };
  if (is(kJson)) return Content::kJson;
  if (is(kCbor)) return Content::kCbor;
  return equal_ignoring_case(type, kPlainJson) ? Content::kPlainJson : Content::kOther;
}

// What a request asks for.
struct Target {
  bool named = false;
  const Operation* operation = nullptr;  // Null: none that there is.
};

Target target_of(const Request& request) {
  const auto header = request.headers.get("X-Amz-Target").value_or("");
  if (!header.empty()) {
    const auto dot = std::min(header.find('.'), header.size());
    const bool ours = header.substr(0, dot) == kService && dot < header.size();
    // A service without an operation behind its dot names none.
    return {dot + 1 != header.size(), ours ? find_operation(header.substr(dot + 1)) : nullptr};
  }
  const auto action = request.query_value("Action").value_or("");
  return {!action.empty(), find_operation(action)};
}

Response reply(int status, Headers headers, std::string_view content_type, std::string body) {
  Response response;
  response.status = status;
  response.headers = std::move(headers);
  if (!content_type.empty()) response.headers.add("Content-Type", std::string(content_type));
  response.body = std::move(body);
  return response;
}

Response denied(Headers headers) {
  return reply(403, std::move(headers), "",
               "<AccessDeniedException>\n"
               "  <Message>Unable to determine service/operation name to be authorized</Message>\n"
               "</AccessDeniedException>\n");
}

// An error in the form of the encoding. SerializationException writes its message with a capital.
Response reply(const Fault& fault, Headers headers, Encoding encoding) {
  Writer body(encoding);
  body.begin_structure().member("__type").text(fault.type);
  if (!fault.message.empty()) {
    body.member(fault.type == "SerializationException" ? "Message" : "message").text(fault.message);
  }
  body.end_structure();
  if (fault.status == 503) headers.add("Retry-After", "1");
  return reply(fault.status, std::move(headers), encoding == Encoding::kJson ? kJson : kCbor, std::move(body).take());
}

// Bodies of plain JSON get no further than this.
Response plain_json_reply(Headers headers, bool parsed) {
  const auto body = [](std::string_view type) {
    return R"({"Output":{"__type":"com.amazon.coral.service#)" + std::string(type) + R"("},"Version":"1.0"})";
  };
  return parsed ? reply(404, std::move(headers), kPlainJson, body("UnknownOperationException"))
                : reply(400, std::move(headers), kPlainJson, body("SerializationException"));
}

Response answer_reply(Answer answer, Headers headers, Encoding encoding) {
  if (!answer.events) {
    return reply(200, std::move(headers), encoding == Encoding::kJson ? kJson : kCbor, std::move(answer.body));
  }
  auto response = reply(200, std::move(headers), "application/vnd.amazon.eventstream", "");
  response.body_stream = event_body(std::move(answer.events));
  return response;
}

Response preflight_reply(const Request& request, Headers headers) {
  headers.add("Access-Control-Max-Age", "172800");
  if (const auto wanted = request.headers.get("Access-Control-Request-Headers")) {
    headers.add("Access-Control-Allow-Headers", std::string(*wanted));
  }
  if (const auto wanted = request.headers.get("Access-Control-Request-Method")) {
    headers.add("Access-Control-Allow-Methods", std::string(*wanted));
  }
  return reply(200, std::move(headers), "", "");
}

std::uint64_t records_of(const Operation& operation, const Value& input) {
  if (operation.name == "PutRecord") return 1;
  return operation.name == "PutRecords" ? input["Records"].list().size() : 0;
}

}  // namespace

KinesisDoor::KinesisDoor(Operations& operations, Random random, KinesisDoorOptions options)
    : operations_(operations), random_(random), options_(std::move(options)) {}

bool KinesisDoor::is_kinesis(const Request& head) {
  if (!head.segments.empty()) return false;
  if (head.method == "OPTIONS") {
    return head.headers.get("Access-Control-Request-Headers").value_or("").contains("x-amz-");
  }
  if (head.method != "POST") return false;
  return head.headers.get("X-Amz-Target") || head.query_value("Action") || head.query_value("X-Amz-Algorithm") ||
         head.headers.get("Authorization").value_or("").starts_with("AWS4-") ||
         head.headers.get("Content-Type").value_or("").contains("x-amz-");
}

http::Admission KinesisDoor::admit(Request&) {
  http::Admission admission;
  admission.max_body = kMaxBody;
  return admission;
}

Headers KinesisDoor::answer_headers(const Request& request) {
  Headers headers;
  headers.add("x-amzn-RequestId", Uuid::random(random_).to_string());
  const bool from_page = options_.cors && request.headers.get("Origin");
  if (!from_page || request.method != "OPTIONS") {
    std::array<std::uint64_t, 9> noise;
    for (auto& word : noise) word = random_();
    headers.add("x-amz-id-2", base64_encode({reinterpret_cast<const char*>(noise.data()), sizeof(noise)}));
  }
  if (!from_page) return headers;
  headers.add("Access-Control-Allow-Origin", "*");
  if (request.method != "OPTIONS") {
    headers.add("Access-Control-Expose-Headers",
                "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date");
  }
  return headers;
}

// The order of checks is AWS's; each has its own form of answer (docs/kinesis.md, "Order of checks").
void KinesisDoor::handle(Request request, Responder respond) {
  Headers headers = answer_headers(request);
  if (request.method == "OPTIONS" && options_.cors && request.headers.get("Origin")) {
    return respond(preflight_reply(request, std::move(headers)));
  }
  if (request.method != "POST") return respond(denied(std::move(headers)));
  const Content content = content_of(request);
  const Target target = target_of(request);
  if (request.body.empty()) {
    const Fault fault{target.operation != nullptr ? "SerializationException" : "UnknownOperationException", "", 400};
    return respond(reply(fault, std::move(headers), content == Content::kJson ? Encoding::kJson : Encoding::kCbor));
  }
  if (content == Content::kOther) {
    if (!target.named) return respond(denied(std::move(headers)));
    return respond(reply(404, std::move(headers), "", "<UnknownOperationException/>\n"));
  }
  if (content == Content::kPlainJson) {
    const bool parsed = read_json(request.body, nullptr).parsed;
    return respond(plain_json_reply(std::move(headers), parsed));
  }
  call(std::move(request), std::move(respond), std::move(headers));
}

void KinesisDoor::call(Request request, Responder respond, Headers headers) {
  const Encoding encoding = content_of(request) == Content::kJson ? Encoding::kJson : Encoding::kCbor;
  const Operation* operation = target_of(request).operation;
  const auto refuse = [&](std::string_view type, std::string message) {
    respond(reply({std::string(type), std::move(message), 400}, std::move(headers), encoding));
  };
  const Shape* shape = operation == nullptr ? nullptr : &operation->input;
  Input input = encoding == Encoding::kJson ? read_json(request.body, shape) : read_cbor(request.body, shape);
  if (!input.parsed) return refuse("SerializationException", "");
  if (operation == nullptr) return refuse("UnknownOperationException", "");
  auto signer = check_signature(request, options_.verifier);
  if (!signer) return refuse(signer.error().type, std::move(signer.error().message));
  if (input.mismatch) return refuse("SerializationException", std::move(*input.mismatch));
  if (auto message = broken_constraints(*shape, input.value)) return refuse("ValidationException", std::move(*message));

  if (const auto count = records_of(*operation, input.value)) access::spend_records(signer->caller, count);
  Call call;
  call.operation = operation->name;
  call.input = std::move(input.value);
  call.encoding = encoding;
  call.account = account_of(signer->key_id, options_.account);
  call.region = signer->region.empty() ? options_.region : signer->region;
  call.caller = std::move(signer->caller);
  operations_.run(std::move(call), [respond = std::move(respond), headers = std::move(headers),
                                    encoding](std::expected<Answer, Fault> answer) mutable {
    respond(answer ? answer_reply(std::move(*answer), std::move(headers), encoding)
                   : reply(answer.error(), std::move(headers), encoding));
  });
}

}  // namespace pinflow::doors::kinesis
