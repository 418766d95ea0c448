//! Death of a process in the middle of its work.
//!
//! A dying engine unwinds from the place where it looked at the clock; everything that it had in memory is dropped and
//! nothing more is committed. The unwinding skips the panic hook, so a planned death prints nothing.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crashed;

/// Ends the process of the engine that calls this.
pub(super) fn die() -> ! {
    resume_unwind(Box::new(Crashed))
}

/// A future of a process that may die.
pub(super) struct Mortal<F: Future>(Pin<Box<F>>);

impl<F: Future> Mortal<F> {
    pub(super) fn new(future: F) -> Self {
        Self(Box::pin(future))
    }
}

impl<F: Future> Future for Mortal<F> {
    type Output = Result<F::Output, Crashed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let future = &mut self.0;
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(poll) => poll.map(Ok),
            Err(cause) => Poll::Ready(Err(planned(cause))),
        }
    }
}

/// A planned death; anything else is a bug and goes on unwinding.
fn planned(cause: Box<dyn Any + Send>) -> Crashed {
    match cause.downcast::<Crashed>() {
        Ok(crashed) => *crashed,
        Err(other) => resume_unwind(other),
    }
}
