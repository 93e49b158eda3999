//! Schemas that Millrace itself defines: predictions, dead letters, deployments.
