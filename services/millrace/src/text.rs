//! Numbers, times and errors as people read them.

pub use millrace_report::text::{aligned, day_and_minute, thousands};

/// An error and its causes; those that the text before them says already are left out.
pub fn causes(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |text, cause| match cause.to_string() {
        cause if text.contains(&cause) => text,
        cause if text.is_empty() => cause,
        cause => format!("{text}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("refused").context("cannot connect: refused").context("stopped");
        assert_eq!(causes(&error), "stopped: cannot connect: refused");
    }
}
