//! Tells the story on the terminal and keeps what was not as expected.

use std::cell::RefCell;

/// The voice of the demo.
#[derive(Default)]
pub(super) struct Narrator {
    step: RefCell<(usize, String)>,
    held: RefCell<usize>,
    failed: RefCell<Vec<String>>,
}

impl Narrator {
    /// Begins a step.
    pub(super) fn step(&self, title: &str) {
        let mut step = self.step.borrow_mut();
        *step = (step.0 + 1, title.to_owned());
        println!();
        println!("{}. {title}", step.0);
    }

    /// What was done.
    pub(super) fn did(&self, text: impl AsRef<str>) {
        println!("   > {}", text.as_ref());
    }

    /// What happened.
    pub(super) fn saw(&self, text: impl AsRef<str>) {
        println!("     {}", text.as_ref());
    }

    /// What must be so.
    pub(super) fn expect(&self, what: &str, held: bool) {
        if held {
            *self.held.borrow_mut() += 1;
            println!("   [ok]     {what}");
        } else {
            let (number, title) = &*self.step.borrow();
            self.failed.borrow_mut().push(format!("step {number}, {title}: {what}"));
            println!("   [FAILED] {what}");
        }
    }

    /// Says how many expectations held and names the others. True when all held.
    pub(super) fn conclude(&self) -> bool {
        let failed = self.failed.borrow();
        println!();
        if failed.is_empty() {
            println!("All {} expectations held.", self.held.borrow());
            return true;
        }
        println!("{} expectations held, {} did not:", self.held.borrow(), failed.len());
        failed.iter().for_each(|one| println!("  - {one}"));
        false
    }
}
