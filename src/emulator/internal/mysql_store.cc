#include <charconv>
#include <cstdlib>
#include <errmsg.h>
#include <limits>

#include <fmt/format.h>
#include <mysql.h>
#include <mysqld_error.h>

#include "base/check.h"
#include "emulator/internal/database_url.h"
#include "emulator/internal/table_store.h"

namespace pinflow::emulator::internal {

namespace {

constexpr std::size_t kInsertBytes = std::size_t{1} << 20;  // Servers take at least 16 MiB a statement by default.

struct CloseConnection {
  void operator()(MYSQL* connection) const { mysql_close(connection); }
};
struct FreeResult {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};
using Connection = std::unique_ptr<MYSQL, CloseConnection>;
using Rows = std::unique_ptr<MYSQL_RES, FreeResult>;

std::string type_of(const Column& column) {
  if (is_time_column(column.name())) return "DATETIME";
  switch (column.type()) {
    case ColumnType::kInt32:
      return "INT";
    case ColumnType::kInt64:
      return "BIGINT";
    case ColumnType::kDouble:
      return "DOUBLE";
    default:
      return "TEXT";
  }
}

// False where the text is no value of the column's type.
bool append(Column& column, const char* text, std::size_t size) {
  const char* const end = text + size;
  if (text == nullptr) {
    column.append_null();
  } else if (column.type() == ColumnType::kText) {
    column.append_text({text, size});
  } else if (column.type() == ColumnType::kDouble) {
    double value = 0;
    if (const auto read = std::from_chars(text, end, value); read.ec != std::errc() || read.ptr != end) return false;
    column.append_double(value);
  } else {
    std::int64_t value = 0;
    if (const auto read = std::from_chars(text, end, value); read.ec != std::errc() || read.ptr != end) return false;
    if (column.type() == ColumnType::kInt32 && value != static_cast<std::int32_t>(value)) return false;
    column.append_integer(value);
  }
  return true;
}

class MysqlStore final : public TableStore {
 public:
  MysqlStore(DatabaseUrl url, Connection connection) : url_(std::move(url)), connection_(std::move(connection)) {}

  std::string quote(std::string_view name) const override {
    std::string quoted = "`";
    for (const char c : name) quoted.append(c == '`' ? 2 : 1, c);
    return quoted + '`';
  }

  std::string select_expression(const Column& column, bool is_time) const override {
    if (is_time) return fmt::format("DATE_FORMAT({}, '%Y-%m-%d %H:%i:%s')", quote(column.name()));
    return quote(column.name());
  }

  Result<bool> has_table(records::Kind kind) override {
    ColumnBatch found({Column("there", ColumnType::kInt64)});
    TRY(select(fmt::format("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND "
                           "table_name = '{}'",
                           table_of(kind)),
               found));
    return found.columns().front().integer_at(0) > 0;
  }

  Result<void> create_tables(bool replace) override {
    for (const records::Kind kind : records::kKinds) {
      std::string columns;
      const auto raw = records::raw_columns(kind);
      for (const Column& column : raw) {
        fmt::format_to(std::back_inserter(columns), "{} {}, ", quote(column.name()), type_of(column));
      }
      if (replace) TRY(run(fmt::format("DROP TABLE IF EXISTS {}", quote(table_of(kind)))));
      TRY(run(fmt::format("CREATE TABLE {} ({}INDEX ({})) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                          quote(table_of(kind)), columns, quote(raw.front().name()))));
    }
    return {};
  }

  Result<void> insert(records::Kind kind, const ColumnBatch& batch) override {
    const std::string begin = fmt::format("INSERT INTO {} VALUES ", quote(table_of(kind)));
    const std::size_t columns = records::raw_columns(kind).size();
    std::string statement = begin;
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      if (statement.size() > begin.size()) statement += ',';
      statement += '(';
      for (std::size_t i = 0; i < columns; ++i) {
        if (i > 0) statement += ',';
        append_value(statement, batch.columns()[i], row);
      }
      statement += ')';
      if (statement.size() < kInsertBytes && row + 1 < batch.rows()) continue;
      TRY(run(statement));
      statement = begin;
    }
    return {};
  }

  Result<void> commit() override { return run("COMMIT"); }

  Result<void> select(const std::string& statement, ColumnBatch& into) override {
    TRY(run(statement));
    const Rows rows(mysql_store_result(connection_.get()));
    if (rows == nullptr) return failure("reading rows");
    CHECK(mysql_num_fields(rows.get()) == into.columns().size(), "a SELECT gives other columns than it was asked for");
    while (MYSQL_ROW row = mysql_fetch_row(rows.get())) {
      const unsigned long* sizes = mysql_fetch_lengths(rows.get());
      for (std::size_t i = 0; i < into.columns().size(); ++i) {
        if (append(into.column(i), row[i], sizes[i])) continue;
        return fail(ErrorCode::kCorrupt,
                    fmt::format("the source {} has a value in column {} that does not fit: {}", url_.shown(),
                                into.columns()[i].name(), std::string_view(row[i], sizes[i])));
      }
    }
    return {};
  }

  Result<void> run(std::string_view statement) {
    if (mysql_real_query(connection_.get(), statement.data(), statement.size()) == 0) return {};
    return failure(fmt::format("running `{}`", statement.substr(0, 60)));
  }

 private:
  std::unexpected<Error> failure(std::string_view doing) {
    const unsigned code = mysql_errno(connection_.get());
    // Numbers from 2000 on are the client library's: the connection broke.
    return fail(code >= 2000 && code < 3000 ? ErrorCode::kUnavailable : ErrorCode::kInvalid,
                fmt::format("the source {} failed while {}: {} ({})", url_.shown(), doing,
                            mysql_error(connection_.get()), code));
  }

  void append_value(std::string& out, const Column& column, std::size_t row) {
    if (column.is_null(row)) {
      out += "NULL";
    } else if (column.type() == ColumnType::kText) {
      const std::string_view text = column.text_at(row);
      const std::size_t begin = out.size();
      out.resize(begin + 2 * text.size() + 3);
      out[begin] = '\'';
      const auto size = mysql_real_escape_string(connection_.get(), out.data() + begin + 1, text.data(), text.size());
      out.resize(begin + 1 + size);
      out += '\'';
    } else if (column.type() == ColumnType::kDouble) {
      fmt::format_to(std::back_inserter(out), "{}", column.double_at(row));
    } else {
      fmt::format_to(std::back_inserter(out), "{}", column.integer_at(row));
    }
  }

  DatabaseUrl url_;
  Connection connection_;
};

void encrypt(MYSQL* connection, const DatabaseUrl& url) {
  const my_bool yes = 1;
  const my_bool verify = url.ssl_mode == SslMode::kVerifyIdentity ? 1 : 0;
  if (url.ssl_mode == SslMode::kDisabled) return;
  mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &yes);
  mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (!url.ssl_ca.empty()) mysql_options(connection, MYSQL_OPT_SSL_CA, url.ssl_ca.c_str());
}

}  // namespace

Result<std::unique_ptr<TableStore>> open_mysql_store(const std::string& text) {
  const char* const password = std::getenv("PINFLOW_SOURCE_PASSWORD");
  TRY_ASSIGN(DatabaseUrl url, DatabaseUrl::parse(text, password == nullptr ? "" : password));
  Connection connection(mysql_init(nullptr));
  if (connection == nullptr) return fail(ErrorCode::kOverloaded, "no memory for a connection to the source");
  const unsigned connect_seconds = 10;
  const unsigned read_seconds = 300;
  const my_bool no = 0;
  mysql_options(connection.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options(connection.get(), MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
  mysql_options(connection.get(), MYSQL_OPT_READ_TIMEOUT, &read_seconds);
  mysql_options(connection.get(), MYSQL_OPT_WRITE_TIMEOUT, &read_seconds);
  // Also to "localhost", for which the library would take a socket file of its own choice.
  const unsigned protocol = MYSQL_PROTOCOL_TCP;
  mysql_options(connection.get(), MYSQL_OPT_PROTOCOL, &protocol);
  // A server must not be able to ask this client for its files.
  mysql_options(connection.get(), MYSQL_OPT_LOCAL_INFILE, &no);
  encrypt(connection.get(), url);
  if (mysql_real_connect(connection.get(), url.host.c_str(), url.user.c_str(), url.password.c_str(),
                         url.database.c_str(), url.port, nullptr, 0) == nullptr) {
    const unsigned code = mysql_errno(connection.get());
    const bool missing = code == ER_BAD_DB_ERROR;
    return fail(missing ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                fmt::format("cannot open the source {}: {} ({}){}", url.shown(), mysql_error(connection.get()), code,
                            missing ? "; make it with CREATE DATABASE"
                            : code == ER_ACCESS_DENIED_ERROR
                                ? "; check user and password (PINFLOW_SOURCE_PASSWORD), and whether the "
                                  "server asks for TLS (ssl-mode in the URL)"
                            : code == CR_SSL_CONNECTION_ERROR
                                ? "; check that the certificate is of the authority in ssl-ca and names this host"
                                : "; check that the server runs and is reachable"));
  }
  // Without an authority the library takes a server that offers no encryption, whatever was asked for.
  if (url.ssl_mode != SslMode::kDisabled && mysql_get_ssl_cipher(connection.get()) == nullptr) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("cannot open the source {}: the server offers no TLS, and ssl-mode of the URL asks for it",
                            url.shown()));
  }
  auto store = std::make_unique<MysqlStore>(std::move(url), std::move(connection));
  // Escapes are written for a server that reads backslashes; times are what they say, in no zone.
  TRY(store->run("SET SESSION sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'"));
  return store;
}

}  // namespace pinflow::emulator::internal
