//! The story of order-to-cash: a shop's orders, their money at Stripe and their documents in Epicor (FLOWS §7), branch by
//! branch, and at the end one page with the whole trail of an order, and a comparison of both books.

mod erp;
mod evening;
mod mishaps;
mod page;
mod shop;
mod tale;

pub(crate) use tale::tell;
