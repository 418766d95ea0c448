//! Reads the `schema` of a map step: the name of a built-in shape, or a map of field names and kinds.

use crate::jq::listed;
use crate::problem::Problems;
use crate::shape::{BUILT_IN, Field, Shape, built_in};
use crate::yaml::{Key, Node, Tree};

const KINDS: &str =
    "text, integer, boolean, currency, any, a list of allowed texts, [kind] in `list_of`, or a map of fields";

/// The shape that a `schema` describes.
pub(super) fn shape(node: Node, problems: &mut Problems) -> Option<Shape> {
    match node.tree {
        Tree::Text(name) => match built_in(&name) {
            Some(shape) => Some(shape),
            None => {
                let fix = format!("use one of: {}; or write the fields here", listed(BUILT_IN));
                problems.add(node.place, format!("there is no schema {name:?}"), fix);
                None
            }
        },
        Tree::Map(entries) => Some(object(entries, problems)),
        other => {
            problems.add(
                node.place,
                format!("`schema` is {}", other.kind()),
                "name a schema or write a map of fields",
            );
            None
        }
    }
}

fn object(entries: Vec<(Key, Node)>, problems: &mut Problems) -> Shape {
    let field = |(key, node): (Key, Node)| {
        let (name, required) =
            key.text.strip_suffix('?').map_or((key.text.as_str(), true), |name| (name, false));
        Some(Field { name: name.to_owned(), required, shape: kind(node, problems)? })
    };
    Shape::Object(entries.into_iter().filter_map(field).collect())
}

fn kind(node: Node, problems: &mut Problems) -> Option<Shape> {
    match node.tree {
        Tree::Text(word) => match word.as_str() {
            "text" => Some(Shape::Text),
            "integer" => Some(Shape::Integer),
            "boolean" => Some(Shape::Boolean),
            "currency" => Some(Shape::Currency),
            "any" => Some(Shape::Any),
            _ => {
                problems.add(node.place, format!("{word:?} is not a kind of value"), format!("use {KINDS}"));
                None
            }
        },
        Tree::List(items) => {
            let text = |item: Node| super::fields::text(item, "allowed text", problems).map(|(text, _)| text);
            Some(Shape::OneOf(items.into_iter().filter_map(text).collect()))
        }
        Tree::Map(mut entries) => {
            if entries.len() == 1 && entries[0].0.text == "list_of" {
                return Some(Shape::List(Box::new(kind(entries.remove(0).1, problems)?)));
            }
            Some(object(entries, problems))
        }
        other => {
            problems.add(
                node.place,
                format!("{} is not a kind of value", other.kind()),
                format!("use {KINDS}"),
            );
            None
        }
    }
}
