//! Predictions: built column by column by the scorer, so that there is no type for a single one.

/// The Avro schema of every prediction topic, `schemas/predictions.avsc`.
pub const AVRO: &str = include_str!("../../predictions.avsc");

/// The event's own id.
pub const ID: &str = "id";
/// The event's record time, timestamp-millis.
pub const TIME: &str = "time";
/// Whom or what arms are assigned to; the record's key.
pub const UNIT: &str = "unit";
/// The model's name.
pub const MODEL: &str = "model";
/// The model's version.
pub const VERSION: &str = "version";
/// The arm of the deployment.
pub const ARM: &str = "arm";
/// `serving` or `shadow`.
pub const ROLE: &str = "role";
/// The label decided for.
pub const DECISION: &str = "decision";
/// The model's output.
pub const SCORE: &str = "score";
/// Reason codes.
pub const REASONS: &str = "reasons";
/// The probability with which the unit gets the serving arm.
pub const PROPENSITY: &str = "propensity";
/// The offset of the deployment event in force.
pub const DEPLOYMENT: &str = "deployment";
/// Columns passed on, as text.
pub const CONTEXT: &str = "context";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TopicSchema;

    #[test]
    fn the_columns_have_their_names_and_order() {
        let schema = TopicSchema::parse(AVRO).unwrap();
        let names: Vec<_> = schema.arrow().fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(
            names,
            [
                ID, TIME, UNIT, MODEL, VERSION, ARM, ROLE, DECISION, SCORE, REASONS, PROPENSITY, DEPLOYMENT,
                CONTEXT
            ]
        );
        assert!(schema.arrow().fields().iter().all(|f| !f.is_nullable()));
    }
}
