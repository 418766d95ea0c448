//! The story of a patient's bill: FLOWS stories 4, 5 and 2, told with the books after every step.

mod books;
mod desk;
mod insured;
mod payer;
mod proof;
mod reserve;
mod settle;
mod tale;

pub(crate) use tale::tell;
