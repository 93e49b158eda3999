//! The deployment that serves now, shared between the tasks and what watches deployments.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::deployed::Deployed;
use crate::repository;
use crate::version::lock;

/// What tasks take their versions from, between two batches, and what watches deployments puts them into.
#[derive(Clone)]
pub struct Serving(Arc<Mutex<State>>);

struct State {
    deployed: Option<Arc<Deployed>>,
    /// Why nothing serves yet.
    waiting: String,
    /// Why nothing will come any more.
    dead: Option<String>,
}

impl Serving {
    /// Nothing serves yet, because of `waiting`.
    pub fn new(waiting: impl Into<String>) -> Self {
        Self(Arc::new(Mutex::new(State { deployed: None, waiting: waiting.into(), dead: None })))
    }

    /// From the next batch on, this one serves. Gives back what served before: batches may still use it.
    pub fn set(&self, deployed: Deployed) -> Option<Arc<Deployed>> {
        lock(&self.0).deployed.replace(Arc::new(deployed))
    }

    /// Says why nothing serves yet.
    pub fn wait_because(&self, why: impl Into<String>) {
        lock(&self.0).waiting = why.into();
    }

    /// Says that deployments are watched no longer: tasks stop instead of missing one.
    pub fn fail(&self, why: impl Into<String>) {
        lock(&self.0).dead = Some(why.into());
    }

    /// What serves; else why nothing does.
    pub fn deployed(&self) -> Result<Arc<Deployed>, String> {
        let state = lock(&self.0);
        match (&state.dead, &state.deployed) {
            (Some(why), _) => Err(why.clone()),
            (None, Some(deployed)) => Ok(deployed.clone()),
            (None, None) => Err(state.waiting.clone()),
        }
    }
}

/// The model repository of an application.
pub fn repository_of(app: &millrace_topics::Application) -> PathBuf {
    app.folder.join(repository::MODELS)
}
