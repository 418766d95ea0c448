//! Where every step of a document stands: its index, the list it is in, and which results it can see.

use std::collections::BTreeMap;

use crate::jq::listed;
use crate::problem::Problems;
use crate::run::BODY;
use crate::yaml::{Node, Tree};

/// Words that cannot name a step because jq or a jump uses them.
#[rustfmt::skip]
const RESERVED: [&str; 25] = [
    "and", "as", "break", "catch", "compensated", "continue", "def", "elif", "else", "end", "event", "foreach", "if", "import",
    "include", "label", "next", "or", "park", "reduce", "start", "then", "trigger", "try", "undo",
];

/// Names that are values inside a `for_each`.
const ITEM: [&str; 2] = ["item", "index"];

/// One place in the list of all steps.
struct Slot {
    name: String,
    /// The `for_each` that it is inside.
    parent: Option<usize>,
}

/// All steps of a document.
pub(super) struct Layout {
    slots: Vec<Slot>,
    /// Names and indices of the steps that are in no `for_each`.
    pub(super) top: Vec<(String, usize)>,
    /// The same for the steps inside each `for_each`, by its index.
    pub(super) bodies: BTreeMap<usize, Vec<(String, usize)>>,
}

/// Where one step stands.
pub(super) struct Position<'a> {
    pub(super) layout: &'a Layout,
    /// The steps of its list.
    pub(super) level: &'a [(String, usize)],
    /// Its place in that list.
    pub(super) place: usize,
    /// The `for_each` around it.
    pub(super) parent: Option<usize>,
    /// Index that ends the list.
    pub(super) end: usize,
}

impl Layout {
    /// Lays out the steps. A step without a usable name gets an empty one, which nothing can refer to.
    pub(super) fn of(nodes: &[Node], problems: &mut Problems) -> Self {
        let repeats = nodes.iter().any(|node| inner_steps(node).is_some());
        let mut layout = Self { slots: Vec::new(), top: Vec::new(), bodies: BTreeMap::new() };
        for node in nodes {
            let index = layout.slots.len();
            let name = layout.add(node, None, repeats, problems);
            layout.top.push((name, index));
            let Some(inner) = inner_steps(node) else { continue };
            for word in ITEM {
                layout.slots.push(Slot { name: word.to_owned(), parent: Some(index) });
            }
            let mut body = Vec::with_capacity(inner.len());
            for node in inner {
                let at = layout.slots.len();
                body.push((layout.add(node, Some(index), repeats, problems), at));
            }
            layout.bodies.insert(index, body);
        }
        layout
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    fn add(&mut self, node: &Node, parent: Option<usize>, repeats: bool, problems: &mut Problems) -> String {
        let (name, place) = match &node.tree {
            Tree::Map(entries) => {
                match entries.iter().find(|(key, _)| key.text == "name").map(|(_, node)| node) {
                    Some(Node { tree: Tree::Text(name), place }) => (name.clone(), *place),
                    _ => (String::new(), node.place),
                }
            }
            _ => (String::new(), node.place),
        };
        let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        let taken = RESERVED.contains(&name.as_str()) || (repeats && ITEM.contains(&name.as_str()));
        let name = if !first || !rest || name.len() > 40 || taken {
            let fix =
                "give it a `name` of lower-case letters, digits and `_` that is no word of jq or of jumps";
            problems.add(place, format!("{name:?} is not a name for a step"), fix);
            String::new()
        } else if self.slots.iter().any(|slot| slot.name == name) {
            problems.add(place, format!("two steps are called {name:?}"), "give every step its own name");
            String::new()
        } else {
            name
        };
        self.slots.push(Slot { name: name.clone(), parent });
        name
    }
}

/// The steps inside a `for_each`.
fn inner_steps(node: &Node) -> Option<&[Node]> {
    let Tree::Map(entries) = &node.tree else { return None };
    let has = |word: &str| entries.iter().find(|(key, _)| key.text == word).map(|(_, node)| node);
    has("for_each")?;
    Some(match has("steps").map(|node| &node.tree) {
        Some(Tree::List(items)) => items,
        _ => &[],
    })
}

impl<'a> Position<'a> {
    /// The step's name.
    pub(super) fn name(&self) -> &'a str {
        self.level.get(self.place).map_or("", |(name, _)| name)
    }

    /// The step's index.
    pub(super) fn index(&self) -> usize {
        self.level.get(self.place).map_or(self.end, |(_, index)| *index)
    }

    /// Index of the step that follows in its list.
    pub(super) fn after(&self) -> usize {
        self.level.get(self.place + 1).map_or(self.end, |(_, index)| *index)
    }

    /// Names of the results that the step can see, by index; what it cannot see has an empty name.
    pub(super) fn earlier(&self) -> Vec<String> {
        self.seen(self.index())
    }

    /// The same, with the step's own result.
    pub(super) fn earlier_and_own(&self) -> Vec<String> {
        self.seen(self.index() + 1)
    }

    fn seen(&self, before: usize) -> Vec<String> {
        let visible = |(index, slot): (usize, &Slot)| {
            let seen = Some(index) != self.parent && (slot.parent.is_none() || slot.parent == self.parent);
            if seen { slot.name.clone() } else { String::new() }
        };
        self.layout.slots.iter().take(before).enumerate().map(visible).collect()
    }

    /// Names of all steps of its list and around it, to explain a use of a later one.
    pub(super) fn all(&self) -> Vec<String> {
        let visible = |slot: &Slot| {
            let seen = slot.parent.is_none() || slot.parent == self.parent;
            if seen { slot.name.clone() } else { String::new() }
        };
        self.layout.slots.iter().map(visible).collect()
    }

    /// Names of the steps that follow in its list.
    pub(super) fn later(&self) -> String {
        listed(self.level.iter().skip(self.place + 1).map(|(name, _)| name))
    }

    /// The step's body, when it is a `for_each`.
    pub(super) fn body(&self) -> (&'a [(String, usize)], usize) {
        let body = self.layout.bodies.get(&self.index()).map(Vec::as_slice).unwrap_or_default();
        (body, self.index() + BODY + body.len())
    }
}
