#include "batch/published.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"
#include "base/timestamp.h"

namespace pinflow::batch {

namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kFormat = 1;

std::int64_t millis(WallTime time) {
  return time.time_since_epoch().count();
}

// Members of an object; a member that is missing or of another kind is its type's nothing, for newer versions may leave it out.
class Members {
 public:
  explicit Members(dom::object object) : object_(object) {}
  std::string text(std::string_view name) const {
    std::string_view value;
    return object_[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
  }
  std::int64_t whole(std::string_view name) const {
    std::int64_t value = 0;
    return object_[name].get(value) == simdjson::SUCCESS ? value : 0;
  }
  bool flag(std::string_view name) const {
    bool value = false;
    return object_[name].get(value) == simdjson::SUCCESS && value;
  }
  bool has(std::string_view name) const { return object_[name].error() == simdjson::SUCCESS; }
  template <class Each>
  void each_of(std::string_view name, Each each) const {
    dom::array array;
    if (object_[name].get(array) != simdjson::SUCCESS) return;
    for (const dom::element element : array) each(element);
  }
  template <class Each>
  void each_member_of(std::string_view name, Each each) const {
    dom::object members;
    if (object_[name].get(members) != simdjson::SUCCESS) return;
    for (const auto& [key, value] : members) {
      dom::object object;
      if (value.get(object) == simdjson::SUCCESS) each(std::string(key), Members(object));
    }
  }

 private:
  dom::object object_;
};

WallTime time_of(const Members& members, std::string_view name) {
  return WallTime(std::chrono::milliseconds(members.whole(name)));
}

template <class Each>
void each_object(const Members& members, std::string_view name, Each each) {
  members.each_of(name, [&](dom::element element) {
    dom::object object;
    if (element.get(object) == simdjson::SUCCESS) each(Members(object));
  });
}

void write_question(JsonWriter& json, const PublishedQuestion& question) {
  json.begin_object().key("name").string(question.name).key("description").string(question.description);
  json.key("columns").begin_array();
  for (const std::string& column : question.columns) json.string(column);
  json.end_array().key("table").string(question.table).key("rows").integer(question.rows);
  json.key("run").string(question.run_id).key("error").string(question.error).end_object();
}

void write_check(JsonWriter& json, const PublishedCheck& check) {
  json.begin_object().key("name").string(check.name).key("description").string(check.description);
  json.key("stops").boolean(check.stops).key("findings").integer(static_cast<std::int64_t>(check.findings));
  json.key("error").string(check.error).end_object();
}

}  // namespace

std::string format_publication(const Publication& publication) {
  JsonWriter json;
  json.begin_object().key("version").integer(kFormat).key("run").string(publication.run_id);
  json.key("started_ms").integer(millis(publication.started)).key("finished_ms").integer(millis(publication.finished));
  if (publication.data_through) json.key("data_through_ms").integer(millis(*publication.data_through));
  json.key("tables").begin_object();
  for (const auto& [name, table] : publication.tables) {
    json.key(name).begin_object().key("version").integer(table.version.value());
    json.key("rows").integer(table.rows).end_object();
  }
  json.end_object().key("questions").begin_array();
  for (const PublishedQuestion& question : publication.questions) write_question(json, question);
  json.end_array().key("checks").begin_array();
  for (const PublishedCheck& check : publication.checks) write_check(json, check);
  json.end_array().end_object();
  return std::move(json).take() + "\n";
}

Result<Publication> parse_publication(std::string_view text) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS)
    return fail(ErrorCode::kCorrupt, "it is no JSON object");
  const Members members(object);
  if (members.whole("version") != kFormat) {
    return fail(ErrorCode::kCorrupt, fmt::format("it is of version {}, this pinflow reads {}; use the newer pinflow",
                                                 members.whole("version"), kFormat));
  }
  Publication read;
  read.run_id = members.text("run");
  read.started = time_of(members, "started_ms");
  read.finished = time_of(members, "finished_ms");
  if (members.has("data_through_ms")) read.data_through = time_of(members, "data_through_ms");
  members.each_member_of("tables", [&](const std::string& name, const Members& table) {
    read.tables[name] = {.version = delta::Version(table.whole("version")), .rows = table.whole("rows")};
  });
  each_object(members, "questions", [&](const Members& of) {
    PublishedQuestion question{.name = of.text("name"),
                               .description = of.text("description"),
                               .columns = {},
                               .table = of.text("table"),
                               .rows = of.whole("rows"),
                               .run_id = of.text("run"),
                               .error = of.text("error")};
    of.each_of("columns", [&](dom::element element) {
      std::string_view column;
      if (element.get(column) == simdjson::SUCCESS) question.columns.emplace_back(column);
    });
    read.questions.push_back(std::move(question));
  });
  each_object(members, "checks", [&](const Members& of) {
    read.checks.push_back({.name = of.text("name"),
                           .description = of.text("description"),
                           .stops = of.flag("stops"),
                           .findings = static_cast<std::uint64_t>(of.whole("findings")),
                           .error = of.text("error")});
  });
  return read;
}

Result<Publication> read_publication(objects::ObjectStore& tables) {
  const std::string name(kPublicationName);
  auto text = tables.get(name);
  if (!text && text.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kNotFound, "no batch run has published results yet; run `pinflow batch run`");
  if (!text) return fail(std::move(text).error());
  auto publication = parse_publication(*text);
  if (!publication) return fail(std::move(publication).error().with_context("the batch's publication " + name));
  return publication;
}

Result<void> publish(objects::ObjectStore& tables, const Publication& publication) {
  return tables.put(std::string(kPublicationName), format_publication(publication));
}

}  // namespace pinflow::batch
