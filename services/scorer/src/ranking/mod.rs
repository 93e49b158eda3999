//! Lists of candidates: the scorer of `[rankings]` topics.
//!
//! ```text
//! requests -> candidates, a row each -> every version once a batch -> an order per version -> list -> rankings
//! ```
//!
//! - [`candidates`]: the candidates of requests, as models score them;
//! - [`ranked`]: scores to orders;
//! - [`list`]: which list a user gets: one version's order, or an interleaved one;
//! - [`rows`]: lists as rows of the topic of rankings;
//! - [`task`]: all of it for one partition; [`parts`]: what it hangs on.

mod candidates;
mod list;
mod parts;
mod ranked;
mod rows;
mod task;

pub(crate) use candidates::candidate_schema;
pub(crate) use parts::Parts;
pub(crate) use task::RankingTask;
