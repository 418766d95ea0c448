//! One kind of object, in the order of creation, with indexes for the filters of its listings.
//!
//! Rows are shared (`Arc`): an event or a stored answer keeps the version it saw, and changing a row copies it
//! only when somebody still looks at the old version. What must stay true: rows are never removed, and `created`
//! never goes down from row to row.

use super::random::Id;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a table needs to know of its rows.
pub(crate) trait Row: Clone {
    /// The id under which the row is found.
    fn id(&self) -> &Id;
    /// Unix seconds of its making.
    fn created(&self) -> i64;
}

/// A filter that has an index: the name of the parameter and the wanted value.
pub(crate) type Tag<'a> = (&'static str, &'a str);

/// Rows of one kind.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: Vec<Arc<T>>,
    by_id: BTreeMap<Id, usize>,
    by_tag: BTreeMap<&'static str, BTreeMap<Id, Vec<usize>>>,
}

/// A page of a listing as asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// Rows per page, 1 to 100.
    pub(crate) limit: usize,
    /// Only rows older than this one.
    pub(crate) starting_after: Option<String>,
    /// Only rows newer than this one.
    pub(crate) ending_before: Option<String>,
    /// Least creation time, unix seconds, inclusive.
    pub(crate) from: Option<i64>,
    /// Greatest creation time, unix seconds, inclusive.
    pub(crate) until: Option<i64>,
}

impl<T: Row> Table<T> {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new(), by_id: BTreeMap::new(), by_tag: BTreeMap::new() }
    }

    /// Adds a row under its tags and returns it.
    pub(crate) fn insert(&mut self, row: T, tags: &[Tag<'_>]) -> Arc<T> {
        let at = self.rows.len();
        self.by_id.insert(Arc::clone(row.id()), at);
        for (name, value) in tags {
            self.tag_at(name, value, at);
        }
        let row = Arc::new(row);
        self.rows.push(Arc::clone(&row));
        row
    }

    /// Puts a known row under one more tag.
    pub(crate) fn tag(&mut self, id: &str, name: &'static str, value: &str) {
        if let Some(at) = self.by_id.get(id).copied() {
            self.tag_at(name, value, at);
        }
    }

    fn tag_at(&mut self, name: &'static str, value: &str, at: usize) {
        let values = self.by_tag.entry(name).or_default();
        match values.get_mut(value) {
            Some(positions) => {
                if let Err(gap) = positions.binary_search(&at) {
                    positions.insert(gap, at);
                }
            }
            None => {
                values.insert(Id::from(value), vec![at]);
            }
        }
    }

    /// The row of an id.
    pub(crate) fn get(&self, id: &str) -> Option<&Arc<T>> {
        self.by_id.get(id).and_then(|at| self.rows.get(*at))
    }

    /// Changes a row and returns its new version.
    pub(crate) fn change(&mut self, id: &str, change: impl FnOnce(&mut T)) -> Option<Arc<T>> {
        let row = self.by_id.get(id).and_then(|at| self.rows.get_mut(*at))?;
        change(Arc::make_mut(row));
        Some(Arc::clone(row))
    }

    /// All rows, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<T>> {
        self.rows.iter()
    }

    /// Rows under a tag, oldest first.
    pub(crate) fn tagged<'a>(
        &'a self,
        name: &str,
        value: &str,
    ) -> impl DoubleEndedIterator<Item = &'a Arc<T>> {
        let positions =
            self.by_tag.get(name).and_then(|values| values.get(value)).map_or(&[][..], Vec::as_slice);
        positions.iter().filter_map(|at| self.rows.get(*at))
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// One page, newest first, and whether there is more. `None` when a cursor names an unknown row.
    pub(crate) fn page(
        &self,
        page: &Page,
        tags: &[Tag<'_>],
        keep: impl Fn(&T) -> bool,
    ) -> Option<(Vec<Arc<T>>, bool)> {
        let (low, high) = self.bounds(page)?;
        let mut rows = Vec::new();
        let mut take = |at: usize| {
            let Some(row) = self.rows.get(at) else { return true };
            if keep(row) {
                rows.push(Arc::clone(row));
            }
            rows.len() <= page.limit
        };
        let backwards = page.ending_before.is_some();
        match self.narrowest(tags) {
            Some(positions) => {
                let from = positions.partition_point(|at| *at < low);
                let to = positions.partition_point(|at| *at < high).max(from);
                let mut inside = positions[from..to].iter().copied();
                if backwards {
                    inside.all(&mut take)
                } else {
                    inside.rev().all(&mut take)
                };
            }
            None if backwards => {
                (low..high).all(&mut take);
            }
            None => {
                (low..high).rev().all(&mut take);
            }
        }
        let more = rows.len() > page.limit;
        rows.truncate(page.limit);
        if backwards {
            rows.reverse();
        }
        Some((rows, more))
    }

    /// Positions inside the cursors and the creation times: `low..high`.
    fn bounds(&self, page: &Page) -> Option<(usize, usize)> {
        let mut low = 0;
        let mut high = self.rows.len();
        if let Some(from) = page.from {
            low = self.rows.partition_point(|row| row.created() < from);
        }
        if let Some(until) = page.until {
            high = self.rows.partition_point(|row| row.created() <= until);
        }
        if let Some(id) = &page.starting_after {
            high = high.min(*self.by_id.get(id.as_str())?);
        }
        if let Some(id) = &page.ending_before {
            low = low.max(self.by_id.get(id.as_str())? + 1);
        }
        Some((low, high.max(low)))
    }

    /// The shortest list of positions among the tags; `keep` still has to check the others.
    fn narrowest(&self, tags: &[Tag<'_>]) -> Option<&[usize]> {
        tags.iter()
            .map(|(name, value)| {
                self.by_tag.get(name).and_then(|values| values.get(*value)).map_or(&[][..], Vec::as_slice)
            })
            .min_by_key(|positions| positions.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone)]
    struct Thing {
        id: Id,
        created: i64,
    }

    impl Row for Thing {
        fn id(&self) -> &Id {
            &self.id
        }
        fn created(&self) -> i64 {
            self.created
        }
    }

    fn table() -> Table<Thing> {
        let mut table = Table::new();
        for number in 0..10 {
            let kind = if number % 2 == 0 { "even" } else { "odd" };
            table.insert(Thing { id: format!("t{number}").into(), created: number }, &[("kind", kind)]);
        }
        table
    }

    fn ids(page: &Page, tags: &[Tag<'_>]) -> (Vec<String>, bool) {
        let (rows, more) = table().page(page, tags, |_| true).unwrap();
        (rows.iter().map(|row| row.id.to_string()).collect(), more)
    }

    #[test]
    fn pages_are_newest_first_and_say_whether_there_is_more() {
        let page = Page { limit: 3, ..Page::default() };
        assert_eq!(ids(&page, &[]), (vec!["t9".into(), "t8".into(), "t7".into()], true));
        let page = Page { limit: 3, starting_after: Some("t2".into()), ..Page::default() };
        assert_eq!(ids(&page, &[]), (vec!["t1".into(), "t0".into()], false));
        let page = Page { limit: 2, ending_before: Some("t2".into()), ..Page::default() };
        assert_eq!(ids(&page, &[("kind", "even")]), (vec!["t6".into(), "t4".into()], true));
    }

    #[test]
    fn creation_times_bound_a_listing() {
        let page = Page { limit: 10, from: Some(4), until: Some(7), ..Page::default() };
        assert_eq!(ids(&page, &[("kind", "odd")]).0, ["t7", "t5"]);
    }

    #[test]
    fn a_kept_version_does_not_change() {
        let mut table = table();
        let before = Arc::clone(table.get("t1").unwrap());
        table.change("t1", |row| row.created = 1).unwrap();
        table.change("t1", |row| row.created = 99).unwrap();
        assert_eq!(before.created, 1);
    }
}
