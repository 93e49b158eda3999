//! Where a view's text says what: DataFusion's plan has lost most places by the time a fault is found in it.

use datafusion_sql::sqlparser::ast::{Expr, Ident, Spanned};

use super::refusal::Place;

/// Names that the text mentions, in its order.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    pub(super) tables: Vec<(String, Place)>,
    pub(super) functions: Vec<(String, Place)>,
    pub(super) order_by: Vec<(String, Place)>,
    pub(super) partition_by: Vec<(String, Place)>,
    pub(super) outputs: Vec<(String, Place)>,
    pub(super) start: Option<Place>,
}

impl Sites {
    /// The last mention of a table: the one that is too many.
    pub(crate) fn table(&self, name: &str) -> Option<Place> {
        find(self.tables.iter().rev(), name)
    }

    /// The first use of a function with OVER.
    pub(crate) fn function(&self, name: &str) -> Option<Place> {
        find(self.functions.iter(), name)
    }

    /// The ORDER BY of a window that orders by a column, or by anything if it is none.
    pub(crate) fn order_by(&self, column: &str) -> Option<Place> {
        find(self.order_by.iter(), column).or_else(|| self.order_by.first().map(|(_, place)| *place))
    }

    /// The PARTITION BY that has a column or, failing that, an expression of this text.
    pub(crate) fn partition_by(&self, text: &str) -> Option<Place> {
        find(self.partition_by.iter(), text).or_else(|| {
            self.partition_by.iter().find(|(name, _)| name.contains('(')).map(|(_, place)| *place)
        })
    }

    /// The last output column of a name, or the view's beginning.
    pub(crate) fn output(&self, name: &str) -> Option<Place> {
        find(self.outputs.iter().rev(), name).or(self.start)
    }

    /// Where the view begins.
    pub(crate) fn start(&self) -> Option<Place> {
        self.start
    }

    /// The first function or table that an error's text mentions.
    pub(crate) fn mentioned(&self, message: &str) -> Option<Place> {
        let mentions = |name: &str| {
            message.contains(&format!("'{name}'"))
                || message.contains(&format!(" {name};"))
                || message.contains(&format!("{name}("))
        };
        self.functions.iter().chain(&self.tables).find(|(name, _)| mentions(name)).map(|(_, place)| *place)
    }
}

fn find<'a>(mut sites: impl Iterator<Item = &'a (String, Place)>, name: &str) -> Option<Place> {
    sites.find(|(site, _)| site == name).map(|(_, place)| *place)
}

/// An identifier as DataFusion reads it: lower case unless quoted.
pub(super) fn normalized(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// The column that an expression names, or its text.
pub(super) fn column_name(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(ident) => normalized(ident),
        Expr::CompoundIdentifier(idents) => idents.last().map(normalized).unwrap_or_default(),
        other => other.to_string(),
    }
}

/// Where an expression begins.
pub(super) fn place(node: &impl Spanned) -> Option<Place> {
    Place::of(node.span())
}
