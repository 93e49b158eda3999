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
    /// The view's columns as the text lists them.
    pub(super) outputs: Vec<Item>,
    /// Names that AS gives, in every SELECT.
    pub(super) aliases: Vec<(String, Place)>,
    pub(super) start: Option<Place>,
}

/// What a SELECT lists: a column, or `*` for some.
#[derive(Debug)]
pub(super) struct Item {
    pub place: Option<Place>,
    /// Its name, if the text gives it one.
    pub name: Option<String>,
    pub is_star: bool,
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

    /// Where output column `index` of `count` gets its name, or else where the list has it.
    pub(crate) fn output(&self, index: usize, count: usize, name: &str) -> Option<Place> {
        let item = self.item(index, count);
        let alias = || find(self.aliases.iter().rev(), name);
        match item {
            Some(item) if !item.is_star => item.place.or(self.start),
            Some(item) => alias().or(item.place).or(self.start),
            None => alias().or(self.start),
        }
    }

    /// Whether the text gives output column `index` of `count` a name.
    pub(crate) fn is_named(&self, index: usize, count: usize) -> bool {
        self.item(index, count).is_none_or(|item| item.is_star || item.name.is_some())
    }

    /// The item of the list that gives output column `index` of `count`: columns before a `*` are counted from the
    /// first, those behind it from the last.
    fn item(&self, index: usize, count: usize) -> Option<&Item> {
        let Some(star) = self.outputs.iter().position(|item| item.is_star) else {
            return self.outputs.get(index);
        };
        let last_star = self.outputs.iter().rposition(|item| item.is_star).unwrap_or(star);
        let behind = self.outputs.len() - last_star - 1;
        match count.checked_sub(index) {
            _ if index < star => self.outputs.get(index),
            Some(from_last) if from_last <= behind => self.outputs.get(self.outputs.len() - from_last),
            _ => self.outputs.get(star),
        }
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
