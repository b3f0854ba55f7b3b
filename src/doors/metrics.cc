#include "doors/metrics.h"

#include <fmt/format.h>

namespace pinflow::doors {

namespace {
// Values of labels are quoted; quote, backslash and line feed would end them.
void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
}
}  // namespace

MetricsWriter& MetricsWriter::family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                 type == Type::kGauge ? "gauge" : "counter");
  return *this;
}

template <class Number>
MetricsWriter& MetricsWriter::line(std::initializer_list<Label> labels, Number value) {
  text_ += name_;
  char before = '{';
  for (const auto& [label, text] : labels) {
    text_ += std::exchange(before, ',');
    text_ += label;
    text_ += "=\"";
    append_escaped(text_, text);
    text_ += '"';
  }
  if (before == ',') text_ += '}';
  fmt::format_to(std::back_inserter(text_), " {}\n", value);
  return *this;
}
template MetricsWriter& MetricsWriter::line(std::initializer_list<Label>, std::uint64_t);
template MetricsWriter& MetricsWriter::line(std::initializer_list<Label>, std::int64_t);

void Metrics::add_routes(http::Router& router) {
  router.add("GET", "/metrics", *this, &Metrics::metrics);
}

void Metrics::metrics(http::Request, http::Responder respond) {
  MetricsWriter writer;
  for (Source& source : sources_) source(writer);
  respond(http::Response::json(200, std::move(writer).take(), "text/plain; version=0.0.4; charset=utf-8"));
}

}  // namespace pinflow::doors
