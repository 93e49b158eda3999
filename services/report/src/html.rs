//! A page as HTML: one file, nothing loaded from elsewhere.

use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");

/// A document: `title` for the browser, `style` beyond the common one, `body` as HTML, `script` empty or JavaScript.
pub fn document(title: &str, style: &str, body: &str, script: &str) -> String {
    let script = if script.is_empty() { String::new() } else { format!("<script>{script}</script>") };
    format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\">\
         <title>{}</title><style>{STYLE}{style}</style></head><body><main>{body}</main>{script}</body></html>",
        escape(title)
    )
}

/// The head of a page: its title, one sentence, and what the reader must know.
pub fn header(title: &str, verdict: &str, known: &[(String, String)]) -> String {
    format!(
        "<header><h1>{}</h1><p class=verdict>{}</p>{}</header>",
        escape(title),
        escape(verdict),
        facts(known)
    )
}

/// A section with its heading; nothing where the body (HTML) is empty.
pub fn section(title: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!("<section><h2>{}</h2>{body}</section>", escape(title))
}

/// Names and values.
pub fn facts(facts: &[(String, String)]) -> String {
    let mut out = String::from("<dl>");
    for (name, value) in facts {
        let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    }
    out + "</dl>"
}

/// A list of sentences; nothing where there are none.
pub fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|line| format!("<li>{}</li>", escape(line))).collect();
    format!("<ul>{lines}</ul>")
}

/// Text as HTML, in an element or between quotes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
