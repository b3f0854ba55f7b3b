#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::objects::internal {

// An element of an answer of S3, with the text that stands in it directly.
struct XmlElement {
  std::string name;  // Without a namespace's prefix.
  std::string text;
  std::vector<XmlElement> children;
  // The text of the first child of that name; empty where there is none.
  std::string_view child(std::string_view wanted) const;
};

// Reads a whole document: elements, text, the five entities and character references, CDATA. S3 sends nothing else; a document with
// a DOCTYPE, deeper than eight elements or not well-formed is refused (nothing). Attributes and comments are passed over.
std::optional<XmlElement> parse_xml(std::string_view document);

}  // namespace pinflow::objects::internal
