//! What holds for any file.

use proptest::prelude::{any, prop_assert, proptest};
use suture_connect::bank::read;

use crate::support::files;

proptest! {
    #[test]
    fn a_file_that_was_cut_is_never_taken_for_another(cut in any::<prop::sample::Index>(), which in 0..4_usize) {
        let (format, content) = files().swap_remove(which);
        let end = cut.index(content.trim_end().len() - 1);
        let cut_file = content.get(..end).unwrap_or_default();
        prop_assert!(read(&format, cut_file.as_bytes()).is_err(), "{} cut at {end}", format.name());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), which in 0..5_usize) {
        let (format, _) = files().swap_remove(which);
        let _ = read(&format, &bytes);
    }

    #[test]
    fn a_file_with_a_few_changed_bytes_is_refused_or_balances(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), which in 0..5_usize,
    ) {
        let (format, content) = files().swap_remove(which);
        let mut bytes = content.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for statement in read(&format, &bytes).unwrap_or_default() {
            if let (Some(opening), Some(closing)) = (statement.opening, statement.closing) {
                prop_assert!(opening.plus(statement.sum().unwrap()).unwrap() == closing);
            }
        }
    }
}

mod prop {
    pub(crate) use proptest::sample;
}
