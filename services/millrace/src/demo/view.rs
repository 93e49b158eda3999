//! The live view: what the stream does now, and the newest alerts.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Gauge, Paragraph, Row, Table};

use super::alert::Alert;
use super::latency::Percentiles;
use super::screen::View;
use crate::text::{day_and_minute, thousands};

/// How many lines the view takes.
pub const HEIGHT: u16 = 26;

/// Everything the view shows, taken at one moment.
#[derive(Debug, Default, Clone)]
pub struct Snapshot {
    /// Payments published so far, of how many.
    pub payments: u64,
    /// How many payments there will be.
    pub total: u64,
    /// Feature rows read so far.
    pub features: u64,
    /// Predictions read so far.
    pub predictions: u64,
    /// Records in dead letters.
    pub rejected: u64,
    /// Predictions per second over the last seconds.
    pub rows_per_s: f64,
    /// From publishing a payment to reading its prediction, over the last seconds.
    pub latency: Option<Percentiles>,
    /// Event time of the newest prediction, ms.
    pub stream_time_ms: i64,
    /// Event time of the first payment, ms.
    pub start_ms: i64,
    /// How many alerts so far, and how many of them were frauds.
    pub alerts: (u64, u64),
    /// The newest alerts, newest first.
    pub newest: Vec<Alert>,
    /// What the drift service said last.
    pub watched: Vec<String>,
}

impl View for Snapshot {
    fn draw(&self, frame: &mut Frame<'_>) {
        draw(frame, self);
    }

    fn line(&self) -> String {
        line(self)
    }

    fn notes(&self) -> &[String] {
        &self.watched
    }
}

fn draw(frame: &mut Frame<'_>, snapshot: &Snapshot) {
    let [title, bar, figures, alerts, watched] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(3),
        Constraint::Min(5),
        Constraint::Length(4),
    ])
    .areas(frame.area());
    frame.render_widget(
        Line::from(vec![
            Span::from(" Millrace ").bold().reversed(),
            Span::from("  card payments, scored as they happen").bold(),
        ]),
        title,
    );
    frame.render_widget(
        Gauge::default()
            .ratio((snapshot.payments as f64 / snapshot.total.max(1) as f64).clamp(0.0, 1.0))
            .label(progress(snapshot))
            .gauge_style(Style::new().fg(Color::Cyan).bg(Color::DarkGray)),
        bar,
    );
    frame.render_widget(Paragraph::new(figure_lines(snapshot)), figures);
    frame.render_widget(alert_table(&snapshot.newest), alerts);
    let lines: Vec<Line<'_>> = snapshot.watched.iter().map(|line| Line::from(format!(" {line}"))).collect();
    frame.render_widget(
        Paragraph::new(lines).block(Block::new().borders(Borders::TOP).title(" drift ")),
        watched,
    );
}

fn progress(snapshot: &Snapshot) -> String {
    format!(
        "{} of {} payments, stream time {}, day {}",
        thousands(snapshot.payments),
        thousands(snapshot.total),
        day_and_minute(snapshot.stream_time_ms),
        (snapshot.stream_time_ms - snapshot.start_ms).max(0) / 86_400_000 + 1,
    )
}

fn figure_lines(snapshot: &Snapshot) -> Vec<Line<'static>> {
    let (raised, right) = snapshot.alerts;
    let hit =
        (right * 100).checked_div(raised).map_or_else(String::new, |share| format!(" ({share} % frauds)"));
    let latency = snapshot.latency.map_or_else(
        || "-".to_owned(),
        |p| format!("p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms", p.p50, p.p99, p.p999),
    );
    let figure = |label: &'static str, text: String| vec![label.dark_gray(), text.bold(), "   ".into()];
    vec![
        Line::from(
            [
                figure(" scored ", thousands(snapshot.predictions)),
                figure("rate ", format!("{} payments/s", thousands(snapshot.rows_per_s as u64))),
                figure("rejected ", thousands(snapshot.rejected)),
            ]
            .concat(),
        ),
        Line::from(
            [figure(" latency ", latency), figure("alerts ", format!("{}{hit}", thousands(raised)))].concat(),
        ),
    ]
}

fn alert_table(alerts: &[Alert]) -> Table<'static> {
    let rows = alerts.iter().map(|alert| {
        let verdict = if alert.fraud { "fraud".red().bold() } else { "genuine".dark_gray() };
        Row::new([
            Cell::from(day_and_minute(alert.time_ms)),
            Cell::from(alert.customer.clone()),
            Cell::from(Line::from(format!("{:.2}", alert.amount)).right_aligned()),
            Cell::from(Line::from(format!("{:.3}", alert.score)).right_aligned()),
            Cell::from(verdict),
            Cell::from(alert.stands_out.join("; ")),
        ])
    });
    let widths = [
        Constraint::Length(16),
        Constraint::Length(8),
        Constraint::Length(9),
        Constraint::Length(6),
        Constraint::Length(8),
        Constraint::Min(30),
    ];
    Table::new(rows, widths)
        .header(
            Row::new([
                "time",
                "customer",
                "   amount",
                " score",
                "in truth",
                "stands out against its own past",
            ])
            .style(Style::new().add_modifier(Modifier::BOLD)),
        )
        .block(Block::new().borders(Borders::TOP).title(" newest alerts "))
}

fn line(snapshot: &Snapshot) -> String {
    let latency =
        snapshot.latency.map_or_else(String::new, |p| format!(", p50 {:.1} ms, p99 {:.1} ms", p.p50, p.p99));
    format!(
        "{}  {} of {} payments, {} scored, {} rejected, {} payments/s{latency}, {} alerts",
        day_and_minute(snapshot.stream_time_ms),
        thousands(snapshot.payments),
        thousands(snapshot.total),
        thousands(snapshot.predictions),
        thousands(snapshot.rejected),
        thousands(snapshot.rows_per_s as u64),
        thousands(snapshot.alerts.0),
    )
}
