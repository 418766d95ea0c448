//! Reads Stripe's bracket notation (`a[b]=c`, `list[0]=x`, `list[]=x`) into a tree (FACTS §a).
//!
//! Called by `schema`, which gives the tree its types. Pairs are already percent-decoded by `wire`.

use std::collections::BTreeMap;

/// A decoded parameter: a text or a nest of parameters. Lists are nests with numbers as keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// A leaf as sent.
    Text(String),
    /// `name[key]=…`, keys in the order a list needs: numbers by value, the rest by text.
    Nest(BTreeMap<Key, Node>),
}

/// A key inside brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// `[0]` or the position of a `[]`.
    Position(usize),
    /// `[word]`
    Word(String),
}

impl Key {
    fn new(text: &str, length: usize) -> Self {
        if text.is_empty() {
            return Self::Position(length);
        }
        let number = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(position) if number => Self::Position(position),
            _ => Self::Word(text.to_owned()),
        }
    }

    /// The key as it was written.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Position(position) => position.to_string(),
            Self::Word(word) => word.clone(),
        }
    }
}

/// Builds the tree; the last of two equal names wins.
///
/// # Errors
/// The name of the parameter whose brackets cannot be read, or that is both a text and a nest.
pub(crate) fn decode(pairs: &[(String, String)]) -> Result<BTreeMap<Key, Node>, String> {
    let mut root = BTreeMap::new();
    for (name, value) in pairs {
        let steps = steps(name).ok_or_else(|| name.clone())?;
        place(&mut root, &steps, value).ok_or_else(|| name.clone())?;
    }
    Ok(root)
}

fn steps(name: &str) -> Option<Vec<&str>> {
    let (head, mut rest) = match name.find('[') {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    if head.is_empty() {
        return None;
    }
    let mut steps = vec![head];
    while !rest.is_empty() {
        let (key, after) = rest.strip_prefix('[')?.split_once(']')?;
        steps.push(key);
        rest = after;
    }
    Some(steps)
}

fn place(nest: &mut BTreeMap<Key, Node>, steps: &[&str], value: &str) -> Option<()> {
    let (step, deeper) = steps.split_first()?;
    let key = Key::new(step, nest.len());
    if deeper.is_empty() {
        nest.insert(key, Node::Text(value.to_owned()));
        return Some(());
    }
    match nest.entry(key).or_insert_with(|| Node::Nest(BTreeMap::new())) {
        Node::Nest(inner) => place(inner, deeper, value),
        Node::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::decode_pairs;

    #[test]
    fn brackets_become_nests_and_lists_keep_their_order() {
        let tree = decode(&decode_pairs("m[a]=1&l[1]=y&l[0]=x&e[]=p&e[]=q&i[0][price]=z")).unwrap();
        let Some(Node::Nest(list)) = tree.get(&Key::Word("l".into())) else { panic!("l is a nest") };
        assert_eq!(list.values().next(), Some(&Node::Text("x".into())));
        let Some(Node::Nest(plain)) = tree.get(&Key::Word("e".into())) else { panic!("e is a nest") };
        assert_eq!(plain.len(), 2);
    }

    #[test]
    fn broken_brackets_are_refused() {
        assert_eq!(decode(&decode_pairs("a[b=1")), Err("a[b".into()));
        assert!(decode(&decode_pairs("a=1&a[b]=2")).is_err());
    }
}
