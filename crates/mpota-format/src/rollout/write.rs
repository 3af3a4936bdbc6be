//! A rollout to bytes.

use super::{Rollout, RolloutError};
use crate::line::quoted;

impl Rollout {
    /// The rollout as it is published: signed where it has a signature.
    ///
    /// # Errors
    /// The first rule of the spec that it breaks: [`Rollout::parse`] accepts whatever this gives.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RolloutError> {
        let text = match &self.signature {
            None => self.values() + "}\n",
            Some(signature) => format!("{},\n\"signature\":{}}}\n", self.values(), quoted(signature)),
        };
        Self::parse(text.as_bytes())?;
        Ok(text.into_bytes())
    }

    /// What is to be signed for this rollout, whether it has a signature yet or not.
    ///
    /// # Errors
    /// The first rule of the spec that the rollout, without a signature, breaks.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, RolloutError> {
        let values = self.values();
        Self::parse(format!("{values}}}\n").as_bytes())?;
        Ok((values + ",\n").into_bytes())
    }

    /// The first line up to what ends it.
    fn values(&self) -> String {
        let mut keys = vec!["\"mpota-rollout\":1".to_owned()];
        keys.extend(self.project.as_ref().map(|project| format!("\"project\":{}", quoted(project))));
        keys.push(format!("\"version\":{}", quoted(self.version.as_str())));
        keys.push(format!("\"number\":{},\"until\":{}", self.number, self.until));
        keys.extend(self.halted.then(|| "\"halted\":true".to_owned()));
        let stages: Vec<String> =
            self.stages.iter().map(|stage| format!("[{},{}]", stage.from, stage.percent)).collect();
        keys.push(format!("\"stages\":[{}]", stages.join(",")));
        if !self.boards.is_empty() {
            let boards: Vec<String> = self.boards.iter().map(|id| quoted(id)).collect();
            keys.push(format!("\"boards\":[{}]", boards.join(",")));
        }
        format!("{{{}", keys.join(","))
    }
}
