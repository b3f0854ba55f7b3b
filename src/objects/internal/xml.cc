#include "objects/internal/xml.h"

#include <algorithm>
#include <charconv>

namespace pinflow::objects::internal {

namespace {

constexpr int kDeepest = 8;

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class Reader {
 public:
  explicit Reader(std::string_view document) : rest_(document) {}

  std::optional<XmlElement> document() {
    if (!skip_asides()) return std::nullopt;
    auto root = element(1);
    if (!root || !skip_asides() || !rest_.empty()) return std::nullopt;
    return root;
  }

 private:
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // Everything up to `end`, which is taken as well.
  std::optional<std::string_view> until(std::string_view end) {
    const std::size_t at = rest_.find(end);
    if (at == rest_.npos) return std::nullopt;
    const std::string_view before = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return before;
  }
  // Declarations, comments and blanks around the root.
  bool skip_asides() {
    while (true) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n\xef\xbb\xbf"), rest_.size()));
      if (take("<?")) {
        if (!until("?>")) return false;
      } else if (take("<!--")) {
        if (!until("-->")) return false;
      } else {
        return true;
      }
    }
  }

  std::optional<XmlElement> element(int depth) {
    if (depth > kDeepest || !take("<")) return std::nullopt;
    const auto tag = until(">");
    if (!tag || tag->empty() || tag->front() == '!' || tag->front() == '/') return std::nullopt;
    const bool is_empty = tag->ends_with('/');
    const std::string_view full = tag->substr(0, std::min(tag->find_first_of(" \t\r\n/"), tag->size()));
    XmlElement made;
    made.name = full.substr(full.find(':') + 1);
    if (is_empty) return made;
    while (!rest_.empty()) {
      if (take("</")) {
        const auto end = until(">");
        return end && end->substr(0, full.size()) == full ? std::optional(std::move(made)) : std::nullopt;
      }
      if (take("<!--")) {
        if (!until("-->")) return std::nullopt;
      } else if (take("<![CDATA[")) {
        const auto text = until("]]>");
        if (!text) return std::nullopt;
        made.text += *text;
      } else if (rest_.front() == '<') {
        auto child = element(depth + 1);
        if (!child) return std::nullopt;
        made.children.push_back(*std::move(child));
      } else if (!text(made.text)) {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  bool text(std::string& out) {
    while (!rest_.empty() && rest_.front() != '<') {
      if (rest_.front() != '&') {
        out += rest_.front();
        rest_.remove_prefix(1);
        continue;
      }
      const auto name = until(";");
      if (!name || !reference(name->substr(1), out)) return false;
    }
    return true;
  }

  static bool reference(std::string_view name, std::string& out) {
    static constexpr std::pair<std::string_view, char> kEntities[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [entity, character] : kEntities) {
      if (entity != name) continue;
      out += character;
      return true;
    }
    if (!name.starts_with('#')) return false;
    name.remove_prefix(1);
    const int base = name.starts_with('x') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    if (name.empty() || error != std::errc() || end != name.data() + name.size() || code > 0x10FFFF) return false;
    append_utf8(out, code);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::string_view XmlElement::child(std::string_view wanted) const {
  const auto found = std::ranges::find(children, wanted, &XmlElement::name);
  return found == children.end() ? std::string_view() : std::string_view(found->text);
}

std::optional<XmlElement> parse_xml(std::string_view document) {
  return Reader(document).document();
}

}  // namespace pinflow::objects::internal
