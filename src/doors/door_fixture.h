#pragma once

#include <future>
#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

#include "access/caller.h"
#include "doors/door_set.h"
#include "groups/testing/group_log.h"
#include "log/testing/memory_log.h"

namespace pinflow::doors {

// All doors over a log in memory, asked without a network.
class DoorTest : public testing::Test {
 protected:
  using Fields = std::initializer_list<std::pair<std::string, std::string>>;

  http::Request request(std::string method, std::string_view path, std::string body, const Fields& fields) {
    http::Request out;
    out.method = std::move(method);
    const auto question = std::min(path.find('?'), path.size());
    out.target = path;
    for (auto query = path.substr(std::min(question + 1, path.size())); !query.empty();) {
      const auto part = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(part.size() + 1, query.size()));
      const auto equals = std::min(part.find('='), part.size());
      out.query.emplace_back(part.substr(0, equals), part.substr(std::min(equals + 1, part.size())));
    }
    for (auto rest = path.substr(0, question); !rest.empty();) {
      const auto slash = std::min(rest.find('/'), rest.size());
      if (slash > 0) out.segments.emplace_back(rest.substr(0, slash));
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    for (const auto& [name, value] : fields) out.headers.add(name, value);
    out.body = std::move(body);
    out.caller = caller_;
    return out;
  }

  // Sends a request and does not wait.
  std::future<http::Response> send(std::string method, std::string_view path, std::string body = "",
                                   const Fields& fields = {}) {
    std::promise<http::Response> promise;
    auto future = promise.get_future();
    doors_.handle(
        request(std::move(method), path, std::move(body), fields),
        [promise = std::move(promise)](http::Response response) mutable { promise.set_value(std::move(response)); });
    return future;
  }
  http::Response ask(std::string method, std::string_view path, std::string body = "", const Fields& fields = {}) {
    return send(std::move(method), path, std::move(body), fields).get();
  }

  std::shared_ptr<const access::Caller> caller_;  // Of the requests that follow.
  log::MemoryLog log_;
  ManualClock clock_;
  NullLogger logger_;
  groups::GroupLog group_log_{clock_};
  groups::GroupCoordinator coordinator_{{}, group_log_, clock_, logger_, 1};
  DoorSet doors_{{log_, coordinator_, clock_, logger_, Random(1), "AAAAAAAAAAAAAAAAAAAAAA"}, {}};
};

}  // namespace pinflow::doors
