#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/router.h"

namespace pinflow::doors {

using Label = std::pair<std::string_view, std::string_view>;

// Writes the text that Prometheus reads (https://prometheus.io/docs/instrumenting/exposition_formats/). A family is begun once;
// its samples follow it directly. Owned by one thread.
class MetricsWriter {
 public:
  enum class Type { kGauge, kCounter };
  // Begins a family; names of counters end in _total.
  MetricsWriter& family(std::string_view name, Type type, std::string_view help);
  MetricsWriter& sample(std::initializer_list<Label> labels, std::uint64_t value) { return line(labels, value); }
  MetricsWriter& sample(std::initializer_list<Label> labels, std::int64_t value) { return line(labels, value); }
  std::string take() && { return std::move(text_); }

 private:
  template <class Number>
  MetricsWriter& line(std::initializer_list<Label> labels, Number value);

  std::string name_;
  std::string text_;
};

// GET /metrics: what the parts of the program tell of themselves. Sources are added before the server starts; they run on the
// network loop, so they answer from memory. A source must not refer to what ends before the server.
class Metrics {
 public:
  using Source = std::move_only_function<void(MetricsWriter&)>;
  void add_source(Source source) { sources_.push_back(std::move(source)); }
  void add_routes(http::Router& router);

 private:
  void metrics(http::Request request, http::Responder respond);
  std::vector<Source> sources_;
};

}  // namespace pinflow::doors
