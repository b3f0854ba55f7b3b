// format_table, format_csv and format_json of questions.h.
#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/json.h"
#include "batch/questions.h"

namespace pinflow::batch {

namespace {

// Half-open ranges of code points, sorted.
struct Range {
  char32_t begin, end;
};
// Marks that stand on the character before them, and characters that are not seen.
constexpr std::array kNoWidth = {Range{0x300, 0x370},   Range{0x483, 0x48a},     Range{0x591, 0x5be},
                                 Range{0x610, 0x61b},   Range{0x64b, 0x660},     Range{0x6d6, 0x6dd},
                                 Range{0x93c, 0x93d},   Range{0xe31, 0xe32},     Range{0xe34, 0xe3b},
                                 Range{0xe47, 0xe4f},   Range{0x1ab0, 0x1b00},   Range{0x1dc0, 0x1e00},
                                 Range{0x200b, 0x2010}, Range{0x202a, 0x202f},   Range{0x2060, 0x2070},
                                 Range{0x20d0, 0x2100}, Range{0xfe00, 0xfe10},   Range{0xfe20, 0xfe30},
                                 Range{0xfeff, 0xff00}, Range{0x1f3fb, 0x1f400}, Range{0xe0000, 0xe1000}};
// East Asian wide characters and emoji.
constexpr std::array kTwoWide = {
    Range{0x1100, 0x1160},   Range{0x231a, 0x231c},   Range{0x23e9, 0x23ed},   Range{0x25fd, 0x25ff},
    Range{0x2614, 0x2616},   Range{0x2648, 0x2654},   Range{0x2693, 0x2694},   Range{0x26a1, 0x26a2},
    Range{0x26bd, 0x26bf},   Range{0x2705, 0x2706},   Range{0x270a, 0x270c},   Range{0x2728, 0x2729},
    Range{0x2795, 0x2798},   Range{0x2b1b, 0x2b1d},   Range{0x2b50, 0x2b51},   Range{0x2e80, 0x303f},
    Range{0x3041, 0xa4d0},   Range{0xa960, 0xa980},   Range{0xac00, 0xd7a4},   Range{0xf900, 0xfb00},
    Range{0xfe30, 0xfe70},   Range{0xff01, 0xff61},   Range{0xffe0, 0xffe7},   Range{0x1b000, 0x1b300},
    Range{0x1f004, 0x1f005}, Range{0x1f18e, 0x1f19b}, Range{0x1f200, 0x1f320}, Range{0x1f32d, 0x1f3fb},
    Range{0x1f400, 0x1f650}, Range{0x1f680, 0x1f700}, Range{0x1f7e0, 0x1f7ec}, Range{0x1f90c, 0x1fb00},
    Range{0x20000, 0x3fffe}};

template <std::size_t kSize>
bool contains(const std::array<Range, kSize>& ranges, char32_t point) {
  const auto behind = std::ranges::upper_bound(ranges, point, {}, &Range::begin);
  return behind != ranges.begin() && point < std::prev(behind)->end;
}

// A cell as it is printed, and the columns of the terminal that it takes.
struct Cell {
  std::string text;
  std::size_t width = 0;
};

// Takes the code point at the front of `text`, which is UTF-8.
char32_t take_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t point = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < std::min(length, text.size()); ++i) point = (point << 6) | (byte(i) & 0x3fU);
  text.remove_prefix(std::min(length, text.size()));
  return point;
}

Cell printable(std::string_view text) {
  Cell cell;
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t point = take_point(text);
    const bool direction = (point >= 0x202a && point < 0x202f) || (point >= 0x2066 && point < 0x206a);
    if (point < 0x20 || (point >= 0x7f && point < 0xa0) || direction || point == 0x2028 || point == 0x2029) {
      const std::string escape = point == '\n'   ? "\\n"
                                 : point == '\t' ? "\\t"
                                 : point == '\r' ? "\\r"
                                                 : fmt::format("\\u{:04x}", static_cast<std::uint32_t>(point));
      cell.text += escape;
      cell.width += escape.size();
    } else {
      cell.text += before.substr(0, before.size() - text.size());
      cell.width += contains(kNoWidth, point) ? 0 : contains(kTwoWide, point) ? 2 : 1;
    }
  }
  return cell;
}

bool is_number(std::string_view type) {
  return type.ends_with("INT") || type.ends_with("INTEGER") || type == "FLOAT" || type == "DOUBLE" ||
         type.starts_with("DECIMAL");
}

void append_padded(std::string& out, const Cell& cell, std::size_t width, bool right) {
  const std::size_t blanks = width - std::min(cell.width, width);
  if (right) out.append(blanks, ' ');
  out += cell.text;
  if (!right) out.append(blanks, ' ');
}

void end_line(std::string& out) {
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
}

bool begins_formula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
}

void append_csv_cell(std::string& out, const sql::Value& value) {
  if (value.is_null()) return;
  std::string text = value.to_text();
  const bool is_text = std::holds_alternative<std::string>(value.data);
  if (is_text && begins_formula(text)) text.insert(0, 1, '\'');
  if (!(is_text && text.empty()) && text.find_first_of(",\"\r\n") == std::string::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

}  // namespace

std::string format_table(const sql::ResultTable& table) {
  constexpr std::string_view kGap = "  ";
  std::vector<std::vector<Cell>> lines(1);
  for (const std::string& column : table.columns) lines[0].push_back(printable(column));
  for (const auto& row : table.rows) {
    std::vector<Cell>& line = lines.emplace_back();
    for (const sql::Value& value : row) line.push_back(printable(value.to_text()));
  }
  std::vector<std::size_t> widths(table.columns.size(), 1);
  for (const std::vector<Cell>& line : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], line[i].width);
  }
  std::string out;
  for (std::size_t row = 0; row < lines.size(); ++row) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (i > 0) out += kGap;
      append_padded(out, lines[row][i], widths[i], is_number(table.types[i]));
    }
    end_line(out);
    if (row > 0) continue;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (i > 0) out += kGap;
      out.append(widths[i], '-');
    }
    out += '\n';
  }
  return out;
}

std::string format_csv(const sql::ResultTable& table) {
  std::string out;
  const auto append_row = [&](const auto& cells, const auto& to_value) {
    bool first = true;
    for (const auto& cell : cells) {
      if (!std::exchange(first, false)) out += ',';
      append_csv_cell(out, to_value(cell));
    }
    out += "\r\n";
  };
  append_row(table.columns, [](const std::string& name) { return sql::Value{name}; });
  for (const auto& row : table.rows) append_row(row, [](const sql::Value& value) { return value; });
  return out;
}

std::string format_json(const sql::ResultTable& table) {
  std::string out = "[";
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    out += row == 0 ? "\n{" : ",\n{";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (i > 0) out += ',';
      append_json_string(out, table.columns[i]);
      out += ':';
      table.rows[row][i].append_json(out);
    }
    out += '}';
  }
  out += table.rows.empty() ? "]\n" : "\n]\n";
  return out;
}

}  // namespace pinflow::batch
