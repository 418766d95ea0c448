//! `suture bench`: the arguments; the measuring itself is in `crate::bench`.

use clap::Args;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Which benchmark, and its settings; without any, the list
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
}
