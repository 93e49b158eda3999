//! The live view: the newest list, what clicks earned, and the preference with its interval as they grow.

use std::collections::BTreeMap;

use millrace_experiments::interleave::preference::Summary;
use millrace_load::ranking::Shown;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Gauge, Paragraph};

use crate::demo::screen::View;
use crate::text::{day_and_minute, thousands};

/// How many lines the view takes.
pub const HEIGHT: u16 = 26;
/// Width of a bar from 0 to 1.
const BAR: usize = 49;
/// Positions of the newest list that are shown.
const POSITIONS: usize = 6;
/// Rows of growth that are shown.
const GROWTH: usize = 9;

/// Everything the view shows, taken at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// How many requests there will be.
    pub total: u64,
    /// Lists so far.
    pub lists: u64,
    /// Records in dead letters.
    pub rejected: u64,
    /// Record time of the newest list, ms.
    pub stream_time_ms: i64,
    /// From the beginning to the newest list, in seconds.
    pub seconds: f64,
    /// The champion and the challenger.
    pub rankers: [String; 2],
    /// The newest list.
    pub latest: Option<Shown>,
    /// Clicks by verdict.
    pub clicks: BTreeMap<String, u64>,
    /// By request, what both rankers earned.
    pub outcomes: BTreeMap<String, [f64; 2]>,
    /// What users say of the challenger now.
    pub now: Option<Summary>,
    /// What they said at 10, 20, 40, ... users with a preference.
    pub growth: Vec<Summary>,
    /// The growth in words.
    pub notes: Vec<String>,
}

impl Snapshot {
    /// With the growth in words.
    pub fn with_notes(mut self) -> Self {
        self.notes = self.growth.iter().map(|summary| growth_line(&self.rankers[1], summary)).collect();
        self
    }
}

impl View for Snapshot {
    fn draw(&self, frame: &mut Frame<'_>) {
        let [title, progress, figures, list, growth] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(3),
            Constraint::Length(POSITIONS as u16 + 1),
            Constraint::Min(5),
        ])
        .areas(frame.area());
        let name = Span::from(" Millrace ").bold().reversed();
        frame.render_widget(
            Line::from(vec![name, "  two rankers in one list: whom do users prefer?".bold()]),
            title,
        );
        let done = (self.lists + self.rejected) as f64 / self.total.max(1) as f64;
        let gauge = Gauge::default().ratio(done.clamp(0.0, 1.0)).label(self.progress());
        frame.render_widget(gauge.gauge_style(Style::new().fg(Color::Cyan).bg(Color::DarkGray)), progress);
        frame.render_widget(Paragraph::new(self.figures()), figures);
        let block = Block::new().borders(Borders::TOP).title(" newest list, and whose pick each item is ");
        frame.render_widget(Paragraph::new(self.list()).block(block), list);
        let block = Block::new().borders(Borders::TOP).title(format!(
            " how often users prefer {} to {}, with an interval that may be looked at any time ",
            self.rankers[1], self.rankers[0]
        ));
        frame.render_widget(Paragraph::new(self.preference()).block(block), growth);
    }

    fn line(&self) -> String {
        let said = self
            .now
            .as_ref()
            .map_or_else(|| "no horizon has closed yet".into(), |now| growth_line(&self.rankers[1], now));
        format!(
            "{}  {} of {} lists, {} rejected, {} clicks; {said}",
            day_and_minute(self.stream_time_ms),
            thousands(self.lists),
            thousands(self.total),
            thousands(self.rejected),
            thousands(self.clicks.values().sum()),
        )
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl Snapshot {
    fn progress(&self) -> String {
        format!(
            "{} of {} lists, stream time {}",
            thousands(self.lists),
            thousands(self.total),
            day_and_minute(self.stream_time_ms)
        )
    }

    fn figures(&self) -> Vec<Line<'static>> {
        let rate = if self.seconds > 0.0 { self.lists as f64 / self.seconds } else { 0.0 };
        let figure = |label: &'static str, text: String| vec![label.dark_gray(), text.bold(), "   ".into()];
        let clicks: Vec<String> = self
            .clicks
            .iter()
            .map(|(verdict, count)| format!("{} {}", thousands(*count), verdict.replace('_', " ")))
            .collect();
        vec![
            Line::from(
                [
                    figure(" lists/s ", thousands(rate as u64)),
                    figure("rejected ", thousands(self.rejected)),
                    figure("requests whose horizon has closed ", thousands(self.outcomes.len() as u64)),
                ]
                .concat(),
            ),
            Line::from(figure(" clicks ", if clicks.is_empty() { "-".into() } else { clicks.join(", ") })),
        ]
    }

    fn list(&self) -> Vec<Line<'static>> {
        let Some(list) = &self.latest else { return Vec::new() };
        let pick = |team: i32| {
            let name = usize::try_from(team).ok().and_then(|team| list.rankers.get(team)).cloned();
            match (team, name) {
                (0, Some(name)) => name.yellow(),
                (_, Some(name)) => name.cyan(),
                (_, None) => "of both".dark_gray(),
            }
        };
        let positions = list.items.iter().zip(&list.teams).take(POSITIONS).enumerate();
        positions
            .map(|(position, (item, team))| {
                Line::from(vec![format!(" {:2}  {item:8}", position + 1).into(), pick(*team)])
            })
            .collect()
    }

    fn preference(&self) -> Vec<Line<'static>> {
        let first = self.growth.len().saturating_sub(GROWTH);
        let grown = self.growth.iter().skip(first).map(|summary| row(summary, false));
        let mut lines =
            vec![Line::from(format!(" {:>7}  0 {:^w$} 1", "users", "even", w = BAR - 2)).dark_gray()];
        lines.extend(grown);
        lines.extend(self.now.as_ref().map(|now| row(now, true)));
        lines
    }
}

/// One moment: users with a preference, the interval as a bar, the figures.
fn row(summary: &Summary, now: bool) -> Line<'static> {
    let sequence = summary.always_valid;
    let (low, high) = sequence.win_rate;
    let decided = low > 0.5 || high < 0.5;
    let users = format!(" {:>7}  ", thousands(sequence.wins + sequence.losses));
    let figures = format!("  {:.2}  {low:.2} to {high:.2}", rate(summary));
    let bar = bar(rate(summary), low, high);
    let bar = if decided { bar.green() } else { bar.yellow() };
    let line = Line::from(vec![users.into(), bar, figures.into()]);
    if now { line.bold() } else { line }
}

/// How often users whose first decided request it was preferred the challenger.
pub fn rate(summary: &Summary) -> f64 {
    let (wins, losses) = (summary.always_valid.wins, summary.always_valid.losses);
    if wins + losses == 0 { 0.5 } else { wins as f64 / (wins + losses) as f64 }
}

/// A bar from 0 to 1 with an interval on it.
fn bar(rate: f64, low: f64, high: f64) -> String {
    let place = |at: f64| ((at * (BAR - 1) as f64).round() as usize).min(BAR - 1);
    let (rate, low, high) = (place(rate), place(low), place(high));
    let mark = |at: usize| match at {
        at if at == rate => '●',
        at if at == low => '├',
        at if at == high => '┤',
        at if (low..high).contains(&at) => '─',
        at if at == BAR / 2 => '┊',
        _ => ' ',
    };
    (0..BAR).map(mark).collect()
}

/// One moment in words.
pub fn growth_line(challenger: &str, summary: &Summary) -> String {
    let (low, high) = summary.always_valid.win_rate;
    format!(
        "{} users with a preference: {:.0} % prefer {challenger} ({:.0} to {:.0} %), p {:.2e}",
        thousands(summary.always_valid.wins + summary.always_valid.losses),
        100.0 * rate(summary),
        100.0 * low,
        100.0 * high,
        summary.always_valid.p_value,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_the_interval_around_the_rate() {
        let drawn: Vec<char> = bar(0.75, 0.6, 0.9).chars().collect();
        assert_eq!(drawn.len(), BAR);
        let at = |c: char| drawn.iter().position(|d| *d == c).unwrap();
        assert!(at('┊') == 24 && at('├') == 29 && at('●') == 36 && at('┤') == 43);
        assert_eq!(bar(0.5, 0.0, 1.0).chars().filter(|c| *c == '─').count(), BAR - 3);
    }
}
