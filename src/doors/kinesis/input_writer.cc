#include "doors/kinesis/input_writer.h"

#include <utility>

namespace pinflow::doors::kinesis {

namespace {

void write(Writer& out, const Shape& shape, const Value& value) {
  switch (shape.type) {
    case Type::kString:
      out.text(value.text());
      return;
    case Type::kInteger:
      out.integer(value.integer());
      return;
    case Type::kBoolean:
      out.boolean(value.boolean());
      return;
    case Type::kBlob:
      out.blob(value.text());
      return;
    case Type::kTimestamp:
      out.time(value.time());
      return;
    case Type::kList:
      out.begin_list();
      for (const Value& element : value.list()) write(out, *shape.element, element);
      out.end_list();
      return;
    case Type::kMap:
      out.begin_structure();
      for (const auto& [key, element] : value.map()) write(out.member(key), *shape.element, element);
      out.end_structure();
      return;
    case Type::kStructure:
      out.begin_structure();
      for (const Member& member : shape.members) {
        if (const Value& inner = value[member.name]; !inner.is_null())
          write(out.member(member.name), *member.shape, inner);
      }
      out.end_structure();
      return;
  }
}

}  // namespace

std::string write_input(const Shape& shape, const Value& value, Encoding encoding) {
  Writer out(encoding);
  write(out, shape, value);
  return std::move(out).take();
}

}  // namespace pinflow::doors::kinesis
